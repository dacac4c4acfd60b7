//! Opens the database file, alone, and hands out connections: one that writes, some that read.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use sqlx::{
    ConnectOptions as _, Connection as _, Sqlite, SqliteConnection, SqlitePool, Transaction,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{Error, delivery::Intake, migration};

/// How long a statement waits for another process that has the file, as a backup does.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a call waits for its turn at a connection; longer, and the sender is better told to try again.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);

/// Readers do not hinder each other nor the writer; more of them than processors gain nothing.
const READERS: u32 = 4;

/// What Tagferry remembers, in one SQLite file that this process has alone. Clones share it.
#[derive(Clone, Debug)]
pub struct Store {
    writer: SqlitePool,
    reader: SqlitePool,
    intake: Intake,
    lock: Arc<File>,
}

impl Store {
    /// Opens the database file, creates it when it is not there, and takes over the work of the process before: all of
    /// it is due `now`, whatever it waited for and however often it failed.
    ///
    /// `url` is `sqlite:///absolute/path` or `sqlite:relative/path`. The directory must exist.
    ///
    /// # Errors
    ///
    /// The setting is no such address, the file cannot be opened, another process has it, or its schema cannot be
    /// brought up to date. All of these need a person.
    pub async fn open(url: &str, now: DateTime<Utc>) -> Result<Self, Error> {
        let path = path(url)?;
        let lock = lock(url, &path)?;
        let failed = |source| Error::Open { url: url.to_owned(), source: io::Error::other(source) };
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            .disable_statement_logging();
        let writer = connect_writer(options.clone()).await.map_err(failed)?;
        migration::apply(&writer).await?;
        let reader = connect_readers(options).await.map_err(failed)?;
        let intake = Intake::start(writer.clone());
        let store = Self { writer, reader, intake, lock: Arc::new(lock) };
        let due = store.take_over(now).await?;
        if due > 0 {
            tracing::info!(due, "the work of the process before is taken over");
        }
        Ok(store)
    }

    /// Finishes what was begun, records the deliveries that wait, and lets another process have the file. Every clone is closed with it.
    ///
    /// # Errors
    ///
    /// The file cannot be unlocked; it is when the process ends.
    pub async fn close(self) -> Result<(), Error> {
        self.intake.close().await;
        self.reader.close().await;
        self.writer.close().await;
        self.lock.unlock().map_err(|source| Error::Database(sqlx::Error::Io(source)))
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
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Sqlite>, Error> {
        begin_durable(&self.writer).await
    }

    /// A transaction that may write, and whose end does not wait for the disk: for what costs nothing when it is lost,
    /// because the work that it is about is there as well and is done again.
    ///
    /// Should the machine stop, what is found afterwards is everything up to some transaction, never one without those
    /// before it (<https://www.sqlite.org/pragma.html#pragma_synchronous>). The next durable transaction takes it along.
    pub(crate) async fn write_lazily(&self) -> Result<Transaction<'static, Sqlite>, Error> {
        Ok(self.writer.begin_with("pragma synchronous = normal; begin immediate").await?)
    }

    /// Where deliveries wait to be recorded.
    pub(crate) fn intake(&self) -> &Intake {
        &self.intake
    }

    /// A transaction that sees the database at one moment.
    pub(crate) async fn read(&self) -> Result<Transaction<'static, Sqlite>, Error> {
        Ok(self.reader.begin().await?)
    }
}

/// Begins a transaction that may write. It has the right to from its start, so that it can not fail for it half-way.
pub(crate) async fn begin_durable(writer: &SqlitePool) -> Result<Transaction<'static, Sqlite>, Error> {
    Ok(writer.begin_with("pragma synchronous = full; begin immediate").await?)
}

async fn connect_writer(options: SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    let options =
        options.create_if_missing(true).journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(TURN_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_release(|connection, _| Box::pin(is_out_of_transaction(connection)))
        .connect_with(options)
        .await
}

/// Whether a connection can be given out again.
///
/// When the disk is full SQLite ends the transaction by itself (<https://www.sqlite.org/lang_transaction.html>,
/// section 3.1); rolling it back fails then, and sqlx takes it for open for ever: every later one would be refused.
async fn is_out_of_transaction(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // A rollback may still be under way; this waits behind it.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

async fn connect_readers(options: SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(TURN_TIMEOUT)
        .connect_with(options.read_only(true))
        .await
}

/// Reads the setting. Parameters of SQLite's own addresses are not taken: what they could change is decided here.
fn path(url: &str) -> Result<PathBuf, Error> {
    let rest = url.strip_prefix("sqlite:").ok_or(Error::Url)?;
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path.ends_with('/') || path.contains(['?', '#', '\0']) || path == ":memory:" {
        return Err(Error::Url);
    }
    Ok(PathBuf::from(path))
}

/// Takes the lock beside the file, for as long as the handle lives.
///
/// A lock of its own, because SQLite's locks are held for a statement and ours for a life: that is what makes the
/// claims found at the start worth nothing.
fn lock(url: &str, database: &Path) -> Result<File, Error> {
    let open = |source| Error::Open { url: url.to_owned(), source };
    if database.is_dir() {
        return Err(open(io::Error::other("it is a directory, not a file")));
    }
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|source| open(explained(source, database)))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Locked { path }),
        Err(TryLockError::Error(source)) => Err(open(source)),
    }
}

/// The usual reasons in words that name what to do.
fn explained(source: io::Error, database: &Path) -> io::Error {
    let directory =
        database.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).display();
    let words = if source.kind() == io::ErrorKind::NotFound {
        format!("the directory {directory} does not exist; create it first")
    } else if source.kind() == io::ErrorKind::PermissionDenied {
        format!("this user may not write in the directory {directory}")
    } else {
        return source;
    };
    io::Error::new(source.kind(), words)
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
        let row = sqlx::query("select * from pragma_journal_mode, pragma_synchronous, pragma_foreign_keys")
            .fetch_one(&store.writer)
            .await
            .unwrap();
        assert_eq!(row.get::<&str, _>(0), "wal");
        assert_eq!(row.get::<i64, _>(1), 2, "2 is FULL");
        assert_eq!(row.get::<i64, _>(2), 1);
        let refusal = sqlx::query("delete from deliveries").execute(&store.reader).await;
        assert!(refusal.unwrap_err().to_string().contains("readonly"));
    }

    #[test]
    fn a_database_is_named_by_an_address_of_a_file() {
        for (url, file) in [
            ("sqlite:///var/lib/a.db", "/var/lib/a.db"),
            ("sqlite:a.db", "a.db"),
            ("sqlite://a.db", "a.db"),
            ("sqlite:/a.db", "/a.db"),
        ] {
            assert_eq!(path(url).unwrap(), Path::new(file), "{url}");
        }
        for bad in [
            "",
            "a.db",
            "sqlite:",
            "sqlite://",
            "sqlite::memory:",
            "sqlite:a.db?mode=ro",
            "sqlite:///var/lib/",
            "postgres://user:password@host/tagferry",
        ] {
            let refusal = path(bad).unwrap_err().to_string();
            assert!(refusal.contains("store.url"), "{bad}: {refusal}");
            assert!(!refusal.contains("password"), "{bad}: {refusal}");
        }
    }
}
