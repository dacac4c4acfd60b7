//! SQLite: one file that this process has alone; one connection that writes, some that read.

use std::{
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    str::FromStr as _,
    time::Duration,
};

use sqlx::{
    AnyConnection, AnyPool, ConnectOptions as _, Connection as _, Executor as _,
    any::{AnyConnectOptions, AnyPoolOptions},
};

use super::TURN_TIMEOUT;
use crate::Error;

/// Begins a transaction that may write. It has the right to from its start, so that it can not fail for it half-way.
pub(super) const BEGIN_DURABLY: &str = "pragma synchronous = full; begin immediate";

/// Should the machine stop, what is found afterwards is everything up to some transaction, never one without those
/// before it (<https://www.sqlite.org/pragma.html#pragma_synchronous>). The next durable transaction takes it along.
pub(super) const BEGIN_LAZILY: &str = "pragma synchronous = normal; begin immediate";

/// Begins a transaction that sees the database at one moment.
pub(super) const BEGIN_READING: &str = "begin";

/// Claims what has been due for longest. There is one that writes, so that nobody else looks at the same time.
pub(super) const CLAIM: &str = "update work set fence = fence + 1, lease_until_ms = $2, woken_at_ms = null \
     where id = (select id from work \
         where due_at_ms <= $1 and (lease_until_ms is null or lease_until_ms <= $1) \
             and replace($3, ' ' || lane || ' ', '') = $3 and replace($3, ' ' || site || ' ', '') = $3 \
         order by due_at_ms, id limit 1) \
     returning id, subject_kind, subject_id, attempts, fence, lane, site";

/// What each connection is told first; a statement waits so long for another process that has the file, as a backup does.
const SETTINGS: &str = "pragma busy_timeout = 5000; pragma foreign_keys = on";

/// What the one that writes is told besides.
const WRITING: &str = "pragma journal_mode = wal; pragma synchronous = full";

/// Readers do not hinder each other nor the writer; more of them than processors gain nothing.
const READERS: u32 = 4;

/// The connection that writes.
pub(super) async fn writer(path: &Path) -> Result<AnyPool, sqlx::Error> {
    let options = options(path, "rwc")?;
    // The pool would try again what can not be opened, and say only that it took long.
    let mut first = AnyConnection::connect_with(&options).await?;
    first.execute(SETTINGS).await?;
    first.execute(WRITING).await?;
    first.close().await?;
    AnyPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(TURN_TIMEOUT)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute(SETTINGS).await?;
                connection.execute(WRITING).await?;
                Ok(())
            })
        })
        .after_release(|connection, _| Box::pin(is_out_of_transaction(connection)))
        .connect_with(options)
        .await
}

/// The connections that read.
pub(super) async fn readers(path: &Path) -> Result<AnyPool, sqlx::Error> {
    AnyPoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(TURN_TIMEOUT)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute(SETTINGS).await?;
                Ok(())
            })
        })
        .connect_with(options(path, "ro")?)
        .await
}

/// One connection that reads, beside whoever has the file.
pub(crate) async fn connect_reading(path: &Path) -> Result<AnyConnection, sqlx::Error> {
    let mut connection = AnyConnection::connect_with(&options(path, "ro")?).await?;
    connection.execute(SETTINGS).await?;
    // A file that is no database is found out now.
    connection.execute("pragma schema_version").await?;
    Ok(connection)
}

/// Names the file to the driver, which takes addresses: any byte of the path that could mean something in one is escaped.
fn options(path: &Path, mode: &str) -> Result<AnyConnectOptions, sqlx::Error> {
    let path = path.to_str().ok_or_else(|| sqlx::Error::Configuration("the path is not UTF-8".into()))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    let escaped: String = path
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    Ok(AnyConnectOptions::from_str(&format!("sqlite:{escaped}?mode={mode}"))?.disable_statement_logging())
}

/// Whether a connection can be given out again.
///
/// When the disk is full SQLite ends the transaction by itself (<https://www.sqlite.org/lang_transaction.html>,
/// section 3.1); rolling it back fails then, and sqlx takes it for open for ever: every later one would be refused.
async fn is_out_of_transaction(connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
    // A rollback may still be under way; this waits behind it.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

/// Reads the setting. Parameters of SQLite's own addresses are not taken: what they could change is decided here.
pub(crate) fn path(url: &str) -> Result<PathBuf, Error> {
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
pub(super) fn lock(url: &str, database: &Path) -> Result<File, Error> {
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
    use super::*;

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
            "mysql://user:hunter2@host/tagferry",
        ] {
            let refusal = path(bad).unwrap_err().to_string();
            assert!(refusal.contains("store.url"), "{bad}: {refusal}");
            assert!(!refusal.contains("hunter2"), "{bad}: {refusal}");
        }
    }
}
