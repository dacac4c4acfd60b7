use std::path::Path;

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _, Row as _, SqlSafeStr as _};

use crate::{place::Place, world::World};

/// Each migration and a row, as the version that came with it writes it, in each table and column that it added. They
/// have been released: they are never edited.
const MIGRATIONS: [(&str, &str); 10] = [
    (include_str!("../../src/migration/0001_from_deliveries_to_promotions.sql"), include_str!("sample/0001.sql")),
    (include_str!("../../src/migration/0002_repositories_in_any_case.sql"), include_str!("sample/0002.sql")),
    (include_str!("../../src/migration/0003_orders_and_labels.sql"), include_str!("sample/0003.sql")),
    (include_str!("../../src/migration/0004_haste_of_announcements.sql"), include_str!("sample/0004.sql")),
    (include_str!("../../src/migration/0005_runs_that_built.sql"), include_str!("sample/0005.sql")),
    (include_str!("../../src/migration/0006_lanes_of_work.sql"), include_str!("sample/0006.sql")),
    (include_str!("../../src/migration/0007_rounds_and_drifts.sql"), include_str!("sample/0007.sql")),
    (include_str!("../../src/migration/0008_bodies_that_are_gone.sql"), include_str!("sample/0008.sql")),
    (include_str!("../../src/migration/0009_what_moved.sql"), include_str!("sample/0009.sql")),
    (include_str!("../../src/migration/0010_builds_that_nobody_told_of.sql"), include_str!("sample/0010.sql")),
];

/// Every statement, each in a line, of the version before the last migration.
const STATEMENTS_BEFORE: &str = include_str!("sample/0009.statements");

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

/// A database as it was when there were so many migrations, with the samples of each.
async fn once(migrations: usize) -> Result<World> {
    let world = World::new().await?;
    let mut connection = connect(&world).await?;
    let tables = sqlx::query(Place::TABLES).fetch_all(&mut connection).await?;
    for table in tables {
        let table: String = table.try_get(0)?;
        if table != "_sqlx_migrations" {
            execute(&mut connection, &Place::drop(&table)).await?;
        }
    }
    execute(&mut connection, &format!("delete from _sqlx_migrations where version > {migrations}")).await?;
    for (migration, sample) in MIGRATIONS.iter().take(migrations) {
        execute(&mut connection, migration).await?;
        execute(&mut connection, sample).await?;
    }
    Ok(world)
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
    assert_eq!(usize::try_from(applied)?, MIGRATIONS.len());
    Ok(())
}

#[tokio::test]
async fn whatever_version_made_a_database_it_is_migrated_with_its_rows() -> Result<()> {
    for migrations in 1..=MIGRATIONS.len() {
        let world = once(migrations).await?.crash().await?;
        let mut connection = connect(&world).await?;
        for (_, sample) in MIGRATIONS.iter().skip(migrations) {
            execute(&mut connection, sample).await?;
        }
        check_samples(&world).await.with_context(|| format!("from {migrations} migrations"))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_repository_in_another_case_has_no_second_slot() -> Result<()> {
    let world = once(MIGRATIONS.len()).await?;
    let second = connect(&world).await?.execute("update promotions set slot_taken_at_ms = 1 where id = 2").await;
    assert!(second.unwrap_err().to_string().contains("promotions_slot_in_any_case"));
    Ok(())
}

#[tokio::test]
async fn the_version_before_runs_on_the_schema_of_this_one() -> Result<()> {
    let world = World::new().await?;
    let mut connection = connect(&world).await?;
    assert!(STATEMENTS_BEFORE.lines().count() > 30);
    for statement in STATEMENTS_BEFORE.lines() {
        (&mut connection).prepare(AssertSqlSafe(statement).into_sql_str()).await.context(statement)?;
    }
    // What it writes, with values for no column that it does not know.
    for (_, sample) in MIGRATIONS {
        execute(&mut connection, sample).await?;
    }
    check_samples(&world).await
}

#[test]
fn a_migration_only_adds() {
    for (migration, _) in MIGRATIONS {
        let lines =
            migration.lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join("\n");
        for statement in lines.split(';').map(str::trim).filter(|statement| !statement.is_empty()) {
            let adds = ["create table ", "create index ", "create unique index "];
            let is_column = statement.starts_with("alter table ") && statement.contains(" add column ");
            assert!(is_column || adds.iter().any(|verb| statement.starts_with(verb)), "{statement}");
        }
    }
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

/// Reads every sample as it was written.
async fn check_samples(world: &World) -> Result<()> {
    let store = &world.store;
    let releases = store.releases(None, None, 9).await?;
    let [_, first] = releases.as_slice() else { bail!("not two releases: {releases:?}") };
    let detail = store.release(first.release).await?.context("no release")?;
    assert_eq!((detail.builds.len(), detail.ledger.len()), (2, 1));
    let [promotion] = detail.promotions.as_slice() else { bail!("not one promotion: {detail:?}") };
    assert_eq!(promotion.evidence.len(), 1);
    let promotion = store.promotion(promotion.id).await?;
    assert_eq!(promotion.heads.len(), 1);
    assert!(promotion.live && promotion.closing.is_some());
    assert!(promotion.ordered.is_some() && promotion.labelled && promotion.reported.is_some());
    let runs = store.builder_reports(first.release).await?;
    assert_eq!(runs.len(), 1, "{runs:?}");
    let deliveries = store.deliveries(None, 9).await?;
    assert_eq!(deliveries.iter().map(|one| one.announcements.len()).collect::<Vec<_>>(), [0, 7]);
    let mut bodies = Vec::new();
    for delivery in &deliveries {
        bodies.push(store.kept(delivery.id).await?.context("no delivery")?.body);
    }
    assert_eq!(bodies, [None, Some(b"{}".to_vec())]);
    let drifts = store.drifts().await?;
    assert_eq!(drifts.iter().map(|one| one.has.as_deref()).collect::<Vec<_>>(), [Some("v1-hotfix"), None]);
    let due = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(1_700_000_000);
    let early = due - TimeDelta::milliseconds(1);
    assert!(!store.begin_round("drift mandelbrot", early, due).await?);
    let mut claimed = Vec::new();
    while let Some(claim) = store.claim_due(crate::world::at(0), crate::world::LEASE).await? {
        claimed.push(claim.subject);
    }
    assert_eq!(claimed.len(), 5, "{claimed:?}");
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
