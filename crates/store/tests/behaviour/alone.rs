//! What is true because one process alone has the file.

use anyhow::Result;
use domain::{fault::Fault, promotion};
use sqlx::{AnyConnection, Connection as _};
use store::{Attempts, Error, Store, Subject};

use crate::{
    claim::records_nothing,
    world::{LEASE, World, at},
};

#[tokio::test]
async fn a_second_process_is_refused_while_the_first_lives() -> Result<()> {
    let world = World::new().await?;
    let error = Store::open(&world.url(), at(0)).await.unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error:?}");
    assert_eq!(error.fault(), Fault::Permanent);
    let sentence = error.to_string();
    assert!(sentence.contains("another Tagferry works on this database"), "{sentence}");
    assert!(sentence.contains("t.db.lock"), "{sentence}");
    world.store.ping().await?;
    Ok(())
}

#[tokio::test]
async fn claims_of_the_process_before_are_released() -> Result<()> {
    let world = World::new().await?;
    world.announce("1").await?;
    let claim = world.claim(at(0)).await?;
    assert_eq!(world.store.claim_due(at(0), LEASE).await?, None);
    let world = world.crash().await?;
    assert_eq!(world.claim(at(0)).await?.subject, claim.subject);
    Ok(())
}

#[tokio::test]
async fn what_was_parked_or_backed_off_is_due_at_the_next_start_as_if_it_had_never_failed() -> Result<()> {
    let world = World::new().await?;
    let (parked, claim) = world.open_and_claim(1).await?;
    world.announce("1").await?;
    let failed = world.claim(at(0)).await?;
    world.store.hand_back(&claim, at(3_600), Attempts::Reset).await?;
    world.store.hand_back(&failed, at(600), Attempts::Failed).await?;
    assert_eq!(world.store.next_due(at(0)).await?, Some(at(600)));
    let world = world.crash().await?;
    let (first, second) = (world.claim(at(0)).await?, world.claim(at(0)).await?);
    assert_eq!([first.subject, second.subject], [Subject::Promotion(parked), failed.subject]);
    assert_eq!((first.attempts, second.attempts), (0, 0));
    Ok(())
}

#[tokio::test]
async fn what_can_not_be_opened_is_named_with_the_setting_and_the_reason() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let there = directory.path().display();
    std::fs::write(directory.path().join("not.db"), "no database".repeat(100))?;
    for (url, reason) in [
        (format!("sqlite://{there}/missing/t.db"), "missing does not exist; create it first"),
        (format!("sqlite://{there}"), "it is a directory"),
        (format!("sqlite://{there}/not.db"), "file is not a database"),
    ] {
        let error = Store::open(&url, at(0)).await.unwrap_err();
        let Error::Open { source, .. } = &error else {
            anyhow::bail!("{url}: {error:?}");
        };
        assert!(error.to_string().contains("store.url"), "{error}");
        assert!(source.to_string().contains(reason), "{source}");
        assert_eq!(error.fault(), Fault::Permanent);
    }
    Ok(())
}

#[tokio::test]
async fn a_claim_from_before_a_restart_records_nothing() -> Result<()> {
    let world = World::new().await?;
    let (id, claim) = world.open_and_claim(1).await?;
    let world = world.crash().await?;
    records_nothing(&world.store, &claim).await?;
    let next = world.claim(at(0)).await?;
    assert_eq!(next.subject, claim.subject, "it is due at once");
    records_nothing(&world.store, &claim).await?;
    world.store.settle(&next, &promotion::Outcome::Declined, at(1)).await?;
    records_nothing(&world.store, &next).await?;
    assert_eq!(world.store.promotion(id).await?.outcome, Some(promotion::Outcome::Declined));
    Ok(())
}

#[tokio::test]
async fn what_is_recorded_refers_to_what_is_there() -> Result<()> {
    let world = World::new().await?;
    world.announce("1").await?;
    world.open(1).await?;
    let strays =
        sqlx::query("pragma foreign_key_check").fetch_all(&mut AnyConnection::connect(&world.url()).await?).await?;
    assert_eq!(strays.len(), 0);
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_damaged_is_no_trouble_that_passes_and_says_what_to_do() -> Result<()> {
    let world = World::new().await?;
    for id in 0..200 {
        world.announce(&id.to_string()).await?;
    }
    let url = world.url();
    world.store.close().await?;
    let path = url.replace("sqlite://", "");
    let mut bytes = std::fs::read(&path)?;
    // The first page says what there is; what it says is where, is not.
    bytes.iter_mut().skip(4_096).for_each(|byte| *byte = 0xaa);
    std::fs::write(&path, bytes)?;
    let error = match Store::open(&url, at(0)).await {
        Err(error) => error,
        Ok(store) => store.deliveries(None, 9).await.unwrap_err(),
    };
    assert_eq!(error.fault(), Fault::Permanent, "{error:?}");
    assert!(format!("{error:?}").contains("malformed"), "{error:?}");
    assert!(error.advice().is_some_and(|advice| advice.contains("restore a backup")), "{error:?}");
    Ok(())
}
