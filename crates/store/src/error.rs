//! What can go wrong, by what a caller could do about it.

use std::{io, path::PathBuf, sync::Arc};

use domain::fault::Fault;

/// The result codes of SQLite that no repetition changes (<https://www.sqlite.org/rescode.html>):
/// read-only, corrupt, full, not a database.
const LASTING_CODES: [i32; 4] = [8, 11, 13, 26];

/// Why something could not be remembered or recalled.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The setting is not the address of a database file. It may hold a password, so it is not repeated.
    #[error("store.url is not of the form sqlite:///path/to/tagferry.db")]
    Url,
    /// The database file cannot be opened.
    #[error("cannot open the database of store.url {url}")]
    Open {
        /// The setting.
        url: String,
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
    Migration(#[from] sqlx::migrate::MigrateError),
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
            | Self::Open { .. }
            | Self::Locked { .. }
            | Self::Migration(_)
            | Self::TooLong { .. }
            | Self::Corrupt { .. } => Fault::Permanent,
            Self::Together(source) => source.fault(),
            Self::Database(_) if self.result_code().is_some_and(|code| LASTING_CODES.contains(&code)) => {
                Fault::Permanent
            }
            Self::Database(_) => Fault::Transient,
        }
    }

    /// What SQLite says, without the details that an extended result code has.
    pub(crate) fn result_code(&self) -> Option<i32> {
        let Self::Database(source) = self else { return None };
        let extended = source.as_database_error()?.code()?.parse::<i32>().ok()?;
        Some(extended & 0xff)
    }

    /// A row or column that does not read back.
    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }
}
