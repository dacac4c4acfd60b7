use std::path::Path;

use anyhow::{Context as _, Result};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _, Row as _, SqlSafeStr as _};

use crate::{place::Place, world::World};

/// A row in each table as the first migration made it. It has been released: it is never edited.
const SAMPLE: &str = include_str!("sample/0001.sql");

/// A row in each table, and in each column, that the third migration added.
const SAMPLE_OF_THE_THIRD: &str = include_str!("sample/0003.sql");

/// Takes back what the migrations after the first have done, as if they had never been applied.
const BACK_TO_THE_FIRST: &str = "drop index deliveries_received; alter table deliveries drop column body_dropped; drop table comments; drop table rounds; drop table drifts; \
     alter table announcements drop column soon; \
     alter table announcements drop column site; alter table work drop column lane; alter table work drop column site; \
     drop index announcements_of_runs; alter table announcements drop column workflow; \
     alter table announcements drop column run_url; \
     alter table promotions drop column ordered_head; alter table promotions drop column labelled_at_ms; \
     alter table promotions drop column reported_head; alter table promotions drop column reported_state; \
     drop index promotions_slot_in_any_case; drop index promotions_unsettled_in_any_case; \
     delete from _sqlx_migrations where version > 1";

async fn connect(world: &World) -> Result<AnyConnection> {
    Ok(AnyConnection::connect(&world.url()).await?)
}

async fn execute(connection: &mut AnyConnection, statements: &str) -> Result<()> {
    connection.execute(AssertSqlSafe(Place::words(statements))).await?;
    Ok(())
}

async fn count(connection: &mut AnyConnection, sql: &'static str) -> Result<i64> {
    Ok(sqlx::query(sql).fetch_one(connection).await?.try_get(0)?)
}

#[tokio::test]
async fn every_statement_is_one_that_the_database_understands() -> Result<()> {
    let world = World::new().await?;
    let mut connection = connect(&world).await?;
    let mut statements = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut statements)?;
    assert!(statements.len() > 30, "only {} were found", statements.len());
    for statement in statements {
        assert_eq!(statement, statement.trim(), "trim it");
        (&mut connection).prepare(AssertSqlSafe(statement.clone()).into_sql_str()).await.with_context(|| statement)?;
    }
    Ok(())
}

#[tokio::test]
async fn migrations_apply_once() -> Result<()> {
    let world = World::new().await?;
    let world = world.crash().await?;
    let mut connection = connect(&world).await?;
    let applied = count(&mut connection, "select count(*) from _sqlx_migrations").await?;
    assert_eq!(applied, 8);
    Ok(())
}

#[tokio::test]
async fn the_later_migrations_apply_onto_the_rows_of_the_first() -> Result<()> {
    let world = World::new().await?;
    let mut connection = connect(&world).await?;
    execute(&mut connection, BACK_TO_THE_FIRST).await?;
    execute(&mut connection, SAMPLE).await?;
    let world = world.crash().await?;
    let second_slot = connect(&world)
        .await?
        .execute(
            "insert into releases values (2, 'mandelbrot', '0a', null, 1); \
             insert into promotions (id, release_id, application, gitops_repository, base, opened_at_ms, slot_taken_at_ms) \
             values (2, 2, 'mandelbrot', 'Acme/Trinity', 'main', 1, 1)",
        )
        .await;
    assert!(second_slot.unwrap_err().to_string().contains("promotions_slot_in_any_case"));
    Ok(())
}

#[tokio::test]
async fn a_database_that_a_later_version_has_migrated_is_not_refused() -> Result<()> {
    let world = World::new().await?;
    let later = "insert into _sqlx_migrations \
         (version, description, success, checksum, execution_time) values (9999, 'later', 1, x'00', 0)";
    execute(&mut connect(&world).await?, later).await?;
    world.crash().await?.store.ping().await?;
    Ok(())
}

#[tokio::test]
async fn sample_rows_of_each_migration_are_read() -> Result<()> {
    let world = World::new().await?;
    let mut connection = connect(&world).await?;
    execute(&mut connection, BACK_TO_THE_FIRST).await?;
    execute(&mut connection, SAMPLE).await?;
    let world = world.crash().await?;
    execute(&mut connect(&world).await?, SAMPLE_OF_THE_THIRD).await?;
    let store = &world.store;
    let releases = store.releases(None, None, 9).await?;
    let detail = store.release(releases[0].release).await?.context("no release")?;
    assert_eq!((detail.builds.len(), detail.ledger.len()), (1, 1));
    assert_eq!(detail.promotions[0].evidence.len(), 1);
    let promotion = store.promotion(detail.promotions[0].id).await?;
    assert_eq!(promotion.heads.len(), 1);
    assert!(promotion.live && promotion.closing.is_some());
    assert!(promotion.ordered.is_some() && promotion.labelled && promotion.reported.is_some());
    let deliveries = store.deliveries(None, 9).await?;
    assert_eq!(deliveries[0].announcements.len(), 3);
    let mut claimed = 0;
    while store.claim_due(crate::world::at(0), crate::world::LEASE).await?.is_some() {
        claimed += 1;
    }
    assert_eq!(claimed, 2);
    Ok(())
}

/// Reads the text of every statement out of the sources of a directory.
fn collect(directory: &Path, statements: &mut Vec<String>) -> Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, statements)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(&path)?;
            // The one that the databases say differently is not in place.
            for call in source.split("sqlx::query(").skip(1).filter(|call| !call.starts_with("self.kind()")) {
                let literal = call
                    .trim_start()
                    .strip_prefix('"')
                    .and_then(|rest| rest.split_once('"'))
                    .with_context(|| format!("{}: no literal statement", path.display()))?;
                statements.push(joined(literal.0));
            }
        }
    }
    Ok(())
}

/// A literal as the compiler joins it: a backslash takes the line's end and the indentation away.
fn joined(literal: &str) -> String {
    let mut lines = literal.split("\\\n");
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |all, line| all + line.trim_start())
}
