//! Who shares a transaction, and what becomes of the others when one fails. On a runtime of one thread all that is
//! polled together waits together.

use domain::announcement::{About, Announcement, Haste, Moved};
use futures_util::future::join_all;
use sqlx::{AssertSqlSafe, Executor as _};

use super::*;
use crate::{DeliveryId, Store};

struct World {
    store: Store,
    _directory: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("t.db").display());
        Self { store: Store::open(&url, DateTime::UNIX_EPOCH).await.unwrap(), _directory: directory }
    }

    async fn record(&self, id: &str, body: &[u8]) -> Result<Recorded, Error> {
        let moved = Announcement::Moved(Moved {
            repository: "acme/trinity".parse().unwrap(),
            about: About::Repository,
            haste: Haste::Now,
        });
        let new = NewDelivery {
            sender: "github",
            sender_delivery_id: id,
            received_at: DateTime::UNIX_EPOCH,
            body,
            elements: vec![Element::Announced(moved)],
        };
        self.store.record_delivery(&new).await
    }

    async fn record_together(&self, ids: &[&str]) -> Vec<Result<Recorded, Error>> {
        join_all(ids.iter().map(|id| self.record(id, b"{}"))).await
    }

    /// The ids of those that are kept, oldest first.
    async fn kept(&self) -> Vec<String> {
        let mut rows = self.store.deliveries(None, 1_000).await.unwrap();
        rows.reverse();
        assert!(rows.iter().all(|row| row.announcements.len() == 1), "{rows:?}");
        rows.into_iter().map(|row| row.id.to_string()).collect()
    }

    async fn execute(&self, statement: &str) {
        let mut writer = self.store.write().await.unwrap();
        writer.execute(AssertSqlSafe(statement)).await.unwrap();
        writer.commit().await.unwrap();
    }

    /// A rule that refuses one delivery, and what SQLite does to the transaction then.
    async fn refuse(&self, id: &str, how: &str) {
        self.execute(&format!(
            "create trigger refuse before insert on deliveries when new.sender_delivery_id = '{id}' \
             begin select raise({how}, 'refused'); end"
        ))
        .await;
    }
}

fn waiting(bytes: usize) -> Waiting {
    let entry = Entry {
        sender: String::new(),
        sender_delivery_id: String::new(),
        received_at: DateTime::UNIX_EPOCH,
        body: vec![0; bytes],
        elements: Vec::new(),
    };
    Waiting { entry, reply: oneshot::channel().0 }
}

fn new(key: i64) -> Recorded {
    Recorded::New(DeliveryId::new(key))
}

fn repeated(key: i64) -> Recorded {
    Recorded::Repeated(DeliveryId::new(key))
}

#[tokio::test]
async fn a_batch_is_what_waits_already_up_to_a_number_and_a_size() {
    let (queue, mut waits) = mpsc::channel(1_000);
    assert_eq!(take_along(waiting(1), &mut waits).len(), 1, "one that is alone waits for nobody");
    for _ in 0..300 {
        queue.try_send(waiting(1)).unwrap();
    }
    assert_eq!(take_along(waiting(1), &mut waits).len(), LARGEST_BATCH);
    assert_eq!(take_along(waiting(1), &mut waits).len(), 300 - (LARGEST_BATCH - 1) + 1);
    for _ in 0..20 {
        queue.try_send(waiting(FULL_BATCH_BYTES / 4)).unwrap();
    }
    assert_eq!(take_along(waiting(FULL_BATCH_BYTES / 4), &mut waits).len(), 4);
    assert_eq!(take_along(waiting(FULL_BATCH_BYTES), &mut waits).len(), 1);
}

#[tokio::test]
async fn of_those_with_the_same_id_in_one_batch_the_first_is_new_and_makes_work_once() {
    let world = World::new().await;
    assert_eq!(world.record("old", b"{}").await.unwrap(), new(1));
    let answers = world.record_together(&["a", "b", "a", "old", "b", "old", "a"]).await;
    let answers: Vec<Recorded> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers, [new(2), new(3), repeated(2), repeated(1), repeated(3), repeated(1), repeated(2)]);
    assert_eq!(world.kept().await, ["1", "2", "3"]);
    for _ in 0..3 {
        assert!(world.store.claim_due(DateTime::UNIX_EPOCH, PATIENCE).await.unwrap().is_some());
    }
    assert_eq!(world.store.claim_due(DateTime::UNIX_EPOCH, PATIENCE).await.unwrap(), None);
}

#[tokio::test]
async fn one_that_can_not_be_recorded_does_not_take_the_others_with_it() {
    // SQLite undoes the statement alone, or ends the transaction.
    for how in ["abort", "rollback"] {
        let world = World::new().await;
        world.refuse("bad", how).await;
        let answers = world.record_together(&["a", "bad", "b"]).await;
        assert_eq!(answers[0].as_ref().unwrap(), &new(1), "{how}");
        assert!(format!("{:?}", answers[1]).contains("refused"), "{how}: {:?}", answers[1]);
        assert!(matches!(answers[2], Ok(Recorded::New(_))), "{how}: {:?}", answers[2]);
        assert_eq!(world.kept().await.len(), 2, "{how}");
    }
}

#[tokio::test]
async fn a_full_disk_refuses_each_and_takes_them_once_there_is_room() {
    let world = World::new().await;
    world.record("before", b"{}").await.unwrap();
    world.execute("pragma max_page_count = 1").await;
    // The least that can be set is the size that it has.
    let body = vec![b' '; 100_000];
    let answers = join_all(["a", "b"].map(|id| world.record(id, &body))).await;
    for answer in &answers {
        let error = answer.as_ref().unwrap_err();
        assert!(format!("{error:?}").contains("database or disk is full"), "{error:?}");
        assert_eq!(error.fault(), domain::fault::Fault::Permanent);
    }
    world.execute("pragma max_page_count = 1000000").await;
    for id in ["a", "b"] {
        assert!(matches!(world.record(id, &body).await, Ok(Recorded::New(_))));
    }
    assert_eq!(world.kept().await.len(), 3);
}

#[tokio::test]
async fn what_fails_for_all_is_told_to_each() {
    let world = World::new().await;
    world.execute("alter table work rename to gone").await;
    for answer in world.record_together(&["a", "b"]).await {
        assert!(matches!(answer, Err(Error::Together(_))), "{answer:?}");
    }
    world.execute("alter table gone rename to work").await;
    assert!(world.record_together(&["a", "b"]).await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn closing_records_what_waits_and_refuses_what_comes_later() {
    let world = World::new().await;
    let (ids, body) = ((0..20).map(|number| number.to_string()).collect::<Vec<_>>(), vec![b' '; FULL_BATCH_BYTES / 8]);
    // More than two batches.
    let records = join_all(ids.iter().map(|id| world.record(id, &body)));
    let (answers, ()) = tokio::join!(records, world.store.intake().close());
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Recorded::New(_)))), "{answers:?}");
    assert_eq!(world.kept().await.len(), 20);
    let late = world.record("late", b"{}").await;
    assert!(matches!(late, Err(Error::Database(sqlx::Error::PoolClosed))), "{late:?}");
}

#[tokio::test]
async fn other_writers_have_their_turn_between_two_batches() {
    let world = World::new().await;
    let ids: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
    let recorded = std::cell::Cell::new(0);
    let records = join_all(ids.iter().map(async |id| {
        world.record(id, b"{}").await.unwrap();
        recorded.set(recorded.get() + 1);
    }));
    let wakes = async {
        let gitops = "acme/trinity".parse().unwrap();
        for _ in 0..3 {
            world.store.wake_promotions(&gitops, &About::Repository, DateTime::UNIX_EPOCH).await.unwrap();
        }
        recorded.get()
    };
    let (_, recorded) = tokio::join!(records, wakes);
    assert!(recorded < 1_000, "three small writes waited for all deliveries");
}

#[tokio::test]
async fn whoever_stops_waiting_leaves_the_others_in_peace() {
    let world = World::new().await;
    let writer = world.store.write().await.unwrap();
    let given_up = world.record("given up", b"{}");
    assert!(futures_util::FutureExt::now_or_never(given_up).is_none());
    let (answer, committed) = tokio::join!(world.record("a", b"{}"), writer.commit());
    committed.unwrap();
    assert!(matches!(answer, Ok(Recorded::New(_))));
    assert!(matches!(world.record("given up", b"{}").await, Ok(Recorded::Repeated(_))));
}
