//! What time it is: where several replicas must agree, the database server says it.

use std::{
    sync::{Mutex, PoisonError},
    time::{Instant, SystemTime},
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    Error, Store,
    database::{Kind, server_time},
    rows::{lease_end, millis},
    work::LONGEST_LEASE,
};

/// How far a clock may go back before what was planned by it is looked at anew: leap seconds and corrections of a time
/// server are smaller.
const TOLERANCE: TimeDelta = TimeDelta::seconds(5);

/// The clock of a store: the last time that was read, and how long that is ago by a clock that nobody sets.
#[derive(Debug)]
pub(crate) struct Clock(Mutex<Reading>);

#[derive(Clone, Copy, Debug)]
struct Reading {
    time: DateTime<Utc>,
    at: Instant,
}

impl Clock {
    /// Begins with a time that is as good as any until it is read.
    pub(crate) fn starting(time: DateTime<Utc>) -> Self {
        Self(Mutex::new(Reading { time, at: Instant::now() }))
    }

    fn now(&self) -> DateTime<Utc> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).now()
    }

    /// Sets the clock to what was answered to a question; says by how much less that is than it was when it was asked.
    /// An answer that is late is no clock that was set back.
    fn set(&self, time: DateTime<Utc>, asked: Instant) -> TimeDelta {
        let mut reading = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let back = reading.at(asked) - time;
        *reading = Reading { time, at: Instant::now() };
        back
    }
}

impl Reading {
    fn now(self) -> DateTime<Utc> {
        self.at(Instant::now())
    }

    /// What time it is, or was, at a moment.
    fn at(self, moment: Instant) -> DateTime<Utc> {
        let between = |earlier: Instant, later: Instant| {
            TimeDelta::from_std(later.saturating_duration_since(earlier)).unwrap_or(TimeDelta::MAX)
        };
        let since = between(self.at, moment) - between(moment, self.at);
        self.time.checked_add_signed(since).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

impl Store {
    /// Reads the clock that claims go by: the server's, where replicas share it, else this machine's.
    ///
    /// Should it have been set back, what is due by the clock as it was is due at once, and no lease is longer than any
    /// that could be given now: nothing waits for hours that are over already.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn time(&self) -> Result<DateTime<Utc>, Error> {
        let asked = Instant::now();
        let now = self.read_clock().await?;
        let back = self.clock().set(now, asked);
        if back > TOLERANCE {
            let due = self.pull_in(now).await?;
            tracing::warn!(seconds = back.num_seconds(), due, "the clock was set back; what waits is looked at anew");
        }
        Ok(now)
    }

    /// About what [`Store::time`] says, without asking: what it said last, and the time that has gone by since.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock().now()
    }

    async fn read_clock(&self) -> Result<DateTime<Utc>, Error> {
        match self.kind() {
            Kind::Sqlite => Ok(SystemTime::now().into()),
            Kind::Postgres => server_time(self.writer()).await,
        }
    }

    /// Makes due what is not, and shortens leases to the longest.
    pub(crate) async fn pull_in(&self, now: DateTime<Utc>) -> Result<u64, Error> {
        let mut transaction = self.write_lazily().await?;
        let done = sqlx::query(
            "update work set \
                 due_at_ms = case when due_at_ms < $1 then due_at_ms else $1 end, \
                 lease_until_ms = case when lease_until_ms > $2 then $2 else lease_until_ms end \
             where due_at_ms > $1 or lease_until_ms > $2",
        )
        .bind(millis(now))
        .bind(lease_end(now, LONGEST_LEASE))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(done.rows_affected())
    }
}

#[cfg(test)]
mod tests {
    use domain::announcement::{About, Announcement, Haste, Moved};

    use super::*;
    use crate::{Element, NewDelivery};

    #[test]
    fn a_clock_goes_on_from_what_it_was_set_to_and_tells_when_it_is_set_back() {
        let clock = Clock::starting(DateTime::UNIX_EPOCH);
        let hour = TimeDelta::hours(1);
        assert!(clock.set(DateTime::UNIX_EPOCH + hour, Instant::now()) <= -hour + TOLERANCE);
        assert!(clock.now() >= DateTime::UNIX_EPOCH + hour);
        assert!(clock.set(DateTime::UNIX_EPOCH, Instant::now()) >= hour);
        assert!(clock.set(DateTime::UNIX_EPOCH + TimeDelta::seconds(1), Instant::now()) < TOLERANCE);
    }

    #[test]
    fn an_answer_that_was_long_on_its_way_is_no_clock_that_was_set_back() {
        let asked = Instant::now().checked_sub(std::time::Duration::from_secs(10)).unwrap();
        let clock = Clock(Mutex::new(Reading { time: DateTime::UNIX_EPOCH, at: asked }));
        assert!(clock.set(DateTime::UNIX_EPOCH, asked) < TOLERANCE, "it took ten seconds to hear of it");
        assert!(clock.set(DateTime::UNIX_EPOCH, Instant::now()) < TOLERANCE);
    }

    #[tokio::test]
    async fn when_the_clock_is_set_back_what_was_planned_by_the_old_one_is_looked_at_anew() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("t.db").display());
        let next_year = DateTime::<Utc>::from(SystemTime::now()) + TimeDelta::days(365);
        let store = Store::open(&url, next_year).await.unwrap();
        let moved = Announcement::Moved(Moved {
            repository: "acme/trinity".parse().unwrap(),
            about: About::Repository,
            haste: Haste::Now,
        });
        for id in ["claimed", "waiting"] {
            let new = NewDelivery {
                sender: "github",
                sender_delivery_id: id,
                received_at: next_year,
                body: b"{}",
                elements: vec![Element::Announced(moved.clone())],
            };
            store.record_delivery(&new).await.unwrap();
        }
        let claimed = store.claim_due(next_year, LONGEST_LEASE).await.unwrap().unwrap();
        let now = store.time().await.unwrap();
        let waiting = store.claim_due(now, LONGEST_LEASE).await.unwrap().unwrap();
        assert_ne!(waiting.subject, claimed.subject);
        assert_eq!(store.claim_due(now, LONGEST_LEASE).await.unwrap(), None);
        let over = now + LONGEST_LEASE;
        assert!(store.claim_due(over, LONGEST_LEASE).await.unwrap().is_some());
    }
}
