//! A copy of a SQLite file that somebody works with.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use sqlx::{AnyConnection, Connection as _, Row as _};

use crate::{
    Error, Store,
    database::{self, Kind},
    statement::Statement,
};

/// What a copy holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Its size.
    pub bytes: u64,
    /// How many releases are in it.
    pub releases: i64,
    /// How many deliveries are in it.
    pub deliveries: i64,
}

impl Store {
    /// Copies the SQLite file of a store to `to`, also while a process works with it: everything that was recorded
    /// before, and nothing by halves.
    ///
    /// The copy is made beside its place (`VACUUM INTO`, <https://www.sqlite.org/lang_vacuum.html#vacuuminto>), checked,
    /// and put there when it is whole and on disk; only its owner may read it. The lock of the process is not needed: what
    /// is copied is one state of the database, which its writers do not wait for.
    ///
    /// # Errors
    ///
    /// [`Error::NoFile`]: the store is a server's. [`Error::Open`]: there is no such file, or it is no database.
    /// [`Error::Backup`]: `to` is there and `replace` is not given, is the store itself, or can not be written.
    pub async fn back_up(url: &str, to: &Path, replace: bool) -> Result<Backup, Error> {
        sqlx::any::install_default_drivers();
        if Kind::of(url) == Kind::Postgres {
            return Err(Error::NoFile);
        }
        let from = database::file(url)?;
        let failed = |source| Error::Backup { to: to.to_owned(), source };
        refuse(&from, to, replace).map_err(failed)?;
        let unreadable = |source| Error::Open { url: url.to_owned(), source: io::Error::other(source) };
        let mut original = database::connect_reading(&from).await.map_err(unreadable)?;
        let partial = beside(to, ".partial");
        discard(&partial).map_err(failed)?;
        let copied = copy(&mut original, &partial).await;
        original.close().await.map_err(unreadable)?;
        let done = match copied {
            Ok(backup) => finish(&partial, to).map(|()| backup).map_err(failed),
            Err(error) => Err(failed(io::Error::other(error))),
        };
        if done.is_err() {
            // Whatever is left of it is no backup.
            drop(discard(&partial));
        }
        done
    }
}

/// Refuses to write over anything that is wanted.
fn refuse(from: &Path, to: &Path, replace: bool) -> io::Result<()> {
    let directory = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !directory.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("there is no directory {}", directory.display())));
    }
    let there = directory.canonicalize()?.join(to.file_name().unwrap_or_default());
    let store = from.canonicalize().unwrap_or_else(|_missing| from.to_owned());
    if ["", "-wal", "-shm", ".lock"].iter().any(|end| beside(&store, end) == there) {
        return Err(io::Error::other("it is the store itself"));
    }
    if to.exists() && !replace {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "it is there already"));
    }
    Ok(())
}

async fn copy(original: &mut AnyConnection, to: &Path) -> Result<Backup, sqlx::Error> {
    let text = to.to_str().ok_or_else(|| sqlx::Error::Configuration("the path is not UTF-8".into()))?;
    // It is there before anything is written, so that nobody else may read it.
    File::create_new(to).and_then(|file| file.set_permissions(Permissions::from_mode(0o600)))?;
    let mut vacuum = Statement::new("vacuum into ");
    vacuum.bind(text)?;
    vacuum.build().execute(original).await?;
    let mut copy = database::connect_reading(to).await?;
    let checked: String = sqlx::raw_sql("pragma integrity_check").fetch_one(&mut copy).await?.try_get(0)?;
    if checked != "ok" {
        return Err(sqlx::Error::Configuration(format!("the copy is damaged: {checked}").into()));
    }
    let counted = sqlx::query(
        "select (select count(*) from releases) as releases, (select count(*) from deliveries) as deliveries",
    )
    .fetch_one(&mut copy)
    .await?;
    copy.close().await?;
    let bytes = fs::metadata(to)?.len();
    Ok(Backup { bytes, releases: counted.try_get("releases")?, deliveries: counted.try_get("deliveries")? })
}

/// Puts the copy in its place once it is on disk.
fn finish(partial: &Path, to: &Path) -> io::Result<()> {
    File::open(partial)?.sync_all()?;
    fs::rename(partial, to)?;
    let directory = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

fn discard(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}
