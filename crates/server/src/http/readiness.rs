//! Whether requests should be sent here. Who asks for it is told before the door is closed.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Who has asked so recently asks still: probes come every few seconds.
const ASKS: Duration = Duration::from_secs(60);

/// How long the door stays open for whoever does not know yet that it closes.
const GRACE: Duration = Duration::from_secs(3);

/// Whether the service takes requests, and when somebody asked that last.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    is_withdrawn: AtomicBool,
    asked: Mutex<Option<Instant>>,
}

impl Readiness {
    /// Whether requests should come; that somebody asks is remembered.
    pub(crate) fn ask(&self) -> bool {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        !self.is_withdrawn.load(Ordering::SeqCst)
    }

    /// Says from now on that no request should come; returns when those who ask have had time to hear of it, at once
    /// where nobody asks.
    pub(crate) async fn withdraw(&self) {
        self.is_withdrawn.store(true, Ordering::SeqCst);
        let asked = *self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.is_some_and(|at| at.elapsed() < ASKS) {
            tokio::time::sleep(GRACE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_asks_has_time_to_hear_that_it_is_withdrawn_and_nobody_else_is_waited_for() {
        let began = tokio::time::Instant::now();
        let unasked = Readiness::default();
        unasked.withdraw().await;
        assert!(began.elapsed() < GRACE);
        let asked = Readiness::default();
        assert!(asked.ask());
        let (heard, ()) = tokio::join!(async { asked.ask() }, asked.withdraw());
        assert!(began.elapsed() >= GRACE);
        assert!(heard || !asked.ask());
        assert!(!asked.ask());
    }
}
