//! What can go wrong, by what a caller could do about it.

use std::{io, path::PathBuf, sync::Arc};

use domain::fault::Fault;
use sqlx::migrate::MigrateError;

/// The result codes of SQLite that no repetition changes (<https://www.sqlite.org/rescode.html>):
/// read-only, corrupt, full, not a database.
const LASTING_CODES: [i32; 4] = [8, 11, 13, 26];

/// The result codes of SQLite for what does not fit or breaks a rule: full, too big, constraint, mismatch.
const CODES_OF_ONE: [i32; 4] = [13, 18, 19, 20];

/// The beginnings of PostgreSQL's codes that no repetition changes
/// (<https://www.postgresql.org/docs/15/errcodes-appendix.html>): who may not connect, no such database, not allowed,
/// not there, disk full, corrupt.
const LASTING_STATES: [&str; 6] = ["28", "3D", "42", "53100", "XX001", "XX002"];

/// The beginnings of PostgreSQL's codes for what does not fit or breaks a rule: data, constraint, limit.
const STATES_OF_ONE: [&str; 3] = ["22", "23", "54"];

/// Why something could not be remembered or recalled.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The setting is not the address of a database. It may hold a password, so it is not repeated.
    #[error("store.url is not of the form sqlite:///path/to/tagferry.db or postgres://user:password@host/database")]
    Url,
    /// The database file cannot be opened.
    #[error("cannot open the database of store.url {url}")]
    Open {
        /// The setting.
        url: String,
        /// What stands in the way.
        source: io::Error,
    },
    /// The database server cannot be used. The setting may hold a password, so it is not repeated.
    #[error("cannot use the database server of store.url")]
    Server(#[source] sqlx::Error),
    /// What is to be copied is no file.
    #[error(
        "store.url is a database server, which is backed up by its own means, \
         as in: pg_dump --format=custom --file=tagferry.dump --dbname=\"$DATABASE\""
    )]
    NoFile,
    /// The copy can not be made.
    #[error("cannot copy the database to {}", to.display())]
    Backup {
        /// Where it was to be.
        to: PathBuf,
        /// What stands in the way.
        source: io::Error,
    },
    /// Another process has the database file.
    #[error(
        "another Tagferry works on this database: it holds {}. Stop it first; several replicas need PostgreSQL",
        path.display()
    )]
    Locked {
        /// The file that the other process has locked.
        path: PathBuf,
    },
    /// The schema cannot be brought up to date.
    #[error("cannot bring the schema of the database up to date")]
    Migration(#[from] MigrateError),
    /// The lease passed on to somebody else, or what it was held on is settled: nothing was recorded.
    #[error("the claim on this work no longer holds; nothing was recorded")]
    ClaimLost,
    /// The work was woken while it was claimed: what was decided may be wrong by now. Nothing was recorded.
    #[error("something changed while this was decided; nothing was recorded")]
    Woken,
    /// Another promotion of the application has the pull request in that GitOps repository.
    #[error("another promotion of this application has the slot in the GitOps repository")]
    SlotTaken,
    /// A key from outside is longer than can be kept whole, and cutting it could make two of them the same.
    #[error("{what} is longer than {longest} bytes")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// The most that is taken.
        longest: usize,
    },
    /// A row holds what was never written there.
    #[error("the database holds something illegible in {what}")]
    Corrupt {
        /// Table and column, or what is missing.
        what: String,
    },
    /// It was to be recorded together with others, and none of them was.
    #[error("nothing was recorded of what came at the same time")]
    Together(#[source] Arc<Self>),
    /// The database refused or did not answer.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl Error {
    /// What it means for trying again.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::ClaimLost | Self::SlotTaken | Self::Woken => Fault::Stale,
            Self::Url
            | Self::NoFile
            | Self::Backup { .. }
            | Self::Open { .. }
            | Self::Locked { .. }
            | Self::TooLong { .. }
            | Self::Corrupt { .. } => Fault::Permanent,
            // A lock that another replica has, or a connection that broke, is no reason to give up.
            Self::Migration(_) if self.source_in_database().is_none() => Fault::Permanent,
            Self::Together(source) => source.fault(),
            _ if self.is_among(&LASTING_CODES, &LASTING_STATES) => Fault::Permanent,
            Self::Migration(_) | Self::Server(_) | Self::Database(_) => Fault::Transient,
        }
    }

    /// What a person has to do about it, where that is known.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        if self.is_among(&[13], &["53100"]) {
            return Some("there is no space left for the database of store.url: make room");
        }
        if self.is_among(&[11, 26], &["XX001", "XX002"]) {
            return Some("the database of store.url is damaged: stop the service and restore a backup");
        }
        None
    }

    /// Whether it may be the fault of one row among several, so that the others can be recorded without it.
    ///
    /// Any other is the database's, and each further try would cost all who wait as long as the first did.
    pub(crate) fn may_be_of_one(&self) -> bool {
        self.is_among(&CODES_OF_ONE, &STATES_OF_ONE)
    }

    /// Whether two transactions stood in each other's way, and PostgreSQL gave this one up.
    pub(crate) fn is_conflict(&self) -> bool {
        self.is_among(&[], &["40"])
    }

    /// What the database, or the way to it, said.
    fn source_in_database(&self) -> Option<&sqlx::Error> {
        if let Self::Server(source)
        | Self::Database(source)
        | Self::Migration(MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _)) = self
        {
            return Some(source);
        }
        if let Self::Open { source, .. } = self {
            return source.get_ref()?.downcast_ref();
        }
        None
    }

    /// Whether the database gave one of these codes: SQLite's without the details that an extended one has, or one of
    /// PostgreSQL, which alone are five characters long, that begins so.
    fn is_among(&self, codes: &[i32], states: &[&str]) -> bool {
        let Some(refusal) = self.source_in_database().and_then(sqlx::Error::as_database_error) else { return false };
        let code = refusal.code().unwrap_or_default();
        if code.len() == 5 {
            return states.iter().any(|state| code.starts_with(state));
        }
        code.parse::<i32>().is_ok_and(|extended| codes.contains(&(extended & 0xff)))
    }

    /// A row or column that does not read back.
    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }
}
