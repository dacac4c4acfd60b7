use anyhow::Result;
use domain::{
    evidence::{Kind, Outcome},
    forge::Number,
    promotion::{self, Ending},
};
use store::{AnnouncementVerdict, Attempts, Claim, NewBuild, Note, PushedHead, Store};

use crate::world::{LEASE, World, at, build, commit, evidence, name, refused};

const HEAD: fn() -> PushedHead = || PushedHead { commit: commit(7), base: commit(8) };

/// Tries everything that records under a claim, and expects every call to be refused.
pub(crate) async fn records_nothing(store: &Store, claim: &Claim) -> Result<()> {
    let (now, lost) = (at(500), "ClaimLost");
    let note = Note { what: "armed", why: "x".to_owned(), link: None };
    let passed = [evidence(Kind::Tag, Outcome::Passed, "x")];
    let declined = promotion::Outcome::Declined;
    let ignored = AnnouncementVerdict::Ignored { reason: "x".to_owned() };
    let build = NewBuild {
        application: &name("mandelbrot")?,
        commit: commit(9),
        gitops: &"acme/trinity".parse()?,
        base: &"main".parse()?,
        build: &build(9, 0)?,
        told: true,
    };
    refused(store.hand_back(claim, now, Attempts::Reset).await, lost)?;
    refused(store.settle_announcement(claim, &ignored).await, lost)?;
    refused(store.record_build(claim, &build).await, lost)?;
    refused(store.record_evidence(claim, &passed, Some("x"), now).await, lost)?;
    refused(store.take_slot(claim, now).await, lost)?;
    refused(store.record_head(claim, HEAD(), now).await, lost)?;
    refused(store.record_pull_request(claim, Number(1), "x", now).await, lost)?;
    refused(store.note(claim, &note, now).await, lost)?;
    refused(store.record_closing(claim, &Ending::AlreadyCurrent, now).await, lost)?;
    refused(store.settle(claim, &declined, now).await, lost)
}

#[tokio::test]
async fn once_another_has_claimed_a_promotion_the_first_records_nothing() -> Result<()> {
    let world = World::new().await?;
    let (id, first) = world.open_and_claim(1).await?;
    let before = (world.store.promotion(id).await?, world.store.releases(None, None, 9).await?);
    let second = world.claim(at(61)).await?;
    assert_eq!(second.subject, first.subject);
    records_nothing(&world.store, &first).await?;
    let after = (world.store.promotion(id).await?, world.store.releases(None, None, 9).await?);
    assert_eq!(after, before);
    world.store.take_slot(&second, at(62)).await?;
    Ok(())
}

#[tokio::test]
async fn once_another_has_claimed_an_announcement_the_first_records_nothing() -> Result<()> {
    let world = World::new().await?;
    let delivery = world.announce("1").await?;
    let first = world.claim(at(0)).await?;
    let _second = world.claim(at(61)).await?;
    records_nothing(&world.store, &first).await?;
    let row = world.store.delivery(delivery).await?.expect("it was recorded");
    assert_eq!(row.announcements[0].verdict, "pending");
    assert_eq!(world.store.releases(None, None, 9).await?, []);
    Ok(())
}

#[tokio::test]
async fn a_claim_that_is_renewed_holds_for_another_lease_and_once_it_passed_on_it_can_not_be() -> Result<()> {
    let world = World::new().await?;
    let (_, first) = world.open_and_claim(1).await?;
    world.store.renew(&first, at(50), LEASE).await?;
    assert_eq!(world.store.claim_due(at(100), LEASE).await?, None);
    let second = world.claim(at(110)).await?;
    refused(world.store.renew(&first, at(111), LEASE).await, "ClaimLost")?;
    world.store.hand_back(&second, at(111), Attempts::Reset).await?;
    refused(world.store.renew(&second, at(111), LEASE).await, "ClaimLost")
}

#[tokio::test]
async fn no_lease_is_longer_than_the_longest() -> Result<()> {
    let world = World::new().await?;
    let (_, claim) = world.open_and_claim(1).await?;
    world.store.renew(&claim, at(0), std::time::Duration::from_secs(1_000_000)).await?;
    assert_eq!(world.store.claim_due(at(599), LEASE).await?, None);
    assert_eq!(world.claim(at(600)).await?.subject, claim.subject);
    Ok(())
}

#[tokio::test]
async fn a_claim_on_one_kind_of_work_does_not_record_for_the_other() -> Result<()> {
    let world = World::new().await?;
    world.announce("1").await?;
    let announcement = world.claim(at(0)).await?;
    refused(world.store.take_slot(&announcement, at(0)).await, "ClaimLost")?;
    let (_, promotion) = World::new().await?.open_and_claim(1).await?;
    let ignored = AnnouncementVerdict::Ignored { reason: "x".to_owned() };
    refused(world.store.settle_announcement(&promotion, &ignored).await, "ClaimLost")
}

#[tokio::test]
async fn a_lease_that_ended_without_another_claim_still_records() -> Result<()> {
    let world = World::new().await?;
    let (id, claim) = world.open_and_claim(1).await?;
    world.store.record_head(&claim, HEAD(), at(500)).await?;
    assert_eq!(world.store.promotion(id).await?.heads, [HEAD()]);
    Ok(())
}
