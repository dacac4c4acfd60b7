//! A copy of a file that somebody works with; a server is backed up by its own means.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::Result;
use store::{Error, Store};
use tempfile::TempDir;

use crate::world::{World, at, commit};

fn place() -> Result<(TempDir, PathBuf)> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("copy.db");
    Ok((directory, file))
}

async fn why(url: &str, to: &Path) -> String {
    let error = Store::back_up(url, to, false).await.expect_err("it can not be copied");
    let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    format!("{error}: {source}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_made_while_deliveries_come_has_all_that_were_recorded_before_and_can_be_worked_with() -> Result<()> {
    let world = World::new().await?;
    world.open(1).await?;
    for id in 0..50 {
        world.announce(&id.to_string()).await?;
    }
    let (_directory, to) = place()?;
    let store = world.store.clone();
    let busy = tokio::spawn(async move {
        for id in 50..150 {
            let new = store::NewDelivery {
                sender: "ecr-prod",
                sender_delivery_id: &id.to_string(),
                received_at: at(0),
                body: b"{}",
                elements: Vec::new(),
            };
            store.record_delivery(&new).await?;
        }
        Ok::<_, Error>(())
    });
    let backup = Store::back_up(&world.url(), &to, false).await?;
    busy.await??;
    assert!((51..=151).contains(&backup.deliveries), "{backup:?}");
    assert_eq!((backup.releases, backup.bytes), (1, std::fs::metadata(&to)?.len()));
    assert_eq!(std::fs::metadata(&to)?.permissions().mode() & 0o777, 0o600);
    assert!(!to.with_extension("db.partial").exists());
    let copy = Store::open(&format!("sqlite://{}", to.display()), at(0)).await?;
    assert_eq!(copy.releases(None, None, 9).await?[0].commit, commit(1));
    let kept = copy.deliveries(None, 1_000).await?;
    assert_eq!(i64::try_from(kept.len())?, backup.deliveries);
    Ok(())
}

#[tokio::test]
async fn what_is_there_is_replaced_only_when_that_is_said_and_the_store_itself_never() -> Result<()> {
    let world = World::new().await?;
    let (_directory, to) = place()?;
    std::fs::write(&to, "precious")?;
    assert!(why(&world.url(), &to).await.contains("it is there already"));
    assert_eq!(std::fs::read_to_string(&to)?, "precious");
    Store::back_up(&world.url(), &to, true).await?;
    let store = world.url().replace("sqlite://", "");
    for end in ["", "-wal", "-shm", ".lock"] {
        let error = Store::back_up(&world.url(), Path::new(&format!("{store}{end}")), true).await.unwrap_err();
        assert!(matches!(error, Error::Backup { .. }), "{error:?}");
    }
    world.store.ping().await?;
    Ok(())
}

#[tokio::test]
async fn what_can_not_be_copied_is_named_with_the_reason_and_nothing_is_left_behind() -> Result<()> {
    let world = World::new().await?;
    let (directory, to) = place()?;
    let there = directory.path();
    let missing = format!("sqlite://{}", there.join("missing.db").display());
    assert!(why(&missing, &to).await.contains("unable to open database file"));
    std::fs::write(there.join("not.db"), "no database".repeat(500))?;
    let not = format!("sqlite://{}", there.join("not.db").display());
    assert!(why(&not, &to).await.contains("file is not a database"));
    let nowhere = there.join("nowhere").join("copy.db");
    assert!(why(&world.url(), &nowhere).await.contains("there is no directory"));
    let server = why("postgres://u:hunter2@db/t", &to).await;
    assert!(server.contains("pg_dump") && !server.contains("hunter2"), "{server}");
    let left: Vec<_> =
        std::fs::read_dir(there)?.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<_, _>>()?;
    assert_eq!(left, ["not.db"]);
    Ok(())
}
