//! What is looked at from time to time: whose turn it is, and what was found.

use chrono::{DateTime, Utc};
use domain::application::Name;
use sqlx::any::AnyRow;

use crate::{
    Error, Store,
    rows::{column, millis, parsed, time},
    text::{LONGEST_LINE, bounded},
};

/// An overlay that names something else than the last release put there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// Whose overlay it is.
    pub application: Name,
    /// Which one.
    pub target: Name,
    /// The tag that the last release put there.
    pub released: String,
    /// The tag that is there; `None` where there is none.
    pub has: Option<String>,
    /// Since when that is known.
    pub since: DateTime<Utc>,
}

impl Store {
    /// Takes the turn at something that is looked at from time to time, if it is due: no replica gets it again before
    /// `next`.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn begin_round(&self, name: &str, now: DateTime<Utc>, next: DateTime<Utc>) -> Result<bool, Error> {
        let mut transaction = self.write_lazily().await?;
        // What is due later than it could be was planned by a clock that was set back since, or by another interval.
        let done = sqlx::query(
            "insert into rounds (name, due_at_ms) values ($1, $3) \
             on conflict (name) do update set due_at_ms = excluded.due_at_ms \
             where rounds.due_at_ms <= $2 or rounds.due_at_ms > $4",
        )
        .bind(name)
        .bind(millis(now))
        .bind(millis(next))
        .bind(millis(next + (next - now)))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    /// Records that an overlay names something else than was released; whether that is new.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn record_drift(&self, drift: &Drift) -> Result<bool, Error> {
        let mut transaction = self.write().await?;
        let done = sqlx::query(
            "insert into drifts (application, target, released, has, since_ms) values ($1, $2, $3, $4, $5) \
             on conflict (application, target) do update \
             set released = excluded.released, has = excluded.has, since_ms = excluded.since_ms \
             where drifts.released <> excluded.released or coalesce(drifts.has, '') <> coalesce(excluded.has, '')",
        )
        .bind(drift.application.as_str())
        .bind(drift.target.as_str())
        .bind(bounded(&drift.released, LONGEST_LINE))
        .bind(drift.has.as_deref().map(|has| bounded(has, LONGEST_LINE)))
        .bind(millis(drift.since))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    /// Records that an overlay names what was released; whether that is new.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn end_drift(&self, application: &Name, target: &Name) -> Result<bool, Error> {
        let mut transaction = self.write().await?;
        let done = sqlx::query("delete from drifts where application = $1 and target = $2")
            .bind(application.as_str())
            .bind(target.as_str())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    /// The overlays of all applications that name something else than was released.
    ///
    /// # Errors
    ///
    /// A row is illegible, or the database failed.
    pub async fn drifts(&self) -> Result<Vec<Drift>, Error> {
        let rows =
            sqlx::query("select application, target, released, has, since_ms from drifts order by application, target")
                .fetch_all(&mut *self.read().await?)
                .await?;
        rows.iter().map(drift).collect()
    }
}

fn drift(row: &AnyRow) -> Result<Drift, Error> {
    Ok(Drift {
        application: parsed(row, "application")?,
        target: parsed(row, "target")?,
        released: column(row, "released")?,
        has: column(row, "has")?,
        since: time(row, "since_ms")?,
    })
}
