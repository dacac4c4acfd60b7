use anyhow::{Context as _, Result};
use domain::promotion::{Ending, Outcome};
use store::{Attempts, NewBuild, PromotionId, Subject};

use crate::world::{LEASE, World, at, build, commit, name};

fn superseded_by(byte: u8) -> Outcome {
    Outcome::Ended(Ending::Superseded { by: commit(byte) })
}

fn refused() -> Outcome {
    Outcome::Ended(Ending::Refused { why: "a tag was moved".to_owned() })
}

/// Settles the promotion that is due next, and gives the one that was opened for it.
async fn settle(world: &World, seconds: i64, outcome: &Outcome) -> Result<Option<PromotionId>> {
    let claim = world.claim(at(seconds)).await?;
    world.store.settle(&claim, outcome, at(seconds)).await?;
    let Some(next) = world.store.claim_due(at(seconds), LEASE).await? else { return Ok(None) };
    world.store.hand_back(&next, at(seconds), Attempts::Reset).await?;
    match next.subject {
        Subject::Promotion(promotion) => Ok(Some(promotion)),
        Subject::Announcement(_) => Ok(None),
    }
}

#[tokio::test]
async fn what_a_release_superseded_is_opened_again_when_that_does_not_land() -> Result<()> {
    for outcome in [Outcome::Declined, refused()] {
        let world = World::new().await?;
        let (first, claim) = world.open_and_claim(1).await?;
        world.store.settle(&claim, &superseded_by(2), at(1)).await?;
        world.open(2).await?;
        let reopened = settle(&world, 5, &outcome).await?.context("it was not opened again")?;
        assert_ne!(reopened, first);
        let reopened = world.store.promotion(reopened).await?;
        assert_eq!((reopened.commit, reopened.outcome, reopened.opened_at), (commit(1), None, at(5)));
        assert_eq!((reopened.gitops.to_string().as_str(), reopened.base.as_str()), ("acme/trinity", "main"));
        let ledger = world.store.release(reopened.release).await?.context("no release")?.ledger;
        let opened = ledger.last().context("an empty ledger")?;
        assert_eq!(opened.what, "opened");
        assert_eq!(
            opened.why,
            "release 0101010 is to go to acme/trinity after all: 0202020 took its place and did not land"
        );
    }
    Ok(())
}

#[tokio::test]
async fn what_a_release_superseded_stays_so_when_that_lands_or_gives_way_itself() -> Result<()> {
    let landed = Outcome::Merged { commit: None };
    for outcome in [landed, Outcome::Ended(Ending::AlreadyCurrent), superseded_by(3)] {
        let world = World::new().await?;
        let (_, claim) = world.open_and_claim(1).await?;
        world.store.settle(&claim, &superseded_by(2), at(1)).await?;
        world.open(2).await?;
        assert_eq!(settle(&world, 5, &outcome).await?, None, "{outcome}");
    }
    Ok(())
}

#[tokio::test]
async fn only_the_newest_of_several_that_were_superseded_is_opened_again() -> Result<()> {
    let world = World::new().await?;
    for byte in [1, 2] {
        let (_, claim) = world.open_and_claim(byte).await?;
        world.store.settle(&claim, &superseded_by(3), at(1)).await?;
    }
    world.open(3).await?;
    let reopened = settle(&world, 5, &Outcome::Declined).await?.context("none was opened again")?;
    assert_eq!(world.store.promotion(reopened).await?.commit, commit(2));
    settle(&world, 6, &Outcome::Merged { commit: None }).await?;
    assert_eq!(world.store.next_due(at(6)).await?, None);
    Ok(())
}

#[tokio::test]
async fn what_has_had_another_chance_since_is_not_opened_again() -> Result<()> {
    let world = World::new().await?;
    let (_, claim) = world.open_and_claim(1).await?;
    world.store.settle(&claim, &superseded_by(2), at(1)).await?;
    // Pushed again, it has another chance, which lands.
    world.found(commit(1), &build(1, 2)?, "acme/trinity").await?;
    assert_eq!(settle(&world, 3, &Outcome::Merged { commit: None }).await?, None);
    world.open(2).await?;
    assert_eq!(settle(&world, 5, &Outcome::Declined).await?, None);
    Ok(())
}

#[tokio::test]
async fn what_another_application_or_repository_superseded_is_not_opened_again() -> Result<()> {
    let world = World::new().await?;
    world.found(commit(1), &build(1, 0)?, "acme/other").await?;
    settle(&world, 1, &superseded_by(2)).await?;
    world.open(2).await?;
    assert_eq!(settle(&world, 5, &Outcome::Declined).await?, None);
    Ok(())
}

#[tokio::test]
async fn an_announcement_that_is_looked_at_again_after_a_crash_is_no_new_push() -> Result<()> {
    let world = World::new().await?;
    world.open(1).await?;
    world.announce("of another target").await?;
    let promotion = world.claim(at(0)).await?;
    let announcement = world.claim(at(0)).await?;
    let (application, gitops, base) = (name("mandelbrot")?, "acme/trinity".parse()?, "main".parse()?);
    let mut found = build(2, 1)?;
    found.target = name("gcp")?;
    let new = NewBuild {
        application: &application,
        commit: commit(1),
        gitops: &gitops,
        base: &base,
        build: &found,
        told: true,
    };
    world.store.record_build(&announcement, &new).await?;
    world.store.settle(&promotion, &superseded_by(2), at(2)).await?;
    // What it found is on disk, and that it is settled is not.
    let again = world.claim(at(61)).await?;
    assert_eq!(again.subject, announcement.subject);
    assert_eq!(world.store.record_build(&again, &new).await?.promotion, None);
    Ok(())
}
