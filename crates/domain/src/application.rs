//! What is released together, and by which policy.

mod image_name;
mod verify;

use std::{collections::BTreeSet, fmt, str::FromStr, time::Duration};

pub use self::{
    image_name::{ImageName, InvalidImageName},
    verify::{
        AppName, CheckRule, Demand, InvalidDemand, InvalidTolerated, InvalidWish, Provenance, Tolerated, Verify, Wish,
    },
};
use crate::{
    commit::Commit,
    forge::{self, Branch, MergeMethod},
    glob::Glob,
    image::{self, Tag},
};

/// The name of an application or a target: 1 to 63 lower-case letters, digits and inner dashes.
///
/// It becomes part of branch names and of addresses, hence the narrow grammar (that of a DNS label,
/// RFC 1123 section 2.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(String);

/// A directory of the GitOps repository that holds a kustomization, relative to the repository's root.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OverlayPath(String);

/// How a tag spells the commit that the image was built from: text with one `{commit}` in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TagPattern {
    before: String,
    after: String,
}

/// What is released together: one source repository, one image name, one target per cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    name: Name,
    targets: Vec<Target>,
    /// Where its code is.
    pub source: Source,
    /// Where its overlays are.
    pub gitops: Gitops,
    /// The `images[].name` to look for in each overlay, as written there.
    pub image: ImageName,
    /// Which tags stand for a commit.
    pub tag: TagPattern,
    /// When a release is complete and what is written.
    pub release: ReleasePolicy,
    /// Which evidence is asked for.
    pub verify: Verify,
    /// What its pull requests look like.
    pub pull_request: PullRequestPolicy,
}

/// One overlay and the image repository that its cluster pulls from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name, as `aws`.
    pub name: Name,
    /// Where its cluster pulls the image from.
    pub repository: image::Repository,
    /// The directory whose kustomization names the image.
    pub overlay: OverlayPath,
}

/// Where the code of an application is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its repository on the forge.
    pub repository: forge::Repository,
    /// The number that the repository has there, which stays when it is renamed; `None` where it is not compared.
    pub id: Option<u64>,
    /// The branches that a released commit must be on one of, by name or by pattern.
    pub branches: Vec<Glob>,
}

/// Where the overlays of an application are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gitops {
    /// Their repository on the forge.
    pub repository: forge::Repository,
    /// The branch that clusters follow and pull requests are merged into.
    pub base: Branch,
}

/// When a release is complete and what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReleasePolicy {
    /// How long after the first build the other targets' builds are waited for.
    pub deadline: Duration,
    /// Whether the digest is written beside the tag.
    pub pin: Pin,
}

/// Whether an overlay names the image by tag alone or by its digest too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pin {
    /// `newTag` alone.
    Tag,
    /// `newTag` and `digest`.
    TagAndDigest,
}

/// What the pull requests of an application look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequestPolicy {
    /// How they are merged once they may.
    pub merge_method: MergeMethod,
    /// The labels that they get.
    pub labels: Vec<String>,
    /// Whether our verdict is a status of their commits, `tagferry/verdict`, which a base branch can require.
    pub verdict_status: bool,
    /// How long one may be open before people are told that it does not land; `None` for as long as it takes.
    pub overdue_after: Option<Duration>,
}

/// The text is not the name of an application or target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name is 1 to 63 lower-case letters, digits and inner dashes")]
pub struct InvalidName;

/// The text is not an overlay directory inside the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an overlay is a directory inside the repository, relative to its root, without . or .. or .git")]
pub struct InvalidOverlayPath;

/// The text is not a pattern for tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTagPattern {
    /// `{commit}` is missing or stands more than once.
    #[error("a tag pattern contains {{commit}} exactly once, as in sha-{{commit}}")]
    Commit,
    /// With a commit in place it is no tag.
    #[error("with a commit in place the pattern is not a legal tag")]
    Tag,
}

/// The parts do not make an application.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidApplication {
    /// There is nothing to release to.
    #[error("an application has at least one target")]
    NoTargets,
    /// Two targets have the same name.
    #[error("two targets are named {0}")]
    SameName(Name),
    /// Two targets have the same overlay, so that each would undo the other.
    #[error("two targets have the overlay {0}")]
    SameOverlay(OverlayPath),
    /// No branch could ever hold a released commit.
    #[error("source.branches is empty: name at least one branch that releases come from")]
    NoBranches,
}

/// Why a tag does not stand for a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotACommit {
    /// It is the tag of a pull request's build, as `pr-12-…`.
    PullRequest,
    /// It does not match the pattern.
    Other,
}

impl Name {
    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl OverlayPath {
    /// The path as written, with `/` between its parts and none at its ends.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of a file in this directory.
    #[must_use]
    pub fn join(&self, file_name: &str) -> String {
        format!("{}/{file_name}", self.0)
    }
}

impl TagPattern {
    /// The commit that a tag stands for.
    ///
    /// # Errors
    ///
    /// The tag is that of a pull request, or otherwise does not spell a full commit in this pattern.
    pub fn commit(&self, tag: &Tag) -> Result<Commit, NotACommit> {
        tag.as_str()
            .strip_prefix(self.before.as_str())
            .and_then(|rest| rest.strip_suffix(self.after.as_str()))
            .and_then(|commit| commit.parse().ok())
            .ok_or(if is_pull_request_tag(tag) { NotACommit::PullRequest } else { NotACommit::Other })
    }

    /// The tag that stands for a commit.
    ///
    /// # Panics
    ///
    /// Never: a pattern is only made of what is a legal tag with any commit in place.
    #[must_use]
    pub fn tag(&self, commit: Commit) -> Tag {
        self.text(commit).parse().expect("the pattern was checked with a commit of the same length")
    }

    fn text(&self, commit: Commit) -> String {
        format!("{}{commit}{}", self.before, self.after)
    }
}

impl Application {
    /// Puts an application together.
    ///
    /// # Errors
    ///
    /// There is no target or no branch, or two targets get in each other's way.
    pub fn new(name: Name, targets: Vec<Target>, parts: Parts) -> Result<Self, InvalidApplication> {
        if targets.is_empty() {
            return Err(InvalidApplication::NoTargets);
        }
        if parts.source.branches.is_empty() {
            return Err(InvalidApplication::NoBranches);
        }
        let (mut names, mut overlays) = (BTreeSet::new(), BTreeSet::new());
        for target in &targets {
            if !names.insert(&target.name) {
                return Err(InvalidApplication::SameName(target.name.clone()));
            }
            if !overlays.insert(&target.overlay) {
                return Err(InvalidApplication::SameOverlay(target.overlay.clone()));
            }
        }
        let Parts { source, gitops, image, tag, release, verify, pull_request } = parts;
        Ok(Self { name, targets, source, gitops, image, tag, release, verify, pull_request })
    }

    /// Whether checks of that repository matter to its releases.
    #[must_use]
    pub fn is_checked_in(&self, repository: &forge::Repository) -> bool {
        !self.verify.checks.is_empty() && self.source.repository == *repository
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The application as if only those of its targets were there that pull from a repository; where none does, as if
    /// its first target did.
    #[must_use]
    pub fn pulling_from(&self, repository: &image::Repository) -> Self {
        let mut narrowed = self.clone();
        narrowed.targets.retain(|target| target.repository == *repository);
        if narrowed.targets.is_empty() {
            let first = self.targets.first().cloned();
            narrowed.targets =
                first.map(|target| Target { repository: repository.clone(), ..target }).into_iter().collect();
        }
        narrowed
    }

    /// Where it is released to, in the order of the configuration; at least one.
    #[must_use]
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }
}

/// All of an application but its name and targets, as [`Application::new`] takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Where its code is.
    pub source: Source,
    /// Where its overlays are.
    pub gitops: Gitops,
    /// The `images[].name` to look for in each overlay.
    pub image: ImageName,
    /// Which tags stand for a commit.
    pub tag: TagPattern,
    /// When a release is complete and what is written.
    pub release: ReleasePolicy,
    /// Which evidence is asked for.
    pub verify: Verify,
    /// What its pull requests look like.
    pub pull_request: PullRequestPolicy,
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let good = (1..=63).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        if good { Ok(Self(text.to_owned())) } else { Err(InvalidName) }
    }
}

impl FromStr for OverlayPath {
    type Err = InvalidOverlayPath;

    fn from_str(text: &str) -> Result<Self, InvalidOverlayPath> {
        let is_good = |part: &str| {
            !matches!(part, "" | "." | "..")
                && !part.eq_ignore_ascii_case(".git")
                && !part.contains(['\\', '\0'])
                && !part.chars().any(char::is_control)
        };
        if text.split('/').all(is_good) { Ok(Self(text.to_owned())) } else { Err(InvalidOverlayPath) }
    }
}

impl FromStr for TagPattern {
    type Err = InvalidTagPattern;

    fn from_str(text: &str) -> Result<Self, InvalidTagPattern> {
        let (before, after) = text.split_once("{commit}").ok_or(InvalidTagPattern::Commit)?;
        if after.contains("{commit}") {
            return Err(InvalidTagPattern::Commit);
        }
        let pattern = Self { before: before.to_owned(), after: after.to_owned() };
        match pattern.text(Commit::from_bytes([0; 20])).parse::<Tag>() {
            Ok(_) => Ok(pattern),
            Err(image::InvalidTag) => Err(InvalidTagPattern::Tag),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for OverlayPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TagPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{{commit}}{}", self.before, self.after)
    }
}

/// `pr-12`, `pr-12-…`: how workflows commonly tag what they build for a pull request.
fn is_pull_request_tag(tag: &Tag) -> bool {
    tag.as_str().strip_prefix("pr-").is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

#[cfg(test)]
mod tests;
