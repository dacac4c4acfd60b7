//! Which deliveries make room.

use domain::announcement::{About, Announcement, Haste, Moved};
use sqlx::Row as _;

use super::*;
use crate::{AnnouncementVerdict, Element, NewDelivery, Recorded};

struct World {
    store: Store,
    _directory: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("t.db").display());
        let store = Store::open(&url, DateTime::UNIX_EPOCH).await.unwrap();
        Self { store, _directory: directory }
    }

    /// Records so many deliveries with two announcements each; the first has the key 1.
    async fn deliver(&self, count: u32) {
        let moved = || {
            Element::Announced(Announcement::Moved(Moved {
                repository: "acme/trinity".parse().unwrap(),
                about: About::Repository,
                haste: Haste::Now,
            }))
        };
        for number in 0..count {
            let new = NewDelivery {
                sender: "github",
                sender_delivery_id: &number.to_string(),
                received_at: DateTime::<Utc>::UNIX_EPOCH,
                body: b"{}",
                elements: vec![moved(), moved()],
            };
            assert!(matches!(self.store.record_delivery(&new).await.unwrap(), Recorded::New(_)));
        }
    }

    /// Settles so many announcements, oldest first.
    async fn settle(&self, count: u32) {
        let (now, lease) = (DateTime::<Utc>::UNIX_EPOCH, std::time::Duration::from_secs(60));
        let ignored = AnnouncementVerdict::Ignored { reason: "for a reason".to_owned() };
        for _ in 0..count {
            let claim = self.store.claim_due(now, lease).await.unwrap().unwrap();
            self.store.settle_announcement(&claim, &ignored).await.unwrap();
        }
    }

    async fn delete_oldest(&self, newest: i64, most: i64) {
        let mut transaction = self.store.write().await.unwrap();
        delete_oldest(&mut transaction, crate::Id::new(newest), crate::Id::new(newest), most).await.unwrap();
        transaction.commit().await.unwrap();
    }

    /// The keys of what is kept, newest first; each delivery has both announcements and none is left over.
    async fn kept(&self) -> Vec<i64> {
        let deliveries = self.store.deliveries(None, 100).await.unwrap();
        let row = sqlx::query("select count(*) from announcements")
            .fetch_one(&mut *self.store.read().await.unwrap())
            .await
            .unwrap();
        assert_eq!(row.get::<i64, _>(0), 2 * i64::try_from(deliveries.len()).unwrap());
        deliveries.iter().map(|delivery| delivery.id.key()).collect()
    }
}

#[tokio::test]
async fn the_oldest_settled_deliveries_make_room_with_their_announcements() {
    let world = World::new().await;
    world.deliver(5).await;
    world.settle(10).await;
    world.delete_oldest(5, 5).await;
    assert_eq!(world.kept().await, [5, 4, 3, 2, 1]);
    world.delete_oldest(5, 3).await;
    assert_eq!(world.kept().await, [5, 4, 3]);
}

#[tokio::test]
async fn one_with_pending_work_is_kept_until_that_is_settled() {
    let world = World::new().await;
    world.deliver(4).await;
    world.settle(3).await;
    world.delete_oldest(4, 1).await;
    assert_eq!(world.kept().await, [4, 3, 2], "one announcement of the second is pending");
    world.settle(1).await;
    world.delete_oldest(4, 1).await;
    assert_eq!(world.kept().await, [4, 3]);
}

#[tokio::test]
async fn one_with_claimed_work_is_kept() {
    let world = World::new().await;
    world.deliver(2).await;
    world.settle(1).await;
    let claim = world.store.claim_due(DateTime::<Utc>::UNIX_EPOCH, std::time::Duration::from_secs(60)).await.unwrap();
    world.delete_oldest(2, 1).await;
    assert_eq!(world.kept().await, [2, 1]);
    let ignored = AnnouncementVerdict::Ignored { reason: "for a reason".to_owned() };
    world.store.settle_announcement(&claim.unwrap(), &ignored).await.unwrap();
}

#[tokio::test]
async fn however_many_are_stuck_the_one_that_grows_too_old_makes_room() {
    let world = World::new().await;
    world.deliver(30).await;
    // Work for all but the newest eight.
    let mut writer = world.store.write().await.unwrap();
    sqlx::query("delete from work where subject_id > 44").execute(&mut *writer).await.unwrap();
    writer.commit().await.unwrap();
    for newest in 24..=30 {
        world.delete_oldest(newest, 1).await;
    }
    let kept = world.kept().await;
    assert_eq!((kept.len(), kept[0], kept[1]), (23, 30, 22));
}

#[tokio::test]
async fn a_backlog_shrinks_a_few_at_a_time() {
    let world = World::new().await;
    world.deliver(20).await;
    world.settle(40).await;
    world.delete_oldest(20, 2).await;
    assert_eq!(world.kept().await, [20, 19, 17, 16, 15, 14, 13, 12, 11, 10, 9]);
    world.delete_oldest(20, 2).await;
    world.delete_oldest(20, 2).await;
    assert_eq!(world.kept().await, [20, 19]);
}
