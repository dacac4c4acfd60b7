//! The sandbox's time: the system's, plus what was advanced.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

/// A clock that only goes forward, and can be moved forward. Clones show the same time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    ahead_ms: Arc<AtomicI64>,
}

impl Clock {
    /// The time now, in whole seconds as GitHub shows it.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let ahead = TimeDelta::milliseconds(self.ahead_ms.load(Ordering::SeqCst));
        (DateTime::<Utc>::from(SystemTime::now()) + ahead).trunc_subsecs(0)
    }

    /// Lets time pass at once; more than a century is cut to one.
    pub(crate) fn advance(&self, by: Duration) {
        const CENTURY: i64 = 100 * 366 * 24 * 3600 * 1000;
        let by = i64::try_from(by.as_millis()).unwrap_or(CENTURY).min(CENTURY);
        let ahead = self.ahead_ms.load(Ordering::SeqCst).saturating_add(by).min(CENTURY);
        self.ahead_ms.store(ahead, Ordering::SeqCst);
    }
}
