//! What all connections of one registry share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::{contents::Contents, handle::User, notification::Notifier, referrers::Referrers};
use crate::traffic::Record;

/// Everything that a registry holds. No two of the locks are held together, nor one over an `.await`.
#[derive(Debug)]
pub(super) struct Shared {
    /// Its own address.
    pub(super) host: String,
    pub(super) user: Option<User>,
    pub(super) referrers: Referrers,
    pub(super) notifier: Notifier,
    pub(super) stop: CancellationToken,
    /// The requests, and the faults that meet them.
    pub(super) record: Record,
    contents: Mutex<Contents>,
}

impl Shared {
    pub(super) fn new(
        host: String,
        (user, referrers): (Option<User>, Referrers),
        notifier: Notifier,
        stop: CancellationToken,
    ) -> Self {
        Self { host, user, referrers, notifier, stop, record: Record::default(), contents: Mutex::default() }
    }

    pub(super) fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
