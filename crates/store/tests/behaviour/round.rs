use anyhow::{Context as _, Result};
use domain::{forge::Number, promotion::Outcome};
use store::{Drift, Past};

use crate::world::{World, at, build, commit, name};

#[tokio::test]
async fn a_round_is_begun_once_by_whoever_comes_first_and_again_when_it_is_due() -> Result<()> {
    let world = World::new().await?;
    let begin = async |now, next| world.store.begin_round("look mandelbrot", at(now), at(next)).await;
    assert!(begin(0, 60).await?, "never begun");
    assert!(!begin(0, 60).await?);
    assert!(!begin(59, 119).await?);
    assert!(begin(60, 120).await?);
    assert!(world.store.begin_round("look other", at(60), at(120)).await?);
    Ok(())
}

#[tokio::test]
async fn a_round_that_a_wrong_clock_planned_for_next_year_is_begun_all_the_same() -> Result<()> {
    let world = World::new().await?;
    assert!(world.store.begin_round("look", at(1_000_000), at(1_000_060)).await?);
    assert!(world.store.begin_round("look", at(0), at(60)).await?);
    assert!(!world.store.begin_round("look", at(1), at(61)).await?);
    Ok(())
}

#[tokio::test]
async fn a_drift_is_new_once_until_it_is_another_or_over() -> Result<()> {
    let world = World::new().await?;
    let (application, target) = (name("mandelbrot")?, name("aws")?);
    let drift = |has: Option<&str>, since| Drift {
        application: application.clone(),
        target: target.clone(),
        released: "sha-1".to_owned(),
        has: has.map(str::to_owned),
        since: at(since),
    };
    assert!(world.store.record_drift(&drift(Some("v1"), 1)).await?);
    assert!(!world.store.record_drift(&drift(Some("v1"), 2)).await?);
    assert_eq!(world.store.drifts().await?, [drift(Some("v1"), 1)]);
    assert!(world.store.record_drift(&drift(None, 3)).await?);
    assert_eq!(world.store.drifts().await?, [drift(None, 3)]);
    assert!(world.store.end_drift(&application, &target).await?);
    assert!(!world.store.end_drift(&application, &target).await?);
    assert_eq!(world.store.drifts().await?, []);
    Ok(())
}

#[tokio::test]
async fn a_release_that_git_tells_of_is_recorded_once_and_is_what_is_deployed() -> Result<()> {
    let world = World::new().await?;
    let (application, gitops, base) = (name("mandelbrot")?, "acme/trinity".parse()?, "main".parse()?);
    let builds = [build(1, 5)?];
    let past = Past {
        application: &application,
        commit: commit(1),
        gitops: &gitops,
        base: &base,
        merge: commit(9),
        merged_at: at(5),
        pull_request: Some((Number(7), "https://forge.example/pull/7".to_owned())),
        builds: &builds,
    };
    assert!(world.store.record_past(&past).await?);
    assert!(!world.store.record_past(&past).await?);
    let release = world.store.deployed(&application).await?.context("nothing is deployed")?;
    let detail = world.store.release(release).await?.context("no release")?;
    assert_eq!((detail.commit, detail.builds.len(), detail.ledger.len()), (commit(1), 1, 1));
    let promotion = &detail.promotions[0];
    assert_eq!(promotion.outcome, Some(Outcome::Merged { commit: Some(commit(9)) }));
    assert_eq!(promotion.pull_request.as_ref().map(|one| one.number), Some(Number(7)));
    assert_eq!(world.store.built(&application, &[commit(1), commit(2)]).await?, [(commit(1), name("aws")?)]);
    assert_eq!(world.store.promoted(&application, &[commit(1), commit(2)]).await?, [commit(1)]);
    assert!(!world.store.is_on_its_way(&application).await?);
    assert_eq!(world.store.next_due(at(0)).await?, None, "there is nothing to do about it");
    Ok(())
}

#[tokio::test]
async fn what_is_known_of_a_release_is_not_told_by_git_again() -> Result<()> {
    let world = World::new().await?;
    world.open(1).await?;
    let (application, gitops, base) = (name("mandelbrot")?, "acme/trinity".parse()?, "main".parse()?);
    let builds = [build(2, 5)?];
    let (merge, merged_at) = (commit(9), at(5));
    let past = Past {
        application: &application,
        commit: commit(1),
        gitops: &gitops,
        base: &base,
        merge,
        merged_at,
        pull_request: None,
        builds: &builds,
    };
    assert!(!world.store.record_past(&past).await?);
    assert_eq!(world.store.deployed(&application).await?, None);
    assert!(world.store.is_on_its_way(&application).await?);
    Ok(())
}
