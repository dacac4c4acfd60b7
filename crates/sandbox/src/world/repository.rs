//! A repository with its settings and the protection of its branches.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    str::FromStr,
};

use chrono::{DateTime, Utc};
use domain::forge::{self, InvalidRepository};
use serde::{Deserialize, Serialize};

use crate::{
    git::{self, Bare, FileChange, Oid, Standing, Trial},
    refusal::Refusal,
    world::{
        activity::Activity,
        attestation::Attestation,
        check::{CheckRun, Report, Status},
        pull_request::PullRequest,
        rules::Rules,
    },
};

/// The name of a repository, `owner/name`, without regard to upper and lower case as on GitHub.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(forge::Repository);

/// How a repository wants its pull requests merged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "these are GitHub's own settings")]
pub struct Settings {
    /// Whether pull requests may wait to be merged by the forge; off as on GitHub.
    pub allow_auto_merge: bool,
    /// Whether a pull request may become one commit.
    pub allow_squash_merge: bool,
    /// Whether a pull request may become a merge commit.
    pub allow_merge_commit: bool,
    /// Whether the commits of a pull request may be put on top of the base.
    pub allow_rebase_merge: bool,
    /// Whether the branch goes when its pull request is merged.
    pub delete_branch_on_merge: bool,
    /// Whether only its members see it.
    pub private: bool,
    /// How many times a pull request is read after each push before its `mergeable` is known.
    pub mergeable_unknown_reads: u32,
    /// Checks that conclude by themselves after a push to the head of a pull request.
    pub automatic_checks: Vec<AutomaticCheck>,
}

/// A check that concludes by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutomaticCheck {
    /// What it says.
    #[serde(flatten)]
    pub report: Report,
    /// How long after the push, in milliseconds of real time.
    #[serde(default)]
    pub after_ms: u64,
}

/// What a branch asks of those who change it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "these are GitHub's own rules")]
pub struct Protection {
    /// The checks that a commit needs, as statuses or check runs.
    pub required_checks: Vec<String>,
    /// Whether a pull request must contain the tip of the branch.
    pub strict: bool,
    /// How many people must approve a pull request.
    pub required_approving_reviews: u32,
    /// Whether the branch only changes by pull request.
    pub require_pull_request: bool,
    /// The accounts that may push and merge; `None` for all.
    pub restrict_pushes: Option<Vec<String>>,
    /// Whether the branch may lose commits.
    pub allow_force_pushes: bool,
    /// Whether the branch may be deleted.
    pub allow_deletions: bool,
}

/// A repository of the forge.
#[derive(Debug)]
pub(crate) struct Repository {
    pub(crate) id: u64,
    pub(crate) key: Key,
    pub(crate) default_branch: String,
    pub(crate) settings: Settings,
    pub(crate) protections: BTreeMap<String, Protection>,
    /// The active ruleset of each branch that has one.
    pub(crate) rules: BTreeMap<String, Rules>,
    /// The names of its labels.
    pub(crate) labels: BTreeSet<String>,
    /// The commits that GitHub made and signed.
    pub(crate) signed: BTreeSet<Oid>,
    pub(crate) git: Bare,
    /// The branches as they were when their changes were last followed up.
    pub(crate) tips: BTreeMap<String, Oid>,
    pub(crate) pull_requests: BTreeMap<u64, PullRequest>,
    pub(crate) statuses: Vec<Status>,
    pub(crate) check_runs: Vec<CheckRun>,
    pub(crate) attestations: Vec<Attestation>,
    /// What happened to its branches, in that order.
    pub(crate) activities: Vec<Activity>,
    /// Whether the App may use it.
    pub(crate) installed: bool,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) pushed_at: DateTime<Utc>,
    standings: RefCell<HashMap<(Oid, Oid), Standing>>,
    trials: RefCell<HashMap<(Oid, Oid), Trial>>,
    changes: RefCell<HashMap<(Oid, Oid), Vec<FileChange>>>,
}

impl Repository {
    /// A repository without pull requests.
    pub(crate) fn new(
        id: u64,
        key: Key,
        git: Bare,
        tips: BTreeMap<String, Oid>,
        now: DateTime<Utc>,
    ) -> Result<Self, git::Error> {
        Ok(Self {
            id,
            key,
            default_branch: git.default_branch()?,
            settings: Settings::default(),
            protections: BTreeMap::new(),
            rules: BTreeMap::new(),
            labels: BTreeSet::new(),
            signed: BTreeSet::new(),
            git,
            tips,
            pull_requests: BTreeMap::new(),
            statuses: Vec::new(),
            check_runs: Vec::new(),
            attestations: Vec::new(),
            activities: Vec::new(),
            installed: true,
            created_at: now,
            pushed_at: now,
            standings: RefCell::default(),
            trials: RefCell::default(),
            changes: RefCell::default(),
        })
    }

    /// A pull request that must exist.
    pub(crate) fn pull_request(&self, number: u64) -> Result<&PullRequest, Refusal> {
        self.pull_requests.get(&number).ok_or_else(Refusal::not_found)
    }

    /// A pull request that must exist, to change it.
    pub(crate) fn pull_request_mut(&mut self, number: u64) -> Result<&mut PullRequest, Refusal> {
        self.pull_requests.get_mut(&number).ok_or_else(Refusal::not_found)
    }

    /// The name of a label as it was made; they are the same in any case.
    pub(crate) fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().map(String::as_str).find(|known| known.eq_ignore_ascii_case(name))
    }

    /// The commit that a branch, a tag, a full reference or a full commit name stands for.
    pub(crate) fn resolve(&self, reference: &str) -> Result<Option<Oid>, git::Error> {
        if let Some(tip) = self.tips.get(reference) {
            return Ok(Some(tip.clone()));
        }
        let full = reference.strip_prefix("heads/").or_else(|| reference.strip_prefix("refs/heads/"));
        match full.and_then(|branch| self.tips.get(branch)) {
            Some(tip) => Ok(Some(tip.clone())),
            None => self.git.resolve(reference),
        }
    }

    /// How a head stands to a base; remembered, as commits never change.
    pub(crate) fn standing(&self, base: &Oid, head: &Oid) -> Result<Standing, git::Error> {
        let pair = (base.clone(), head.clone());
        if let Some(known) = self.standings.borrow().get(&pair) {
            return Ok(known.clone());
        }
        let standing = self.git.standing(base, head)?;
        self.standings.borrow_mut().insert(pair, standing.clone());
        Ok(standing)
    }

    /// The files that a head changed since it left a base; remembered, as commits never change.
    pub(crate) fn changes(&self, base: &Oid, head: &Oid) -> Result<Vec<FileChange>, git::Error> {
        let pair = (base.clone(), head.clone());
        if let Some(known) = self.changes.borrow().get(&pair) {
            return Ok(known.clone());
        }
        let changes = self.git.changes(base, head)?;
        self.changes.borrow_mut().insert(pair, changes.clone());
        Ok(changes)
    }

    /// What merging a head into a base would give; remembered, as commits never change.
    pub(crate) fn trial(&self, base: &Oid, head: &Oid) -> Result<Trial, git::Error> {
        let pair = (base.clone(), head.clone());
        if let Some(known) = self.trials.borrow().get(&pair) {
            return Ok(known.clone());
        }
        let trial = self.git.try_merge(base, head)?;
        self.trials.borrow_mut().insert(pair, trial.clone());
        Ok(trial)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allow_auto_merge: false,
            allow_squash_merge: true,
            allow_merge_commit: true,
            allow_rebase_merge: true,
            delete_branch_on_merge: false,
            private: true,
            mergeable_unknown_reads: 0,
            automatic_checks: Vec::new(),
        }
    }
}

impl Key {
    /// The account that owns it.
    #[must_use]
    pub fn owner(&self) -> &str {
        self.0.owner()
    }

    /// Its name under that account.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    fn folded(&self) -> (String, String) {
        (self.owner().to_ascii_lowercase(), self.name().to_ascii_lowercase())
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.folded() == other.folded()
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.folded().cmp(&other.folded())
    }
}

impl FromStr for Key {
    type Err = InvalidRepository;

    /// As GitHub does, it takes no name that ends in `.git`: an address with it would name another repository.
    fn from_str(text: &str) -> Result<Self, InvalidRepository> {
        let repository: forge::Repository = text.parse()?;
        if repository.name().ends_with(".git") { Err(InvalidRepository) } else { Ok(Self(repository)) }
    }
}

impl TryFrom<String> for Key {
    type Error = InvalidRepository;

    fn try_from(text: String) -> Result<Self, InvalidRepository> {
        text.parse()
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.to_string()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_repository_that_an_address_can_name() {
        let parse = |text: &str| text.parse::<Key>();
        assert_eq!(parse("Acme/Trinity"), parse("acme/trinity"));
        assert_eq!(parse("acme/.github").unwrap().name(), ".github");
        for bad in ["acme", "acme/..", "acme/trinity.git"] {
            assert_eq!(parse(bad), Err(InvalidRepository), "{bad}");
        }
    }
}
