//! What was verified about a release, one file for each kind, and what it adds up to.
//!
//! Each rule is a function of what was found out, which somebody else does: a question that could not be answered makes
//! no evidence, so that a failure on the way is neither a failure of the release nor a pass. What the images and those
//! who built them say is looked at when every target has the image; until then the missing images are evidence enough.

mod branch;
mod builder;
mod checks;
mod commit;
mod gate;
mod image;
mod immutable;
mod provenance;
mod revision;
mod tag;
mod verdict;

use std::{collections::BTreeMap, fmt, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};

pub use self::{
    branch::branch,
    builder::{BuilderReport, builder},
    checks::{App, CheckState, Reported, checks},
    commit::commit,
    gate::{GateAnswer, GateVerdict, gate},
    image::image,
    immutable::immutable,
    provenance::{Attestations, Attested, AttestedBy, Examined, Origin, provenance},
    revision::revision,
    tag::tag,
    verdict::{Verdict, verdict},
};
use crate::{
    application::{Application, Name},
    forge::Branch,
    image::{Contents, Digest},
    release::{Build, newest},
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
    /// The checks of the commit passed.
    Checks,
    /// Every target's registry has the tag.
    Image,
    /// The tag never had another digest.
    Immutable,
    /// The image says that it was built from the commit.
    Revision,
    /// GitHub Actions posted that it built the image.
    Builder,
    /// A signed attestation names the repository and the commit.
    Provenance,
    /// A service of the operator's own lets the images through.
    Gate,
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

/// What is behind the digests that were looked at; one that is not among them is not in its registry any more.
pub type Images = BTreeMap<Digest, Arc<Contents>>;

/// How long what is not there yet is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The time of the question.
    pub now: DateTime<Utc>,
    /// When waiting ends.
    pub until: DateTime<Utc>,
}

impl Kind {
    /// All of them, in the order in which people read them.
    pub const ALL: [Self; 10] = [
        Self::Tag,
        Self::Commit,
        Self::Branch,
        Self::Checks,
        Self::Image,
        Self::Immutable,
        Self::Revision,
        Self::Builder,
        Self::Provenance,
        Self::Gate,
    ];

    /// Those that no policy can do without.
    pub const ALWAYS: [Self; 3] = [Self::Tag, Self::Commit, Self::Image];

    /// The word for it in configuration, columns and interfaces.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::Commit => "commit",
            Self::Branch => "branch",
            Self::Checks => "checks",
            Self::Image => "image",
            Self::Immutable => "immutable",
            Self::Revision => "revision",
            Self::Builder => "builder",
            Self::Provenance => "provenance",
            Self::Gate => "gate",
        }
    }

    /// The kind with that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
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

impl Evidence {
    fn passed(kind: Kind, seen: String) -> Self {
        Self { kind, outcome: Outcome::Passed, seen, link: None }
    }

    fn failed(kind: Kind, seen: String) -> Self {
        Self { kind, outcome: Outcome::Failed, seen, link: None }
    }

    fn skipped(kind: Kind, seen: String) -> Self {
        Self { kind, outcome: Outcome::Skipped, seen, link: None }
    }

    fn at(self, link: Option<&String>) -> Self {
        Self { link: link.cloned(), ..self }
    }
}

impl Wait {
    /// From the last image that is known on, or from `since` where there is none; for as long as the application says.
    #[must_use]
    pub fn new(application: &Application, builds: &[Build], since: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let newest = application.targets().iter().filter_map(|target| newest(builds, &target.name));
        let from = newest.map(|build| build.found_at).fold(since, DateTime::max);
        let until =
            TimeDelta::from_std(application.verify.deadline).ok().and_then(|long| from.checked_add_signed(long));
        Self { now, until: until.unwrap_or(DateTime::<Utc>::MAX_UTC) }
    }

    /// What is not so yet: pending, and failed once waiting has ended.
    fn pending(self, kind: Kind, missing: &str) -> Evidence {
        if self.now < self.until {
            let outcome = Outcome::Pending { until: self.until };
            Evidence { kind, outcome, seen: missing.to_owned(), link: None }
        } else {
            Evidence::failed(kind, format!("{missing}, and that for too long (verify.deadline)"))
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is so of which targets, each of it once with those that it is so of, in the order in which it was found.
fn grouped<'a>(found: &[(String, &'a Name)]) -> Vec<(String, Vec<&'a Name>)> {
    let mut groups: Vec<(String, Vec<&Name>)> = Vec::new();
    for (what, target) in found {
        match groups.iter_mut().find(|(known, _)| known == what) {
            Some((_, targets)) => targets.push(target),
            None => groups.push((what.clone(), vec![target])),
        }
    }
    groups
}

/// What is missing in the targets' registries, though it was there.
fn gone(found: &[(String, &Name)]) -> String {
    let groups = grouped(found);
    let gone = groups.iter().map(|(digest, targets)| format!("{digest} in {}", join(targets.iter())));
    format!("the registry does not have {} any more", join(gone))
}

fn join<T: fmt::Display>(items: impl Iterator<Item = T>) -> String {
    let items: Vec<String> = items.map(|item| item.to_string()).collect();
    items.join(", ")
}

#[cfg(test)]
mod tests;
