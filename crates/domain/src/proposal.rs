//! What a promotion writes into Git and shows to people: branch, commit message, title and body.
//!
//! All of it follows from a [`Proposal`], so that what is planned reads as what is proposed then. What others wrote,
//! such as the subject of a commit, is told and does nothing.

mod body;
mod foreign;
mod history;
mod marker;
mod rewording;

use std::fmt::Write as _;

pub(crate) use self::foreign::markdown;
use self::foreign::{shorten, unlinked};
pub use self::{
    history::{Between, Listed, MOST_LISTED},
    marker::{Author, Authors, Marker},
    rewording::Rewording,
};
use crate::{
    application::{Application, Name},
    commit::Commit,
    evidence::Evidence,
    forge::Branch,
    image::{Digest, Repository, Tag},
};

/// The longest title that is written, in characters: GitHub refuses a longer one for good.
const LONGEST_TITLE: usize = 256;

/// How many characters of the subject are in the title: beside them and the longest name of an application, there is
/// room for one target with the longest name and the number of the others.
const LONGEST_SUBJECT: usize = 90;

/// How many characters the names of targets take in a sentence.
const LONGEST_NAMES: usize = 200;

/// What one target's overlay is moved from and to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Which target.
    pub target: Name,
    /// The image repository that its cluster pulls from.
    pub repository: Repository,
    /// The tag that the overlay has now; `None` when it names none.
    pub from: Option<String>,
    /// The commit that this tag stands for; `None` when it stands for none.
    pub from_commit: Option<Commit>,
    /// The tag that it will have.
    pub to: Tag,
    /// What that tag points to.
    pub digest: Digest,
    /// The file that is edited, from the repository's root.
    pub path: String,
}

/// Everything that a pull request tells about a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal<'a> {
    /// What is released.
    pub application: &'a Application,
    /// At which commit.
    pub commit: Commit,
    /// The first line of that commit's message; `None` when it is not known.
    pub subject: Option<&'a str>,
    /// What is edited, in the order of the configuration.
    pub moves: &'a [Move],
    /// What was verified.
    pub evidence: &'a [Evidence],
    /// What the source repository has between what the overlays have and the release: once for each commit that they
    /// have, as far as the source repository knows it and it is older.
    pub between: &'a [Between],
    /// What it is known to wait for.
    pub outlook: Outlook<'a>,
}

/// What stands between a pull request and its merge, as far as that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outlook<'a> {
    /// The names of the checks that the base branch requires; `None` when they are not known.
    pub required_checks: Option<&'a [String]>,
    /// Why nothing is merged at present and until when, as a sentence without its full stop; `None` when nothing is
    /// frozen, as far as is known.
    pub freeze: Option<&'a str>,
}

/// The branch that a release is proposed on: `<application>/deploy-<commit>`.
///
/// Only these are ever pushed to, with force: a base branch can not become one by any configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReleaseBranch(Branch);

impl ReleaseBranch {
    /// The branch of a release.
    ///
    /// # Panics
    ///
    /// Never: a name and a commit always make a legal branch.
    #[must_use]
    pub fn new(application: &Name, commit: Commit) -> Self {
        Self(
            format!("{application}/deploy-{commit}")
                .parse()
                .expect("lower-case letters, digits and dashes around one slash are a legal branch"),
        )
    }

    /// It as a branch among others.
    #[must_use]
    pub fn branch(&self) -> &Branch {
        &self.0
    }
}

impl Proposal<'_> {
    /// The title, which is the subject of the commit as well; at most 256 characters.
    #[must_use]
    pub fn title(&self) -> String {
        let subject = self.subject.map(|subject| unlinked(subject, LONGEST_SUBJECT));
        // It is cut once more, since it may be longer with what keeps it from referring to something.
        let subject = subject.map(|subject| shorten(&subject, LONGEST_SUBJECT)).filter(|subject| !subject.is_empty());
        let what =
            subject.map_or_else(|| self.commit.short(), |subject| format!("{subject} ({})", self.commit.short()));
        let start = format!("release({}): {what} → ", self.application.name());
        let targets: Vec<&str> = self.moves.iter().map(|one| one.target.as_str()).collect();
        let room = LONGEST_TITLE.saturating_sub(start.chars().count());
        start + &listed(&targets, room)
    }

    /// The message of the commit: the title, then the trailers.
    #[must_use]
    pub fn commit_message(&self) -> String {
        format!("{}\n\n{}", self.title(), self.trailers())
    }

    /// Trailers from which Git alone can tell the release (<https://git-scm.com/docs/git-interpret-trailers>).
    ///
    /// The same release at the same digests has the same trailers, whoever writes them and whenever.
    #[must_use]
    pub fn trailers(&self) -> String {
        let release = marker::release_id(self.application.name(), self.commit);
        let mut trailers = format!("Release-Id: {release}\nSource-Commit: {}\n", self.commit);
        for one in self.moves {
            push(&mut trailers, format_args!("Image-Digest-{}: {}\n", one.target, one.digest));
        }
        trailers
    }
}

/// Appends; writing to a string does not fail.
fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a string takes everything that is written to it");
}

/// As many names as have room, in characters, and the number of the others.
fn listed(names: &[&str], room: usize) -> String {
    let first = |shown: usize| {
        let (named, others) = names.split_at(shown);
        let named = named.join(", ");
        if others.is_empty() { named } else { format!("{named} and {} more", others.len()) }
    };
    // Each takes a character at least.
    let fitting = (1..=names.len().min(room)).rev().map(first).find(|list| list.chars().count() <= room);
    fitting.unwrap_or_else(|| format!("{} targets", names.len()))
}

/// The targets of moves, in a sentence.
fn names(moves: &[&Move]) -> String {
    listed(&moves.iter().map(|one| one.target.as_str()).collect::<Vec<_>>(), LONGEST_NAMES)
}

#[cfg(test)]
mod tests;
