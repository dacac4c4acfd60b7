//! Opens the database, brings its schema up to date, and hands out transactions.

mod postgres;
mod sqlite;

use std::{fs::File, io, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use sqlx::{Any, AnyPool, Transaction};

use crate::{Error, clock::Clock, delivery::Intake, migration};

pub(crate) use self::{
    postgres::{CHANNEL, TELL, time as server_time},
    sqlite::{connect_reading, path as file},
};

/// How long a call waits for its turn at a connection; longer, and the sender is better told to try again.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);

/// What Tagferry remembers: in one SQLite file that this process has alone, or in a PostgreSQL database that it shares
/// with other replicas. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    database: Database,
    reader: AnyPool,
    intake: Intake,
    clock: Arc<Clock>,
    lock: Option<Arc<File>>,
}

/// The database as who writes needs it.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    kind: Kind,
    writer: AnyPool,
}

/// Whose words the database speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file that this process has alone.
    Sqlite,
    /// A server that other replicas use at the same time.
    Postgres,
}

impl Store {
    /// Opens the database and brings its schema up to date.
    ///
    /// A file is created when it is not there, and the work of the process before is taken over: all of it is due
    /// `now`, whatever it waited for and however often it failed. In a database that is shared others may be
    /// at work: only what nobody works on becomes due, by the server's clock.
    ///
    /// `url` is `sqlite:///absolute/path` or `sqlite:relative/path`, whose directory must exist, or
    /// `postgres://user:password@host/database`.
    ///
    /// # Errors
    ///
    /// The setting is no such address, the file cannot be opened, another process has it, or the schema cannot be
    /// brought up to date: all of these need a person. Or the server does not answer.
    pub async fn open(url: &str, now: DateTime<Utc>) -> Result<Self, Error> {
        sqlx::any::install_default_drivers();
        match Kind::of(url) {
            Kind::Sqlite => Self::open_file(url, now).await,
            Kind::Postgres => Self::open_shared(url).await,
        }
    }

    async fn open_file(url: &str, now: DateTime<Utc>) -> Result<Self, Error> {
        let path = sqlite::path(url)?;
        let lock = sqlite::lock(url, &path)?;
        let failed = |source| Error::Open { url: url.to_owned(), source: io::Error::other(source) };
        let writer = sqlite::writer(&path).await.map_err(failed)?;
        let database = Database { kind: Kind::Sqlite, writer };
        migration::apply(&database).await?;
        let reader = sqlite::readers(&path).await.map_err(failed)?;
        let store = Self::over(database, reader, (Some(Arc::new(lock)), now));
        let due = store.take_over(now).await?;
        if due > 0 {
            tracing::info!(due, "the work of the process before is taken over");
        }
        Ok(store)
    }

    async fn open_shared(url: &str) -> Result<Self, Error> {
        let writer = postgres::pool(url).map_err(|_it_may_name_the_password| Error::Url)?;
        postgres::try_once(&writer).await.map_err(Error::Server)?;
        let database = Database { kind: Kind::Postgres, writer: writer.clone() };
        migration::apply(&database).await?;
        let now = postgres::time(&writer).await?;
        let store = Self::over(database, writer, (None, now));
        match store.look_anew(now).await {
            // Others are at work on the same, and look by themselves.
            Err(error) if error.is_conflict() => {}
            done => done?,
        }
        Ok(store)
    }

    fn over(database: Database, reader: AnyPool, (lock, now): (Option<Arc<File>>, DateTime<Utc>)) -> Self {
        let intake = Intake::start(database.clone());
        Self { database, reader, intake, clock: Arc::new(Clock::starting(now)), lock }
    }

    /// Finishes what was begun, records the deliveries that wait, and lets another process have a file. Every clone is
    /// closed with it.
    ///
    /// # Errors
    ///
    /// The file cannot be unlocked; it is when the process ends.
    pub async fn close(self) -> Result<(), Error> {
        self.intake.close().await;
        self.reader.close().await;
        self.database.writer.close().await;
        let Some(lock) = self.lock else { return Ok(()) };
        lock.unlock().map_err(|source| Error::Database(sqlx::Error::Io(source)))
    }

    /// Answers when the database does.
    ///
    /// # Errors
    ///
    /// It does not.
    pub async fn ping(&self) -> Result<(), Error> {
        sqlx::query("select count(*) from work where due_at_ms < 0").execute(&self.reader).await?;
        Ok(())
    }

    /// A transaction that may write; when its end returns, it is on disk.
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Any>, Error> {
        self.database.write().await
    }

    /// A transaction that may write, and whose end does not wait for the disk: for what costs nothing when it is lost,
    /// because the work that it is about is there as well and is done again.
    pub(crate) async fn write_lazily(&self) -> Result<Transaction<'static, Any>, Error> {
        let begin = match self.database.kind {
            Kind::Sqlite => sqlite::BEGIN_LAZILY,
            Kind::Postgres => postgres::BEGIN_LAZILY,
        };
        Ok(self.database.writer.begin_with(begin).await?)
    }

    /// A transaction that sees the database at one moment.
    pub(crate) async fn read(&self) -> Result<Transaction<'static, Any>, Error> {
        let begin = match self.database.kind {
            Kind::Sqlite => sqlite::BEGIN_READING,
            Kind::Postgres => postgres::BEGIN_READING,
        };
        Ok(self.reader.begin_with(begin).await?)
    }

    /// Where deliveries wait to be recorded.
    pub(crate) fn intake(&self) -> &Intake {
        &self.intake
    }

    /// Whose words the database speaks.
    pub(crate) const fn kind(&self) -> Kind {
        self.database.kind
    }

    /// The clock as it was read last.
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The connections that write.
    pub(crate) const fn writer(&self) -> &AnyPool {
        self.database.writer()
    }

    /// The address of the database.
    pub(crate) fn url(&self) -> String {
        self.database.writer.connect_options().database_url.to_string()
    }
}

impl Database {
    /// A transaction that may write; when its end returns, it is on disk.
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Any>, Error> {
        let begin = match self.kind {
            Kind::Sqlite => sqlite::BEGIN_DURABLY,
            Kind::Postgres => postgres::BEGIN_DURABLY,
        };
        Ok(self.writer.begin_with(begin).await?)
    }

    /// Whose words it speaks.
    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    /// The connections that write.
    pub(crate) const fn writer(&self) -> &AnyPool {
        &self.writer
    }
}

impl Kind {
    /// Whose address it is.
    pub(crate) fn of(url: &str) -> Self {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") { Self::Postgres } else { Self::Sqlite }
    }

    /// Claims the work that has been due for longest: `$1` is the time, `$2` the end of the lease, `$3` the lanes and
    /// sites that it may not be of, each between blanks.
    pub(crate) const fn claim(self) -> &'static str {
        match self {
            Self::Sqlite => sqlite::CLAIM,
            Self::Postgres => postgres::CLAIM,
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use super::*;

    #[tokio::test]
    async fn what_is_committed_is_on_disk_and_references_are_watched() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", directory.path().join("t.db").display());
        let store = Store::open(&url, DateTime::UNIX_EPOCH).await.unwrap();
        let row = sqlx::raw_sql("select * from pragma_journal_mode, pragma_synchronous, pragma_foreign_keys")
            .fetch_one(&store.database.writer)
            .await
            .unwrap();
        assert_eq!(row.get::<&str, _>(0), "wal");
        assert_eq!(row.get::<i64, _>(1), 2, "2 is FULL");
        assert_eq!(row.get::<i64, _>(2), 1);
        let refusal = sqlx::query("delete from deliveries").execute(&store.reader).await;
        assert!(refusal.unwrap_err().to_string().contains("readonly"));
    }
}
