//! What nobody told us: images that were pushed unheard, and releases of which only Git knows.

use crate::{
    application::{Application, Name},
    commit::Commit,
    image::{Digest, Reference, Tag},
};

/// What is known where images are looked for that nobody announced.
pub trait Known {
    /// Whether the image repository of a target has the tag.
    fn has(&self, target: &Name, tag: &Tag) -> bool;

    /// Whether the build of a commit in that target is recorded.
    fn is_recorded(&self, target: &Name, commit: Commit) -> bool;

    /// The commit that the overlay of a target names; `None` where it names none.
    fn deployed(&self, target: &Name) -> Option<Commit>;
}

/// The images that are there, that nobody announced, and that a release could be made of.
///
/// `history` is a branch of the source repository, newest commit first. Where a commit has an image for every target,
/// an older one would give way to it; and what is older than all that is deployed would move nothing forward.
#[must_use]
pub fn missed(application: &Application, history: &[Commit], known: &impl Known) -> Vec<Reference> {
    let mut missed = Vec::new();
    let mut ahead: Vec<&Name> = application.targets().iter().map(|target| &target.name).collect();
    for commit in history {
        ahead.retain(|target| known.deployed(target) != Some(*commit));
        if ahead.is_empty() {
            break;
        }
        let tag = application.tag.tag(*commit);
        let there: Vec<_> = application.targets().iter().filter(|target| known.has(&target.name, &tag)).collect();
        for target in &there {
            let reference = Reference { repository: target.repository.clone(), tag: tag.clone() };
            if !known.is_recorded(&target.name, *commit) && !missed.contains(&reference) {
                missed.push(reference);
            }
        }
        if there.len() == application.targets().len() {
            break;
        }
    }
    missed
}

/// A release as the message of its merge tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What was released.
    pub application: Name,
    /// What it was built from.
    pub commit: Commit,
    /// What the overlays got, by target.
    pub digests: Vec<(Name, Digest)>,
}

impl Told {
    /// Reads the trailers of [`Proposal::trailers`](crate::proposal::Proposal::trailers); `None` where they tell of no
    /// release.
    #[must_use]
    pub fn read(message: &str) -> Option<Self> {
        // Git's trailers are the last paragraph (<https://git-scm.com/docs/git-interpret-trailers>).
        let message = message.trim_end().replace("\r\n", "\n");
        let (_, last) = message.rsplit_once("\n\n")?;
        let trailers: Vec<(&str, &str)> = last.lines().filter_map(|line| line.split_once(": ")).collect();
        let value = |key| trailers.iter().find(|(name, _)| *name == key).map(|(_, value)| value.trim());
        let (application, commit) = value("Release-Id")?.split_once('/')?;
        let digest = |(name, digest): &(&str, &str)| {
            Some((name.strip_prefix("Image-Digest-")?.parse().ok()?, digest.trim().parse().ok()?))
        };
        Some(Self {
            application: application.parse().ok()?,
            commit: commit.parse().ok()?,
            digests: trailers.iter().filter_map(digest).collect(),
        })
    }
}

#[cfg(test)]
mod tests;
