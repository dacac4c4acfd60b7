//! An application at one commit, with its builds, and the barrier that waits for all targets.

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    application::{Application, Name},
    image::{Digest, Reference},
};

/// A commit of an application found in one target's image repository, at one digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// The target whose cluster would pull it.
    pub target: Name,
    /// Where it was found.
    pub reference: Reference,
    /// What the registry answered.
    pub digest: Digest,
    /// When that was.
    pub found_at: DateTime<Utc>,
}

/// Whether every target has a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Barrier {
    /// Every target has one.
    Complete,
    /// Some targets have none yet, and there is still time.
    Open {
        /// The targets without a build, in the order of the configuration.
        missing: Vec<Name>,
        /// When waiting ends.
        until: DateTime<Utc>,
    },
    /// Some targets have none, and the time is over.
    Overdue {
        /// The targets without a build, in the order of the configuration.
        missing: Vec<Name>,
    },
}

/// Says whether every target has a build of the release.
///
/// `since` is when the first build was found, or when the release was last given a new chance.
#[must_use]
pub fn barrier(application: &Application, builds: &[Build], since: DateTime<Utc>, now: DateTime<Utc>) -> Barrier {
    let missing: Vec<Name> = application
        .targets()
        .iter()
        .map(|target| &target.name)
        .filter(|name| builds.iter().all(|build| build.target != **name))
        .cloned()
        .collect();
    let until = TimeDelta::from_std(application.release.deadline)
        .ok()
        .and_then(|deadline| since.checked_add_signed(deadline))
        .unwrap_or(DateTime::<Utc>::MAX_UTC);
    if missing.is_empty() {
        Barrier::Complete
    } else if now < until {
        Barrier::Open { missing, until }
    } else {
        Barrier::Overdue { missing }
    }
}

/// The build to release to a target: its newest.
#[must_use]
pub fn newest<'a>(builds: &'a [Build], target: &Name) -> Option<&'a Build> {
    builds.iter().filter(|build| build.target == *target).max_by_key(|build| build.found_at)
}

/// The digest to release to a target: that of its newest build.
#[must_use]
pub fn digest<'a>(builds: &'a [Build], target: &Name) -> Option<&'a Digest> {
    newest(builds, target).map(|build| &build.digest)
}

#[cfg(test)]
mod tests;
