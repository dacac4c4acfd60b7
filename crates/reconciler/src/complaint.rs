//! What many notice at once, and again and again, is said once a minute.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use domain::fault::Chain;
use tokio::time::Instant;
use tracing::{error, info};

/// How long nothing more is said.
const QUIET: Duration = Duration::from_secs(60);

/// That the store does not work, and when that was said last.
#[derive(Debug, Default)]
pub(crate) struct Complaint(Mutex<Option<Instant>>);

impl Complaint {
    /// It does not work; whether that was said.
    pub(crate) fn make(&self, error: &store::Error) -> bool {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_some_and(|at| at.elapsed() < QUIET) {
            return false;
        }
        *said = Some(Instant::now());
        let (fault, advice, error) = (error.fault().as_str(), error.advice(), Chain(error));
        error!(fault, advice, %error, "the store can not be asked for work; this is said once a minute while it lasts");
        true
    }

    /// It works.
    pub(crate) fn withdraw(&self) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if said.take().is_some() {
            info!("the store can be asked for work again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_said_once_a_minute_however_many_notice_it_and_anew_after_it_was_over() {
        let (complaint, error) = (Complaint::default(), store::Error::Url);
        assert!(complaint.make(&error));
        assert!(!complaint.make(&error));
        tokio::time::advance(QUIET).await;
        assert!(complaint.make(&error));
        complaint.withdraw();
        assert!(complaint.make(&error));
    }
}
