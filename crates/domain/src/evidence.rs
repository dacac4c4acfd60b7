//! What was verified about a release, and what it adds up to.

mod checks;

use std::{collections::BTreeSet, fmt};

use chrono::{DateTime, Utc};

pub use checks::{App, CheckState, Reported};

use crate::{
    application::{Application, Demand, Name},
    commit::Commit,
    forge::Branch,
    release::{Barrier, Build},
};

/// What one verification is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The tag spells a full commit.
    Tag,
    /// The commit exists in the source repository.
    Commit,
    /// The commit is on an allowed branch.
    Branch,
    /// Every target's registry has the tag.
    Image,
    /// The tag never had another digest.
    Immutable,
}

/// How one verification ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It is so.
    Passed,
    /// It is not so, and will not become so.
    Failed,
    /// It may still become so.
    Pending {
        /// When it counts as failed.
        until: DateTime<Utc>,
    },
    /// The policy does not ask for it.
    Skipped,
}

/// One verification's outcome with what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What it is about.
    pub kind: Kind,
    /// How it ended.
    pub outcome: Outcome,
    /// One sentence for people.
    pub seen: String,
    /// Where it can be looked at.
    pub link: Option<String>,
}

/// What all evidence adds up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing failed and nothing is pending.
    Passed,
    /// Something is pending, nothing failed.
    Pending {
        /// What is waited for.
        why: String,
        /// When the first of it counts as failed.
        until: DateTime<Utc>,
    },
    /// Something failed.
    Failed {
        /// The sentences of what failed.
        why: String,
    },
}

/// What the forge says of a commit in the source repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// It does not know the commit.
    Absent,
    /// It knows the commit.
    Present {
        /// The first line of its message.
        subject: String,
        /// Where people read it.
        url: String,
        /// The allowed branch that it was found on.
        branch: Option<Branch>,
        /// The allowed branch that it was on, where it is on none now.
        left: Option<Left>,
        /// What checks say of it.
        checks: Vec<Reported>,
    },
}

/// That a branch was moved so that a commit is not on it any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Which branch.
    pub branch: Branch,
    /// When.
    pub at: DateTime<Utc>,
}

impl Kind {
    /// The word for it in configuration, columns and interfaces.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::Commit => "commit",
            Self::Branch => "branch",
            Self::Image => "image",
            Self::Immutable => "immutable",
        }
    }

    /// The kind with that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Tag, Self::Commit, Self::Branch, Self::Image, Self::Immutable]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

impl Outcome {
    /// The word for it in columns and interfaces.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Pending { .. } => "pending",
            Self::Skipped => "skipped",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Adds evidence up: worse evidence never gives a better verdict.
///
/// No evidence at all is no proof, hence a failure.
#[must_use]
pub fn verdict(evidence: &[Evidence]) -> Verdict {
    let sentences = |wanted: fn(&Outcome) -> bool| {
        let all: Vec<&str> = evidence.iter().filter(|one| wanted(&one.outcome)).map(|one| one.seen.as_str()).collect();
        all.join("; ")
    };
    if evidence.is_empty() {
        return Verdict::Failed { why: "nothing was verified".to_owned() };
    }
    let failed = sentences(|outcome| matches!(outcome, Outcome::Failed));
    if !failed.is_empty() {
        return Verdict::Failed { why: failed };
    }
    let deadlines = evidence.iter().filter_map(|one| match one.outcome {
        Outcome::Pending { until } => Some(until),
        Outcome::Passed | Outcome::Failed | Outcome::Skipped => None,
    });
    match deadlines.min() {
        Some(until) => Verdict::Pending { why: sentences(|outcome| matches!(outcome, Outcome::Pending { .. })), until },
        None => Verdict::Passed,
    }
}

/// The evidence that the registries and the tag give.
#[must_use]
pub fn of_builds(application: &Application, commit: Commit, builds: &[Build], barrier: &Barrier) -> Vec<Evidence> {
    vec![tag(application, commit), image(application, barrier), immutable(application, builds)]
}

/// The evidence that the source repository gives.
#[must_use]
pub fn of_source(application: &Application, commit: Commit, lookup: &Lookup) -> Vec<Evidence> {
    let source = &application.source;
    let allowed = join(source.branches.iter());
    match lookup {
        Lookup::Absent => vec![Evidence {
            kind: Kind::Commit,
            outcome: Outcome::Failed,
            seen: format!("commit {commit} does not exist in {}", source.repository),
            link: None,
        }],
        Lookup::Present { subject, url, branch, .. } => {
            let (outcome, seen) = match (application.verify.branch, branch) {
                (Demand::Off, _) => (Outcome::Skipped, "the branch was not looked at: verify.branch is off".to_owned()),
                (Demand::Required, Some(branch)) => {
                    (Outcome::Passed, format!("commit {} is on {branch}", commit.short()))
                }
                (Demand::Required, None) => (
                    Outcome::Failed,
                    format!(
                        "commit {} is not on an allowed branch of {} ({allowed})",
                        commit.short(),
                        source.repository
                    ),
                ),
            };
            vec![
                Evidence {
                    kind: Kind::Commit,
                    outcome: Outcome::Passed,
                    seen: format!("commit {} exists in {}: {subject}", commit.short(), source.repository),
                    link: Some(url.clone()),
                },
                Evidence { kind: Kind::Branch, outcome, seen, link: Some(url.clone()) },
            ]
        }
    }
}

fn tag(application: &Application, commit: Commit) -> Evidence {
    Evidence {
        kind: Kind::Tag,
        outcome: Outcome::Passed,
        seen: format!("tag {} names commit {}", application.tag.tag(commit), commit.short()),
        link: None,
    }
}

fn image(application: &Application, barrier: &Barrier) -> Evidence {
    let (outcome, seen) = match barrier {
        Barrier::Complete => (
            Outcome::Passed,
            format!("every target has the image: {}", join(application.targets().iter().map(|target| &target.name))),
        ),
        Barrier::Open { missing, until } => {
            (Outcome::Pending { until: *until }, format!("waiting for the image in {}", join(missing.iter())))
        }
        Barrier::Overdue { missing } => (
            Outcome::Failed,
            format!(
                "no image in {} within {} seconds of the first (release.deadline)",
                join(missing.iter()),
                application.release.deadline.as_secs()
            ),
        ),
    };
    Evidence { kind: Kind::Image, outcome, seen, link: None }
}

fn immutable(application: &Application, builds: &[Build]) -> Evidence {
    let evidence = |outcome, seen| Evidence { kind: Kind::Immutable, outcome, seen, link: None };
    if application.verify.immutable == Demand::Off {
        return evidence(Outcome::Skipped, "moved tags were not looked for: verify.immutable is off".to_owned());
    }
    let moved: BTreeSet<&Name> = builds
        .iter()
        .filter(|one| builds.iter().any(|other| other.target == one.target && other.digest != one.digest))
        .map(|build| &build.target)
        .collect();
    if moved.is_empty() {
        evidence(Outcome::Passed, "no tag was moved to another digest".to_owned())
    } else {
        evidence(Outcome::Failed, format!("the tag was moved to another digest in {}", join(moved.into_iter())))
    }
}

fn join<T: fmt::Display>(items: impl Iterator<Item = T>) -> String {
    let items: Vec<String> = items.map(|item| item.to_string()).collect();
    items.join(", ")
}

#[cfg(test)]
mod tests;
