//! What is to be written.

use chrono::{DateTime, Utc};
use domain::{commit::Commit, proposal::ReleaseBranch};

/// A commit to be made on top of another.
#[derive(Clone, Copy, Debug)]
pub struct NewCommit<'a> {
    /// The release branch that it is for.
    pub branch: &'a ReleaseBranch,
    /// The commits that were recorded as ours on that branch.
    pub ours: &'a [Commit],
    /// Its only parent.
    pub tip: Commit,
    /// What it changes; everything else stays as it is.
    pub files: &'a [FileEdit],
    /// Its message.
    pub message: &'a str,
    /// When it is made, to the second; a forge that makes the commit itself has its own time.
    pub at: DateTime<Utc>,
}

/// The new content of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEdit {
    /// Where it is, from the repository's root.
    pub path: String,
    /// What it holds from now on.
    pub bytes: Vec<u8>,
}

impl NewCommit<'_> {
    /// The first line of the message.
    pub(crate) fn headline(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// What follows the first line and the empty line after it, without blanks at its end.
    pub(crate) fn body(&self) -> &str {
        self.message.split_once('\n').map_or("", |(_, rest)| rest).trim()
    }
}
