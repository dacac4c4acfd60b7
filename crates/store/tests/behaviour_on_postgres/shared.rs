//! What is true because replicas share the database.

use anyhow::{Context as _, Result};
use chrono::{DateTime, TimeDelta, Utc};
use domain::fault::Fault;
use store::{Attempts, Store};

use crate::world::{LEASE, World, at, commit, refused};

#[tokio::test]
async fn two_replicas_share_the_work_and_each_sees_what_the_other_records() -> Result<()> {
    let world = World::new().await?;
    let other = Store::open(&world.url(), at(0)).await?;
    world.announce("1").await?;
    world.announce("2").await?;
    let (one, two) = (world.claim(at(0)).await?, other.claim_due(at(0), LEASE).await?.context("nothing was due")?);
    assert_ne!(one.subject, two.subject);
    assert_eq!(other.claim_due(at(0), LEASE).await?, None);
    other.explain_announcement(&two, "the registry does not answer").await?;
    let reasons: Vec<_> =
        world.store.deliveries(None, 9).await?.into_iter().flat_map(|row| row.announcements).collect();
    assert_eq!(reasons[0].reason.as_deref(), Some("the registry does not answer"));
    Ok(())
}

#[tokio::test]
async fn the_start_of_a_replica_takes_nothing_from_the_others_and_has_what_waits_looked_at() -> Result<()> {
    let world = World::new().await?;
    let (_, claim) = world.open_and_claim(1).await?;
    let other = Store::open(&world.url(), at(0)).await?;
    assert_eq!(other.claim_due(at(30), LEASE).await?, None);
    let next_year = other.now() + TimeDelta::days(365);
    world.store.hand_back(&claim, next_year, Attempts::Failed).await?;
    let another = Store::open(&world.url(), at(0)).await?;
    let again = another.claim_due(another.now(), LEASE).await?.context("nothing was due")?;
    assert_eq!((again.subject, again.attempts), (claim.subject, 1));
    Ok(())
}

#[tokio::test]
async fn the_time_is_that_of_the_server_however_wrong_the_clock_of_a_replica_is() -> Result<()> {
    let world = World::new().await?;
    let wrong = Store::open(&world.url(), DateTime::<Utc>::MAX_UTC).await?;
    let (one, two) = (world.store.time().await?, wrong.time().await?);
    assert!(one <= two && two <= world.store.time().await?, "{one} {two}");
    assert!((wrong.now() - two).num_seconds() < 60);
    Ok(())
}

#[tokio::test]
async fn what_a_replica_tells_the_others_hear() -> Result<()> {
    let world = World::new().await?;
    let other = Store::open(&world.url(), at(0)).await?;
    let mut news = other.listen().await?.context("there may be others")?;
    world.store.tell().await?;
    tokio::time::timeout(std::time::Duration::from_secs(60), news.heard()).await??;
    Ok(())
}

#[tokio::test]
async fn the_claims_of_a_replica_that_died_pass_on_when_their_lease_is_over() -> Result<()> {
    let world = World::new().await?;
    let (_, claim) = world.open_and_claim(1).await?;
    let world = world.crash().await?;
    assert_eq!(world.store.claim_due(at(59), LEASE).await?, None);
    let next = world.claim(at(60)).await?;
    assert_eq!(next.subject, claim.subject);
    crate::claim::records_nothing(&world.store, &claim).await
}

#[tokio::test]
async fn replicas_that_start_together_apply_each_migration_once() -> Result<()> {
    let place = crate::place::Place::new().await?;
    let url = place.url();
    let starts = (0..4).map(|_| Store::open(&url, at(0)));
    for store in futures_util::future::join_all(starts).await {
        store?.ping().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_find_the_builds_of_a_release_at_once_open_one_promotion() -> Result<()> {
    let world = World::new().await?;
    let mut tasks = Vec::new();
    for number in 0..8_u8 {
        let store = Store::open(&world.url(), at(0)).await?;
        world.announce(&number.to_string()).await?;
        let claim = store.claim_due(at(0), LEASE).await?.context("nothing was due")?;
        tasks.push(tokio::spawn(async move {
            let new = store::NewBuild {
                application: &crate::world::name("mandelbrot")?,
                commit: commit(1),
                gitops: &"acme/trinity".parse()?,
                base: &"main".parse()?,
                build: &crate::world::build(number, i64::from(number))?,
                told: true,
            };
            Ok::<_, anyhow::Error>(store.record_build(&claim, &new).await?.promotion)
        }));
    }
    let mut opened = 0;
    for task in tasks {
        opened += usize::from(task.await??.is_some());
    }
    assert_eq!(opened, 1);
    Ok(())
}

#[tokio::test]
async fn a_server_that_can_not_be_used_is_named_with_the_setting_and_without_the_password() -> Result<()> {
    let place = crate::place::Place::new().await?;
    let nobody = Store::open(&place.url().replace("tagferry@", "nobody:hunter2@"), at(0)).await.unwrap_err();
    let nowhere = Store::open("postgres://tagferry:hunter2@127.0.0.1:9/t", at(0)).await.unwrap_err();
    for (error, fault) in [(nobody, Fault::Permanent), (nowhere, Fault::Transient)] {
        assert!(error.to_string().contains("store.url"), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        assert_eq!(error.fault(), fault, "{error:?}");
    }
    refused(Store::open("postgres://[", at(0)).await.map(drop), "Url")
}
