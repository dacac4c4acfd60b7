//! A replica that finds that there may be something to do tells the others. Nothing depends on that they hear of it.

use std::time::Duration;

use domain::fault::{Chain, Fault};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::{Reconciler, backoff};

/// How long news are gathered before they are told: many at once are told once.
const GATHERED: Duration = Duration::from_millis(20);

/// How often in a row the wait for a connection grows.
const GROWTH: u32 = 6;

impl Reconciler {
    /// Tells the other replicas, until `stop` is cancelled.
    pub(crate) async fn tell(&self, stop: &CancellationToken) {
        loop {
            tokio::select! {
                // What is to be told is told before the end.
                biased;
                () = self.waker.to_be_told() => {}
                () = stop.cancelled() => return,
            }
            if let Err(error) = self.store.tell().await {
                debug!(error = %Chain(&error), "the other replicas are not told; they look by a timer");
            }
            sleep(GATHERED).await;
        }
    }

    /// Wakes the workers when another replica says so, until `stop` is cancelled.
    pub(crate) async fn listen(&self, stop: &CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.listen_on() => {}
        }
    }

    /// Returns when there are no other replicas.
    async fn listen_on(&self) {
        let mut failed = 0;
        loop {
            let error = match self.store.listen().await {
                Ok(None) => return,
                Ok(Some(mut news)) => loop {
                    failed = 0;
                    // What was told before, or while the connection was lost, was not heard.
                    self.waker.wake_here();
                    if let Err(error) = news.heard().await {
                        break error;
                    }
                },
                Err(error) => error,
            };
            debug!(error = %Chain(&error), "the other replicas are not heard");
            sleep(backoff::delay(Fault::Transient, failed, fastrand::f64())).await;
            failed = (failed + 1).min(GROWTH);
        }
    }
}
