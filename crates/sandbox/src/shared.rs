//! What all connections and tasks of one sandbox share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    refusal::Refusal,
    traffic::{Memory, Record, Traffic},
    webhook::Attempt,
    world::World,
};

/// The world, the traffic, the record of requests, and the news that something changed.
///
/// No two of their locks are ever held together, nor over an `.await`.
#[derive(Debug)]
pub(crate) struct Shared {
    world: Mutex<World>,
    traffic: Mutex<Traffic>,
    record: Record,
    memory: Memory,
    stop: CancellationToken,
    changes: watch::Sender<u64>,
    clock: Clock,
}

impl Shared {
    /// A beginning.
    pub(crate) fn new(world: World, traffic: Traffic, stop: CancellationToken) -> Self {
        let clock = world.clock.clone();
        let (world, traffic) = (Mutex::new(world), Mutex::new(traffic));
        let (record, memory, changes) = (Record::default(), Memory::default(), watch::Sender::new(0));
        Self { world, traffic, record, memory, stop, changes, clock }
    }

    /// The requests, and the faults that meet them.
    pub(crate) const fn record(&self) -> &Record {
        &self.record
    }

    /// The answers to reads so far.
    pub(crate) const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Cancelled when the sandbox stops.
    pub(crate) const fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// The time, without waiting for the world.
    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Works on the world, and tells those who wait that something may have changed.
    pub(crate) async fn with<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut World) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let outcome = self.enter(work).await;
        self.note_change();
        outcome
    }

    /// Looks at the world.
    pub(crate) async fn see<T: Send + 'static>(
        self: &Arc<Self>,
        look: impl FnOnce(&World) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.enter(|world| look(world)).await
    }

    /// Enters the world where blocking is allowed. It is the only way in.
    async fn enter<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut World) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let shared = Arc::clone(self);
        let working = tokio::task::spawn_blocking(move || {
            let mut world = shared.world.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut world)
        });
        working.await.unwrap_or_else(|error| {
            let text = format!("The sandbox is broken: {error}");
            Err(Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, text))
        })
    }

    /// The deliveries and what else is known of the traffic. What is done with them must be short.
    pub(crate) fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers how a delivery went.
    pub(crate) fn record_delivery(&self, attempt: Attempt) {
        self.traffic().deliveries.push(attempt);
        self.note_change();
    }

    /// Tells those who wait that something may have changed.
    pub(crate) fn note_change(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Counts up with every change.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
