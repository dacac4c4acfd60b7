//! Deliveries that wait at the same time share one transaction, and with it one wait for the disk.
//!
//! One task writes them. It takes along whatever came while the transaction before was being written: alone, a delivery
//! waits for nobody, and the more come, the more share. There is no timer. Between two transactions the other writers
//! of the store have their turn, for the connection is given out in the order in which it was asked for.

use std::{
    iter, slice,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
};

use super::{Element, NewDelivery, Recorded, batch};
use crate::{Error, database::Database};

/// How many deliveries may wait for their turn; others wait until there is room, no longer than [`PATIENCE`].
const LONGEST_QUEUE: usize = 1_024;

/// How many deliveries share a transaction at most: the gain of more is small, and the other writers wait for all.
const LARGEST_BATCH: usize = 256;

/// How many bytes of bodies make a batch full, so that the database's log stays small.
const FULL_BATCH_BYTES: usize = 8 * 1024 * 1024;

/// How often a batch is tried that stands in the way of another replica's.
const TRIES: u32 = 3;

/// How long a delivery may take to be recorded; longer, and the sender is better told to try again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where deliveries wait. Clones share it; when the last one is dropped, or one is closed, what waits is written and
/// the task ends.
#[derive(Clone, Debug)]
pub(crate) struct Intake {
    queue: mpsc::Sender<Waiting>,
    end: Arc<End>,
}

/// How the task is told to end, and awaited.
#[derive(Debug)]
struct End {
    asked: Arc<Notify>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// A delivery on its way to the disk, whatever becomes of the request that brought it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) sender: String,
    pub(super) sender_delivery_id: String,
    pub(super) received_at: DateTime<Utc>,
    pub(super) body: Vec<u8>,
    pub(super) elements: Vec<Element>,
}

type Reply = oneshot::Sender<Result<Recorded, Error>>;

#[derive(Debug)]
struct Waiting {
    entry: Entry,
    reply: Reply,
}

impl Intake {
    /// Starts the task that writes.
    pub(crate) fn start(database: Database) -> Self {
        let (queue, waiting) = mpsc::channel(LONGEST_QUEUE);
        let asked = Arc::new(Notify::new());
        let task = tokio::spawn(run(waiting, database, Arc::clone(&asked)));
        Self { queue, end: Arc::new(End { asked, task: Mutex::new(Some(task)) }) }
    }

    /// Records a delivery together with others that wait; returns when it is on disk.
    pub(super) async fn record(&self, entry: Entry) -> Result<Recorded, Error> {
        let turn = async {
            let (reply, answer) = oneshot::channel();
            self.queue.send(Waiting { entry, reply }).await.map_err(|_closed| sqlx::Error::PoolClosed)?;
            answer.await.map_err(|_broken_off| sqlx::Error::WorkerCrashed)?
        };
        tokio::time::timeout(PATIENCE, turn).await.map_err(|_elapsed| sqlx::Error::PoolTimedOut)?
    }

    /// Takes no more deliveries and returns when those that wait are written. Every clone is closed with it.
    pub(crate) async fn close(&self) {
        self.end.asked.notify_one();
        let task = self.end.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(task) = task else { return };
        if let Err(error) = task.await {
            tracing::error!(%error, "the task that records deliveries ended unexpectedly");
        }
    }
}

impl From<&NewDelivery<'_>> for Entry {
    fn from(new: &NewDelivery<'_>) -> Self {
        Self {
            sender: new.sender.to_owned(),
            sender_delivery_id: new.sender_delivery_id.to_owned(),
            received_at: new.received_at,
            body: new.body.to_owned(),
            elements: new.elements.clone(),
        }
    }
}

/// Writes one batch after the other until nobody can send any more, or somebody asks for the end, and nothing waits.
async fn run(mut queue: mpsc::Receiver<Waiting>, database: Database, end_asked: Arc<Notify>) {
    loop {
        let first = tokio::select! {
            first = queue.recv() => first,
            () = end_asked.notified() => {
                queue.close();
                queue.recv().await
            }
        };
        let Some(first) = first else { return };
        let batch = take_along(first, &mut queue);
        // In a task of its own a panic ends that batch, whose senders try again, and not all intake.
        if let Err(error) = tokio::spawn(write(database.clone(), batch)).await {
            tracing::error!(%error, "deliveries could not be recorded: writing them broke off");
        }
    }
}

/// The first with those that wait already, up to a full batch.
fn take_along(first: Waiting, queue: &mut mpsc::Receiver<Waiting>) -> Vec<Waiting> {
    let mut bytes = first.entry.body.len();
    let mut batch = vec![first];
    let more = iter::from_fn(|| {
        let next = if bytes < FULL_BATCH_BYTES { queue.try_recv().ok() } else { None };
        bytes = bytes.saturating_add(next.as_ref().map_or(0, |next| next.entry.body.len()));
        next
    });
    batch.extend(more.take(LARGEST_BATCH - 1));
    batch
}

/// Writes a batch and answers each; one that can not be recorded does not take the others with it.
async fn write(database: Database, batch: Vec<Waiting>) {
    let (entries, replies): (Vec<_>, Vec<_>) = batch.into_iter().map(|one| (one.entry, one.reply)).unzip();
    match commit_in_the_end(&database, &entries).await {
        Ok(recorded) => replies.into_iter().zip(recorded).for_each(|(reply, recorded)| answer(reply, Ok(recorded))),
        Err(error) if entries.len() > 1 && error.may_be_of_one() => {
            for (entry, reply) in entries.iter().zip(replies) {
                answer(reply, commit_alone(&database, entry).await);
            }
        }
        Err(error) => match <[Reply; 1]>::try_from(replies) {
            Ok([reply]) => answer(reply, Err(error)),
            Err(replies) => {
                let shared = Arc::new(error);
                replies.into_iter().for_each(|reply| answer(reply, Err(Error::Together(Arc::clone(&shared)))));
            }
        },
    }
}

/// Whoever does not wait any more asks again and hears then that it is recorded.
fn answer(reply: Reply, answer: Result<Recorded, Error>) {
    if reply.send(answer).is_err() {
        tracing::debug!("nobody waits any more for the answer on a delivery");
    }
}

/// Tries again what stood in the way of another replica: it has been let by since.
async fn commit_in_the_end(database: &Database, entries: &[Entry]) -> Result<Vec<Recorded>, Error> {
    for _ in 1..TRIES {
        match commit(database, entries).await {
            Err(error) if error.is_conflict() => {}
            done => return done,
        }
    }
    commit(database, entries).await
}

async fn commit_alone(database: &Database, entry: &Entry) -> Result<Recorded, Error> {
    let recorded = commit(database, slice::from_ref(entry)).await?;
    recorded.into_iter().next().ok_or_else(|| Error::corrupt("the answer on a delivery"))
}

/// One transaction: all of them or none.
async fn commit(database: &Database, entries: &[Entry]) -> Result<Vec<Recorded>, Error> {
    let mut transaction = database.write().await?;
    let recorded = batch::record(&mut transaction, entries).await?;
    transaction.commit().await?;
    Ok(recorded)
}

#[cfg(test)]
mod tests;
