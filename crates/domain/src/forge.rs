//! What the Git host names: repositories, branches, pull requests.

mod requirements;

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

pub use requirements::{CheckStanding, RequiredCheck, Requirements};

use crate::commit::Commit;

/// A Git repository on the forge: `owner/name`.
///
/// It prints as it was written, and is the same repository in any case: neither name is case sensitive
/// (<https://docs.github.com/en/rest/repos/repos#get-a-repository>).
#[derive(Clone, Debug)]
pub struct Repository {
    owner: String,
    name: String,
}

/// The short name of a branch: `main`, not `refs/heads/main`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Branch(String);

/// The number of a pull request in its repository, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Number(pub u64);

/// How a pull request becomes part of its base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MergeMethod {
    /// A merge commit with both histories.
    Merge,
    /// One new commit with all changes.
    Squash,
    /// The same commits again on top of the base.
    Rebase,
}

/// How two commits of one repository stand to each other, seen from the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ancestry {
    /// They are the same commit.
    Same,
    /// The first is an ancestor of the second.
    Ancestor,
    /// The first is a descendant of the second.
    Descendant,
    /// Neither is an ancestor of the other.
    Unrelated,
}

/// A pull request as the forge shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: Number,
    /// The forge's own key for it, opaque to us.
    pub handle: String,
    /// Where people read it.
    pub url: String,
    /// Whether it is open, and how it ended.
    pub state: PullRequestState,
    /// The commit at the tip of its branch.
    pub head: Commit,
    /// The branch that it is to be merged into, which a person may change.
    pub base: Branch,
    /// Whether the forge will merge it by itself once it may.
    pub auto_merge: AutoMerge,
    /// Whether it could be merged.
    pub mergeability: Mergeability,
    /// What its base requires and it does not have yet; empty where that was not asked for.
    pub missing: Requirements,
}

/// Whether a pull request is open, and how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullRequestState {
    /// It waits to be merged.
    Open,
    /// It was closed without a merge.
    Closed,
    /// It was merged by this commit of the base branch; `None` while the forge does not name it yet.
    Merged(Option<Commit>),
}

/// Whether the forge merges a pull request by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AutoMerge {
    /// It will, once everything that is required is there.
    Armed,
    /// It is in the merge queue of its base, which merges it once its checks have passed there.
    Queued,
    /// It was to be put into the merge queue of its base once everything is there; all is there, but it is not in.
    Unqueued,
    /// It will not.
    Disarmed,
}

/// Whether an open pull request could be merged into its base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mergeability {
    /// The forge has not worked it out yet.
    Unknown,
    /// Nothing stands in the way: everything required is there.
    Clean,
    /// It could be merged, but something that is not required failed or is running.
    Unstable,
    /// Something that the base branch requires is still missing.
    Blocked,
    /// The base branch requires that it contains the base's tip, and it does not.
    Behind,
    /// It changes what its base has changed too.
    Conflicting,
    /// It is a draft.
    Draft,
}

/// The text is not a repository of a forge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a repository is written owner/name, with letters, digits and . _ -")]
pub struct InvalidRepository;

/// The text is not the name of a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a branch name that Git accepts")]
pub struct InvalidBranch;

/// The text is not a way to merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("pull requests are merged by merge, squash or rebase")]
pub struct InvalidMergeMethod;

impl Repository {
    /// The account that owns it.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Its name under that account.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is compared by.
    fn folded(&self) -> impl Iterator<Item = u8> {
        let whole = self.owner.bytes().chain([b'/']).chain(self.name.bytes());
        whole.map(|byte| byte.to_ascii_lowercase())
    }
}

impl PartialEq for Repository {
    fn eq(&self, other: &Self) -> bool {
        self.folded().eq(other.folded())
    }
}

impl Eq for Repository {}

impl PartialOrd for Repository {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Repository {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(other.folded())
    }
}

impl Hash for Repository {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.folded() {
            state.write_u8(byte);
        }
        state.write_u8(0xff);
    }
}

impl Branch {
    /// The short name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The full name of the reference: `refs/heads/…`.
    #[must_use]
    pub fn reference(&self) -> String {
        format!("refs/heads/{}", self.0)
    }
}

impl AutoMerge {
    /// Whether there is an order to merge, however it is carried out.
    #[must_use]
    pub const fn is_ordered(self) -> bool {
        match self {
            Self::Armed | Self::Queued | Self::Unqueued => true,
            Self::Disarmed => false,
        }
    }
}

impl MergeMethod {
    /// The word for it in configuration and in the forge's interfaces.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Squash => "squash",
            Self::Rebase => "rebase",
        }
    }
}

impl FromStr for MergeMethod {
    type Err = InvalidMergeMethod;

    fn from_str(text: &str) -> Result<Self, InvalidMergeMethod> {
        [Self::Merge, Self::Squash, Self::Rebase]
            .into_iter()
            .find(|method| method.as_str() == text)
            .ok_or(InvalidMergeMethod)
    }
}

impl FromStr for Repository {
    type Err = InvalidRepository;

    fn from_str(text: &str) -> Result<Self, InvalidRepository> {
        let is_good = |part: &str| {
            !matches!(part, "" | "." | "..")
                && part.len() <= 100
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        };
        match text.split_once('/') {
            Some((owner, name)) if is_good(owner) && is_good(name) => {
                Ok(Self { owner: owner.to_owned(), name: name.to_owned() })
            }
            _ => Err(InvalidRepository),
        }
    }
}

impl FromStr for Branch {
    type Err = InvalidBranch;

    /// The rules of `git check-ref-format --branch`
    /// (<https://git-scm.com/docs/git-check-ref-format>), within printable ASCII.
    fn from_str(text: &str) -> Result<Self, InvalidBranch> {
        let is_good_part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
        let good = text.len() <= 244
            && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"~^:?*[\\".contains(&byte))
            && !text.starts_with('-')
            && !text.ends_with('.')
            && !text.contains("..")
            && !text.contains("@{")
            && text != "@"
            && text != "HEAD"
            && text.split('/').all(is_good_part);
        if good { Ok(Self(text.to_owned())) } else { Err(InvalidBranch) }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use super::*;

    #[test]
    fn a_repository_is_an_owner_and_a_name() {
        assert_eq!("acme/trinity.git-ops_1".parse::<Repository>().unwrap().name(), "trinity.git-ops_1");
        for bad in ["", "acme", "acme/", "/trinity", "a/b/c", "acme/..", "acme/a b", "acme/a?b"] {
            assert_eq!(bad.parse::<Repository>(), Err(InvalidRepository), "{bad}");
        }
    }

    #[test]
    fn a_repository_is_the_same_one_in_any_case_and_prints_as_it_was_written() {
        let written: Repository = "Acme/Trinity".parse().unwrap();
        let sent: Repository = "acme/trinity".parse().unwrap();
        assert_eq!(written, sent);
        assert_eq!(written.cmp(&sent), Ordering::Equal);
        assert!(HashSet::from([written.clone()]).contains(&sent));
        assert!(BTreeSet::from([sent]).contains(&written));
        assert_eq!(written.to_string(), "Acme/Trinity");
        for other in ["acme/trinit", "acme/trinity1", "acm/etrinity", "acme-trinity/x"] {
            assert_ne!(written, other.parse().unwrap(), "{other}");
        }
    }

    #[test]
    fn a_branch_is_what_git_accepts() {
        for good in ["main", "release/1.x", "mandelbrot/deploy-0123"] {
            assert!(good.parse::<Branch>().is_ok(), "{good} was refused");
        }
        for bad in ["", "-x", "a..b", "a b", "a/", "/a", ".a", "a/.b", "a.lock", "a@{1}", "@", "HEAD", "a:b", "a*", "é"]
        {
            assert_eq!(bad.parse::<Branch>(), Err(InvalidBranch), "{bad}");
        }
    }
}
