use anyhow::{Context as _, Result};
use domain::{
    forge::Number,
    promotion::{Ending, Outcome},
};
use store::Subject;

use crate::world::{World, at, build, commit};

const GITOPS: &str = "acme/trinity";

#[tokio::test]
async fn the_first_build_opens_a_promotion_and_its_repetition_changes_nothing() -> Result<()> {
    let world = World::new().await?;
    let first = world.found(commit(1), &build(1, 0)?, GITOPS).await?;
    assert!(first.new_build);
    let promotion = first.promotion.context("none was opened")?;
    let again = world.found(commit(1), &build(1, 5)?, GITOPS).await?;
    assert_eq!((again.release, again.new_build, again.promotion), (first.release, false, None));
    assert_eq!(world.store.builds(first.release).await?, [build(1, 0)?]);
    let claim = world.claim(at(0)).await?;
    assert_eq!(claim.subject, Subject::Promotion(promotion));
    Ok(())
}

#[tokio::test]
async fn a_build_of_another_target_joins_the_release_and_wakes_its_promotion() -> Result<()> {
    let world = World::new().await?;
    let (promotion, claim) = world.open_and_claim(1).await?;
    world.store.hand_back(&claim, at(900), store::Attempts::Reset).await?;
    let mut other = build(1, 3)?;
    other.target = "gcp".parse()?;
    let recorded = world.found(commit(1), &other, GITOPS).await?;
    assert!(recorded.new_build && recorded.promotion.is_none());
    assert_eq!(world.store.builds(recorded.release).await?, [build(1, 0)?, other]);
    assert_eq!(world.claim(at(3)).await?.subject, Subject::Promotion(promotion));
    Ok(())
}

#[tokio::test]
async fn a_tag_that_was_moved_and_moved_back_has_its_newest_build_last() -> Result<()> {
    let world = World::new().await?;
    let release = world.found(commit(1), &build(1, 0)?, GITOPS).await?.release;
    for (build, new) in [(build(2, 10)?, true), (build(2, 11)?, false), (build(1, 20)?, true), (build(2, 15)?, false)] {
        assert_eq!(world.found(commit(1), &build, GITOPS).await?.new_build, new);
    }
    assert_eq!(world.store.builds(release).await?, [build(2, 10)?, build(1, 20)?]);
    Ok(())
}

#[tokio::test]
async fn a_refused_release_is_opened_again_by_a_new_build_only() -> Result<()> {
    let world = World::new().await?;
    let (refused, claim) = world.open_and_claim(1).await?;
    world.store.record_pull_request(&claim, Number(7), "https://x/7", at(1)).await?;
    let why = "no image in gcp".to_owned();
    let outcome = Outcome::Ended(Ending::Refused { why });
    world.store.settle(&claim, &outcome, at(1)).await?;
    assert_eq!(world.found(commit(1), &build(1, 5)?, GITOPS).await?.promotion, None);
    let mut other = build(1, 9)?;
    other.target = "gcp".parse()?;
    let reopened = world.found(commit(1), &other, GITOPS).await?;
    let promotion = reopened.promotion.context("it was not opened again")?;
    assert_ne!(promotion, refused);
    let promotion = world.store.promotion(promotion).await?;
    assert_eq!(promotion.outcome, None);
    assert_eq!(world.store.other_pull_requests(&promotion).await?, [Number(7)]);
    assert_eq!(world.store.rivals(&promotion).await?, []);
    Ok(())
}

#[tokio::test]
async fn what_ended_otherwise_is_not_opened_again_by_a_new_build() -> Result<()> {
    for outcome in [Outcome::Declined, Outcome::Merged { commit: None }, Outcome::Ended(Ending::AlreadyCurrent)] {
        let world = World::new().await?;
        let (_, claim) = world.open_and_claim(1).await?;
        world.store.settle(&claim, &outcome, at(1)).await?;
        let recorded = world.found(commit(1), &build(2, 9)?, GITOPS).await?;
        assert!(recorded.new_build);
        assert_eq!(recorded.promotion, None, "{outcome}");
        assert_eq!(world.store.next_due(at(9)).await?, None, "work was left over");
    }
    Ok(())
}

#[tokio::test]
async fn a_superseded_release_is_opened_again_by_an_image_that_is_pushed_again_only() -> Result<()> {
    let world = World::new().await?;
    let superseded = Outcome::Ended(Ending::Superseded { by: commit(2) });
    let (first, claim) = world.open_and_claim(1).await?;
    world.store.settle(&claim, &superseded, at(1)).await?;
    let mut late = build(1, 3)?;
    late.target = "gcp".parse()?;
    assert_eq!(world.found(commit(1), &late, GITOPS).await?.promotion, None, "it is the target's first");
    let by_us = world.found_as(commit(1), &build(1, 8)?, GITOPS, false).await?;
    assert_eq!(by_us.promotion, None, "nobody pushed it");
    let again = world.found(commit(1), &build(1, 9)?, GITOPS).await?;
    let second = again.promotion.context("it was not opened again")?;
    assert!(!again.new_build && second != first);
    assert_eq!(world.store.promotion(second).await?.opened_at, at(9));
    assert_eq!(world.found(commit(1), &build(1, 10)?, GITOPS).await?.promotion, None, "it is on its way");

    let claim = world.claim(at(9)).await?;
    world.store.settle(&claim, &superseded, at(11)).await?;
    let moved = world.found(commit(1), &build(7, 12)?, GITOPS).await?;
    assert!(moved.promotion.is_some(), "another digest is a push as well");
    Ok(())
}

#[tokio::test]
async fn a_superseded_release_stays_so_when_somebody_tells_of_what_we_came_across_before() -> Result<()> {
    let world = World::new().await?;
    let found = world.found_as(commit(1), &build(1, 0)?, GITOPS, false).await?;
    let claim = world.claim(at(0)).await?;
    assert_eq!(found.promotion.map(Subject::Promotion), Some(claim.subject));
    world.store.settle(&claim, &Outcome::Ended(Ending::Superseded { by: commit(2) }), at(1)).await?;
    assert_eq!(world.found(commit(1), &build(1, 2)?, GITOPS).await?.promotion, None, "it is the first that is told of");
    assert!(world.found(commit(1), &build(1, 3)?, GITOPS).await?.promotion.is_some(), "it was pushed again");
    Ok(())
}

#[tokio::test]
async fn a_build_that_comes_while_its_release_is_refused_is_looked_at_first() -> Result<()> {
    let world = World::new().await?;
    let (promotion, claim) = world.open_and_claim(1).await?;
    let mut late = build(1, 3)?;
    late.target = "gcp".parse()?;
    world.found(commit(1), &late, GITOPS).await?;
    let refused = Outcome::Ended(Ending::Refused { why: "no image in gcp".to_owned() });
    let result = world.store.settle(&claim, &refused, at(4)).await;
    assert!(matches!(result, Err(store::Error::Woken)), "{result:?}");
    assert_eq!(world.store.promotion(promotion).await?.outcome, None);

    // The next look knows the build; what it decides then is recorded.
    world.store.hand_back(&claim, at(900), store::Attempts::Failed).await?;
    let claim = world.claim(at(5)).await?;
    world.store.settle(&claim, &refused, at(6)).await?;
    assert_eq!(world.store.promotion(promotion).await?.outcome, Some(refused));
    Ok(())
}

#[tokio::test]
async fn promotions_of_a_release_know_the_heads_of_each_other() -> Result<()> {
    let world = World::new().await?;
    let (promotion, claim) = world.open_and_claim(1).await?;
    let head = |byte| store::PushedHead { commit: commit(byte), base: commit(9) };
    world.store.record_head(&claim, head(21), at(1)).await?;
    let refused = Outcome::Ended(Ending::Refused { why: "a tag was moved".to_owned() });
    world.store.settle(&claim, &refused, at(2)).await?;
    let mut other = build(1, 9)?;
    other.target = "gcp".parse()?;
    let second = world.found(commit(1), &other, GITOPS).await?.promotion.context("none was opened")?;
    assert_ne!(second, promotion);
    let claim = world.claim(at(9)).await?;
    world.store.record_head(&claim, head(22), at(10)).await?;
    let release = world.store.promotion(second).await?.release;
    let mut heads = world.store.heads_of_release(release).await?;
    heads.sort();
    assert_eq!(heads, [commit(21), commit(22)]);
    assert_eq!(world.store.promotion(second).await?.heads, [head(22)]);
    Ok(())
}
