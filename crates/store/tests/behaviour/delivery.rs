use anyhow::Result;
use domain::announcement::{Announcement, BuildRun, Haste, Moved, Pushed};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _};
use store::{AnnouncementVerdict, Element, Error, NewDelivery, Recorded, Subject};

use crate::{
    place::Place,
    world::{World, at, build, commit, pushed, refused},
};

fn delivery<'a>(sender: &'a str, id: &'a str, elements: Vec<Element>) -> NewDelivery<'a> {
    NewDelivery { sender, sender_delivery_id: id, received_at: at(0), body: b"\x00\xff{", elements }
}

#[tokio::test]
async fn a_second_delivery_with_the_same_id_is_ignored() -> Result<()> {
    let world = World::new().await?;
    let new = delivery("ecr", "1", vec![Element::Announced(pushed()?)]);
    let Recorded::New(first) = world.store.record_delivery(&new).await? else {
        anyhow::bail!("the first was not new");
    };
    assert_eq!(world.store.record_delivery(&new).await?, Recorded::Repeated(first));
    let other = delivery("acr", "1", Vec::new());
    assert!(matches!(world.store.record_delivery(&other).await?, Recorded::New(_)));
    world.claim(at(0)).await?;
    assert_eq!(world.store.claim_due(at(0), std::time::Duration::ZERO).await?, None, "the repetition left work");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_deliveries_with_the_same_id_at_once_one_is_new() -> Result<()> {
    let world = World::new().await?;
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let store = world.store.clone();
            tokio::spawn(async move {
                let new = delivery("ecr", "same", vec![Element::Announced(pushed()?)]);
                Ok::<_, anyhow::Error>(store.record_delivery(&new).await?)
            })
        })
        .collect();
    let mut new = 0;
    for task in tasks {
        new += u32::from(matches!(task.await??, Recorded::New(_)));
    }
    assert_eq!(new, 1);
    assert_eq!(world.store.deliveries(None, 100).await?.len(), 1);
    Ok(())
}

fn run(workflow: &str) -> BuildRun {
    BuildRun { workflow: workflow.to_owned(), url: format!("https://forge.example/{workflow}") }
}

#[tokio::test]
async fn what_runs_have_posted_of_the_images_of_a_release_is_known() -> Result<()> {
    let world = World::new().await?;
    let Announcement::Pushed(unproven) = pushed()? else { anyhow::bail!("a pushed tag was expected") };
    let proven = Pushed { run: Some(run("release.yml")), ..unproven.clone() };
    let later = Pushed { claimed_digest: None, run: Some(run("again.yml")), ..unproven.clone() };
    let of_another = Pushed { tag: "sha-2".parse()?, ..proven.clone() };
    for (id, one) in [("1", unproven), ("2", proven), ("3", of_another), ("4", later)] {
        world.deliver(id, vec![Element::Announced(Announcement::Pushed(one))]).await?;
    }
    let release = world.found(commit(1), &build(1, 0)?, "acme/trinity").await?.release;
    let reports = world.store.builder_reports(release).await?;
    let told: Vec<_> = reports.iter().map(|one| (one.workflow.as_str(), one.digest.is_some())).collect();
    assert_eq!(told, [("release.yml", true), ("again.yml", false)]);
    assert!(reports.iter().all(|one| one.reference == build(1, 0).expect("it is a build").reference));
    Ok(())
}

#[tokio::test]
async fn an_announcement_reads_back_as_it_was_understood() -> Result<()> {
    let world = World::new().await?;
    let moved = |about: &str, haste| {
        anyhow::Ok(Announcement::Moved(Moved { repository: "acme/trinity".parse()?, about: about.parse()?, haste }))
    };
    let Announcement::Pushed(mut bare) = pushed()? else {
        anyhow::bail!("a pushed tag was expected");
    };
    bare.claimed_digest = None;
    let built = Pushed { run: Some(run("release.yml")), ..bare.clone() };
    for (id, announcement) in [
        ("1", pushed()?),
        ("2", moved("repository", Haste::Now)?),
        ("3", moved("branch release/1", Haste::Soon)?),
        ("6", moved("pull-request 7", Haste::Now)?),
        ("7", moved(&format!("commit {}", commit(1)), Haste::Now)?),
        ("4", Announcement::Pushed(bare)),
        ("5", Announcement::Pushed(built)),
    ] {
        let delivery = world.deliver(id, vec![Element::Announced(announcement.clone())]).await?;
        let claim = world.claim(at(0)).await?;
        let Subject::Announcement(subject) = claim.subject else {
            anyhow::bail!("an announcement was expected");
        };
        let announced = world.store.announcement(subject).await?;
        assert_eq!(announced.announcement, announcement);
        assert_eq!((announced.delivery, announced.received_at), (delivery, at(0)));
        assert_eq!(announced.sender, "ecr-prod");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_unusable_is_kept_within_bounds_beside_the_good_and_makes_no_work() -> Result<()> {
    let world = World::new().await?;
    let unusable = Element::Unusable { text: "é".repeat(10_000), reason: "a\0b".to_owned() };
    let id = world.deliver("1", vec![unusable, Element::Announced(pushed()?)]).await?;
    let row = world.store.delivery(id).await?.expect("it was recorded");
    let bad = &row.announcements[0];
    assert_eq!((bad.kind.as_str(), bad.verdict.as_str()), ("unusable", "unusable"));
    assert_eq!(bad.text.as_ref().map(String::len), Some(400));
    assert_eq!(bad.reason.as_deref(), Some("a\u{fffd}b"));
    assert_eq!(row.announcements[1].verdict, "pending");
    world.claim(at(0)).await?;
    assert_eq!(world.store.claim_due(at(0), crate::world::LEASE).await?, None);
    Ok(())
}

#[tokio::test]
async fn what_is_of_no_interest_is_kept_with_its_reason_and_makes_no_work() -> Result<()> {
    let world = World::new().await?;
    let reason = "no application uses it".to_owned();
    let id = world.deliver("1", vec![Element::Ignored { announcement: pushed()?, reason }]).await?;
    let row = world.store.delivery(id).await?.expect("it was recorded");
    let ignored = &row.announcements[0];
    assert_eq!((ignored.kind.as_str(), ignored.verdict.as_str()), ("pushed", "ignored"));
    assert_eq!(ignored.reason.as_deref(), Some("no application uses it"));
    assert!(ignored.repository.is_some() && ignored.tag.is_some());
    assert_eq!(world.store.next_due(at(0)).await?, None);
    Ok(())
}

#[tokio::test]
async fn a_settled_announcement_says_what_became_of_it_and_leaves_no_work() -> Result<()> {
    let world = World::new().await?;
    let reason = "for a reason".to_owned();
    for (word, verdict) in [
        ("ignored", AnnouncementVerdict::Ignored { reason: reason.clone() }),
        ("accepted", AnnouncementVerdict::Accepted { reason: reason.clone(), release: None }),
    ] {
        let id = world.announce(word).await?;
        let claim = world.claim(at(0)).await?;
        world.store.settle_announcement(&claim, &verdict).await?;
        let row = world.store.delivery(id).await?.expect("it was recorded");
        assert_eq!(row.announcements[0].verdict, word);
        assert_eq!(row.announcements[0].reason.as_deref(), Some("for a reason"));
        assert_eq!(world.store.next_due(at(0)).await?, None, "{word} left work");
    }
    Ok(())
}

#[tokio::test]
async fn a_pending_announcement_says_why() -> Result<()> {
    let world = World::new().await?;
    let id = world.announce("x").await?;
    let claim = world.claim(at(0)).await?;
    world.store.explain_announcement(&claim, "the registry does not answer").await?;
    let row = world.store.delivery(id).await?.expect("it was recorded");
    assert_eq!(row.announcements[0].verdict, "pending");
    assert_eq!(row.announcements[0].reason.as_deref(), Some("the registry does not answer"));
    world.claim(at(3600)).await?;
    let late = world.store.explain_announcement(&claim, "too late").await;
    assert!(matches!(late, Err(Error::ClaimLost)), "{late:?}");
    Ok(())
}

#[tokio::test]
async fn a_delivery_id_that_can_not_be_kept_whole_is_refused() -> Result<()> {
    let world = World::new().await?;
    let id = "x".repeat(513);
    let result = world.store.record_delivery(&delivery("ecr", &id, Vec::new())).await;
    assert!(matches!(result, Err(Error::TooLong { longest: 512, .. })));
    refused(result, "TooLong")
}

#[tokio::test]
async fn the_hundred_thousandth_delivery_after_a_settled_one_takes_its_place() -> Result<()> {
    let world = World::new().await?;
    world.found(commit(1), &build(1, 0)?, "acme/trinity").await?;
    let pending = world.announce("pending").await?;
    let release = world.store.releases(None, None, 9).await?;
    let mut connection = AnyConnection::connect(&world.url()).await?;
    connection.execute(AssertSqlSafe(Place::last_delivery(99_999))).await?;
    let kept = async || Ok::<_, Error>(world.store.deliveries(None, 9).await?.len());
    world.deliver("100000", Vec::new()).await?;
    assert_eq!(kept().await?, 3);
    world.deliver("100001", Vec::new()).await?;
    assert_eq!(kept().await?, 3, "the first is gone");
    world.deliver("100002", Vec::new()).await?;
    assert_eq!(kept().await?, 4);
    assert!(world.store.delivery(pending).await?.is_some(), "what is pending is never deleted");
    assert_eq!(world.store.releases(None, None, 9).await?, release);
    Ok(())
}
