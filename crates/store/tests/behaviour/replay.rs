use anyhow::{Context as _, Result};
use domain::{
    announcement::{Announcement, Pushed},
    promotion::{Ending, Outcome},
};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _};
use store::{AnnouncementRow, AnnouncementVerdict, Claim, DeliveryId, Element, NewBuild, Replay, Subject};

use crate::{
    place::Place,
    world::{World, at, build, commit, name},
};

fn replay(read_anew: &[Element]) -> Replay<'_> {
    Replay { by: "ci", at: at(100), read_anew }
}

fn of_host(host: &str) -> Result<Element> {
    Ok(Element::Announced(Announcement::Pushed(Pushed {
        repository: format!("{host}/mandelbrot").parse()?,
        tag: "sha-1".parse()?,
        claimed_digest: None,
        run: None,
    })))
}

fn unusable(text: &str) -> Element {
    Element::Unusable { text: text.to_owned(), reason: "it is odd".to_owned() }
}

impl World {
    async fn replay(&self, delivery: DeliveryId, read_anew: &[Element]) -> Result<Option<usize>> {
        Ok(self.store.replay_delivery(delivery, &replay(read_anew)).await?)
    }

    async fn rows(&self, delivery: DeliveryId) -> Result<Vec<AnnouncementRow>> {
        Ok(self.store.delivery(delivery).await?.context("no delivery")?.announcements)
    }

    /// Settles everything that is due.
    async fn ignore_all(&self) -> Result<usize> {
        let mut settled = 0;
        while let Some(claim) = self.store.claim_due(at(100), crate::world::LEASE).await? {
            let verdict = AnnouncementVerdict::Ignored { reason: "no application uses it".to_owned() };
            self.store.settle_announcement(&claim, &verdict).await?;
            settled += 1;
        }
        Ok(settled)
    }
}

#[tokio::test]
async fn what_was_ignored_is_pending_again_and_due_and_says_who_wanted_it() -> Result<()> {
    let world = World::new().await?;
    let delivery = world.deliver("1", vec![of_host("a.example")?, of_host("b.example")?]).await?;
    assert_eq!(world.ignore_all().await?, 2);
    assert_eq!(world.replay(delivery, &[]).await?, Some(2));
    for row in world.rows(delivery).await? {
        assert_eq!((row.verdict.as_str(), row.reason.as_deref()), ("pending", Some("replayed by ci")));
    }
    assert_eq!(world.store.next_due(at(0)).await?, Some(at(100)));
    assert_eq!(world.ignore_all().await?, 2);
    assert_eq!(world.store.next_due(at(200)).await?, None, "work is left over");
    Ok(())
}

#[tokio::test]
async fn a_delivery_that_is_not_there_is_not_replayed() -> Result<()> {
    let world = World::new().await?;
    assert_eq!(world.replay("7".parse()?, &[of_host("a.example")?]).await?, None);
    assert_eq!(world.store.kept("7".parse()?).await?, None);
    assert_eq!(world.store.next_due(at(0)).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_delivery_that_made_room_for_later_ones_is_not_replayed() -> Result<()> {
    let world = World::new().await?;
    let delivery = world.announce("1").await?;
    world.ignore_all().await?;
    let mut connection = AnyConnection::connect(&world.url()).await?;
    connection.execute(AssertSqlSafe(Place::last_delivery(100_000))).await?;
    assert_eq!(world.replay(delivery, &[]).await?, Some(1));
    world.deliver("later", Vec::new()).await?;
    assert_eq!(world.rows(delivery).await?.len(), 1, "one that is to be looked at again is kept");
    world.ignore_all().await?;
    world.deliver("later still", Vec::new()).await?;
    assert_eq!(world.replay(delivery, &[]).await?, None);
    Ok(())
}

#[tokio::test]
async fn what_is_pending_already_stays_as_it_is() -> Result<()> {
    let world = World::new().await?;
    let delivery = world.deliver("1", vec![of_host("a.example")?, of_host("b.example")?]).await?;
    let claim = world.claim(at(0)).await?;
    world.store.explain_announcement(&claim, "the registry does not answer").await?;
    assert_eq!(world.replay(delivery, &[]).await?, Some(0));
    let rows = world.rows(delivery).await?;
    assert_eq!(rows[0].reason.as_deref(), Some("the registry does not answer"));
    assert_eq!(rows[1].reason, None);
    // The claim still holds: nobody else works on it now.
    let verdict = AnnouncementVerdict::Ignored { reason: "no".to_owned() };
    world.store.settle_announcement(&claim, &verdict).await?;
    assert_eq!(world.replay(delivery, &[]).await?, Some(1), "the one that is settled, and not the other");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_replays_at_once_one_does_it() -> Result<()> {
    let world = World::new().await?;
    let delivery = world.deliver("1", vec![of_host("a.example")?, unusable("x")]).await?;
    world.ignore_all().await?;
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let store = world.store.clone();
            tokio::spawn(async move {
                let read_anew = [of_host("b.example")?];
                anyhow::Ok(store.replay_delivery(delivery, &replay(&read_anew)).await?)
            })
        })
        .collect();
    let mut due = Vec::new();
    for task in tasks {
        due.extend(task.await??.filter(|due| *due > 0));
    }
    assert_eq!(due, [2]);
    assert_eq!(world.rows(delivery).await?.len(), 2);
    assert_eq!(world.ignore_all().await?, 2);
    Ok(())
}

#[tokio::test]
async fn what_is_read_now_is_added_and_takes_the_place_of_what_was_unusable() -> Result<()> {
    let world = World::new().await?;
    let delivery = world.deliver("1", vec![unusable("gone"), unusable("stays"), of_host("a.example")?]).await?;
    world.ignore_all().await?;
    let read_anew = [of_host("b.example")?, unusable("stays"), unusable("new")];
    assert_eq!(world.replay(delivery, &read_anew).await?, Some(2));
    let said = |rows: Vec<AnnouncementRow>| -> Vec<(String, String)> {
        rows.into_iter().map(|row| (row.text.or(row.repository).unwrap_or_default(), row.verdict)).collect()
    };
    let expected = [
        ("stays", "unusable"),
        ("a.example/mandelbrot", "pending"),
        ("b.example/mandelbrot", "pending"),
        ("new", "unusable"),
    ]
    .map(|(what, verdict)| (what.to_owned(), verdict.to_owned()));
    assert_eq!(said(world.rows(delivery).await?), expected);
    assert_eq!(world.ignore_all().await?, 2);
    assert_eq!(world.replay(delivery, &read_anew).await?, Some(2), "once more, and nothing is added");
    assert_eq!(said(world.rows(delivery).await?), expected);
    Ok(())
}

#[tokio::test]
async fn a_reading_that_understands_nothing_takes_nothing_away() -> Result<()> {
    let world = World::new().await?;
    let delivery = world.deliver("1", vec![unusable("old"), of_host("a.example")?]).await?;
    world.ignore_all().await?;
    for read_anew in [vec![], vec![unusable("of another kind")]] {
        assert_eq!(world.replay(delivery, &read_anew).await?, Some(1));
        let rows = world.rows(delivery).await?;
        assert_eq!((rows.len(), rows[0].text.as_deref()), (2, Some("old")));
        world.ignore_all().await?;
    }
    let only = world.deliver("2", vec![unusable("old")]).await?;
    assert_eq!(world.replay(only, &[]).await?, Some(0), "nothing of it can be used");
    assert_eq!(world.store.next_due(at(200)).await?, None);
    Ok(())
}

#[tokio::test]
async fn the_body_is_kept_as_it_came() -> Result<()> {
    let world = World::new().await?;
    let delivery = world.announce("1").await?;
    let kept = world.store.kept(delivery).await?.context("it is gone")?;
    assert_eq!((kept.sender.as_str(), kept.body.as_deref()), ("ecr-prod", Some(b"{}".as_slice())));
    Ok(())
}

/// Accepts an announcement as intake does; whether a promotion was opened.
async fn record(world: &World, claim: &Claim) -> Result<bool> {
    let new = NewBuild {
        application: &name("mandelbrot")?,
        commit: commit(1),
        gitops: &"acme/trinity".parse()?,
        base: &"main".parse()?,
        build: &build(1, 100)?,
        told: true,
    };
    let recorded = world.store.record_build(claim, &new).await?;
    assert!(!recorded.new_build);
    let verdict = AnnouncementVerdict::Accepted { reason: "again".to_owned(), release: Some(recorded.release) };
    world.store.settle_announcement(claim, &verdict).await?;
    Ok(recorded.promotion.is_some())
}

/// Replays the delivery of an accepted build and accepts it again; whether a promotion was opened.
async fn accept_again(world: &World, delivery: DeliveryId) -> Result<bool> {
    assert_eq!(world.replay(delivery, &[]).await?, Some(1));
    let claim = loop {
        let claim = world.claim(at(100)).await?;
        if matches!(claim.subject, Subject::Announcement(_)) {
            break claim;
        }
    };
    record(world, &claim).await
}

#[tokio::test]
async fn what_was_accepted_gets_no_second_release_build_or_promotion_however_the_first_ended() -> Result<()> {
    let ended = |ending| Some(Outcome::Ended(ending));
    for outcome in [
        None,
        Some(Outcome::Merged { commit: None }),
        Some(Outcome::Declined),
        ended(Ending::AlreadyCurrent),
        ended(Ending::Refused { why: "a tag was moved".to_owned() }),
        ended(Ending::Superseded { by: commit(2) }),
    ] {
        let world = World::new().await?;
        let (_, claim) = world.open_and_claim(1).await?;
        if let Some(outcome) = &outcome {
            world.store.settle(&claim, outcome, at(1)).await?;
        }
        let deliveries = world.store.deliveries(None, 9).await?;
        let [delivery] = deliveries.as_slice() else { anyhow::bail!("one was expected: {deliveries:?}") };
        for _ in 0..2 {
            assert!(!accept_again(&world, delivery.id).await?, "{outcome:?}");
        }
        let releases = world.store.releases(None, None, 9).await?;
        let [release] = releases.as_slice() else { anyhow::bail!("one was expected: {releases:?}") };
        let detail = world.store.release(release.release).await?.context("no release")?;
        assert_eq!((detail.builds.len(), detail.promotions.len()), (1, 1), "{outcome:?}");
        let replayed: Vec<_> = detail.ledger.iter().filter(|row| row.what == "replayed").collect();
        assert_eq!(replayed.len(), 2);
        assert_eq!(replayed[0].why, format!("delivery {} was replayed by ci", delivery.id));
    }
    Ok(())
}

#[tokio::test]
async fn what_is_read_otherwise_by_a_replay_is_no_new_push_of_an_accepted_release() -> Result<()> {
    let world = World::new().await?;
    let (_, claim) = world.open_and_claim(1).await?;
    world.store.settle(&claim, &Outcome::Ended(Ending::Superseded { by: commit(2) }), at(1)).await?;
    let delivery = world.store.deliveries(None, 1).await?[0].id;
    // The same tag without its digest, and the same image under another name.
    let read_anew = [of_host("registry.example")?, of_host("mirror.example")?];
    assert_eq!(world.replay(delivery, &read_anew).await?, Some(2));
    assert_eq!(world.rows(delivery).await?.len(), 2);
    for _ in 0..2 {
        let claim = world.claim(at(100)).await?;
        assert!(!record(&world, &claim).await?);
    }
    Ok(())
}

#[tokio::test]
async fn an_image_that_is_pushed_again_after_a_replay_is_still_a_new_push() -> Result<()> {
    let world = World::new().await?;
    let (_, claim) = world.open_and_claim(1).await?;
    world.store.settle(&claim, &Outcome::Ended(Ending::Superseded { by: commit(2) }), at(1)).await?;
    let delivery = world.store.deliveries(None, 1).await?[0].id;
    assert!(!accept_again(&world, delivery).await?);
    assert!(world.found(commit(1), &build(1, 200)?, "acme/trinity").await?.promotion.is_some());
    Ok(())
}
