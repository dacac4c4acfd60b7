//! How a promotion ended, as a word and what it needs, in columns.

use domain::{
    commit::Commit,
    promotion::{Ending, Outcome},
};

use crate::{Error, rows, text::bounded};

/// The longest reason of a refusal that is kept, in bytes: the sentences of all evidence fit.
const LONGEST_REASON: usize = 24_000;

/// The columns of an ending or an outcome.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    /// What the domain calls it.
    pub(crate) word: String,
    /// The commit that it names.
    pub(crate) commit: Option<String>,
    /// The reason that it gives.
    pub(crate) why: Option<String>,
}

impl From<&Ending> for Columns {
    fn from(ending: &Ending) -> Self {
        let (commit, why) = match ending {
            Ending::AlreadyCurrent => (None, None),
            Ending::Superseded { by } => (Some(by.to_string()), None),
            Ending::Refused { why } => (None, Some(bounded(why, LONGEST_REASON))),
        };
        Self { word: ending.as_str().to_owned(), commit, why }
    }
}

impl From<&Outcome> for Columns {
    fn from(outcome: &Outcome) -> Self {
        let commit = match outcome {
            Outcome::Merged { commit } => commit.map(|commit| commit.to_string()),
            Outcome::Declined => None,
            Outcome::Ended(ending) => return Self::from(ending),
        };
        Self { word: outcome.as_str().to_owned(), commit, why: None }
    }
}

impl Columns {
    /// The ending that it was made from.
    pub(crate) fn ending(self) -> Result<Ending, Error> {
        let commit = self.commit()?;
        match (self.word.as_str(), commit, self.why) {
            ("already-current", None, None) => Ok(Ending::AlreadyCurrent),
            ("superseded", Some(by), None) => Ok(Ending::Superseded { by }),
            ("refused", None, Some(why)) => Ok(Ending::Refused { why }),
            _ => Err(Error::corrupt("how a promotion is to end")),
        }
    }

    /// The outcome that it was made from.
    pub(crate) fn outcome(self) -> Result<Outcome, Error> {
        let commit = self.commit()?;
        match (self.word.as_str(), commit, &self.why) {
            ("merged", commit, None) => Ok(Outcome::Merged { commit }),
            ("declined", None, None) => Ok(Outcome::Declined),
            _ => self.ending().map(Outcome::Ended),
        }
    }

    fn commit(&self) -> Result<Option<Commit>, Error> {
        self.commit.as_deref().map(|commit| rows::parse(commit, "the commit by which a promotion ended")).transpose()
    }
}
