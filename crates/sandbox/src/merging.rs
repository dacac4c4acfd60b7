//! Whether a pull request may be merged, and merging it.

mod auto;
mod perform;

use crate::{
    git::{self, Trial},
    refusal::Refusal,
    world::{
        check::Outcome,
        pull_request::PullRequest,
        repository::{Protection, Repository},
    },
};

pub(crate) use auto::ArmRequest;
pub(crate) use perform::MergeRequest;

/// Whether an open pull request could be merged (`mergeable_state` in REST, `mergeStateStatus` in GraphQL).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MergeState {
    /// It is not worked out yet, or the pull request is not open.
    Unknown,
    /// It changes what its base has changed too.
    Dirty,
    /// It is a draft.
    Draft,
    /// Something that the base branch requires is missing: the sentence says what.
    Blocked(String),
    /// It must contain the tip of its base, and does not.
    Behind,
    /// It could be merged, but a check that is not required failed or is at work.
    Unstable,
    /// Nothing stands in the way.
    Clean,
}

impl MergeState {
    /// The word for it in REST; GraphQL has the same in capitals.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Dirty => "dirty",
            Self::Draft => "draft",
            Self::Blocked(_) => "blocked",
            Self::Behind => "behind",
            Self::Unstable => "unstable",
            Self::Clean => "clean",
        }
    }

    /// Whether Git can merge it; `None` when that is not worked out.
    pub(crate) const fn mergeable(&self) -> Option<bool> {
        match self {
            Self::Unknown => None,
            Self::Dirty => Some(false),
            Self::Draft | Self::Blocked(_) | Self::Behind | Self::Unstable | Self::Clean => Some(true),
        }
    }
}

/// Works out how a pull request stands now.
pub(crate) fn state(repository: &Repository, pull_request: &PullRequest) -> Result<MergeState, git::Error> {
    if !pull_request.is_open() {
        return Ok(MergeState::Unknown);
    }
    let (base, head) = (&pull_request.base, &pull_request.head);
    if repository.trial(base, head)? == Trial::Conflict {
        return Ok(MergeState::Dirty);
    }
    if pull_request.draft {
        return Ok(MergeState::Draft);
    }
    if let Some(protection) = repository.protections.get(&pull_request.base_branch) {
        if let Some(sentence) = what_is_missing(repository, protection, pull_request) {
            return Ok(MergeState::Blocked(sentence));
        }
        if protection.strict && repository.standing(base, head)?.behind > 0 {
            return Ok(MergeState::Behind);
        }
    }
    Ok(match repository.rollup_of(head) {
        Some(Outcome::Failure | Outcome::Pending) => MergeState::Unstable,
        Some(Outcome::Success) | None => MergeState::Clean,
    })
}

/// How a pull request stands as a reader sees it: unknown for the first reads, when the repository is set so.
pub(crate) fn state_as_read(repository: &Repository, pull_request: &PullRequest) -> Result<MergeState, git::Error> {
    let left = pull_request.unknown_reads.get();
    if left > 0 && pull_request.is_open() {
        pull_request.unknown_reads.set(left - 1);
        return Ok(MergeState::Unknown);
    }
    state(repository, pull_request)
}

/// The first requirement of the base branch that is not fulfilled.
fn what_is_missing(repository: &Repository, protection: &Protection, pull_request: &PullRequest) -> Option<String> {
    let approvals = u32::try_from(pull_request.approvals.len()).unwrap_or(u32::MAX);
    let required = protection.required_approving_reviews;
    if approvals < required {
        let reviews = if required == 1 { "review is" } else { "reviews are" };
        return Some(format!("At least {required} approving {reviews} required by reviewers with write access."));
    }
    missing_checks(repository, &protection.required_checks, &pull_request.head)
}

/// The sentence about the required checks of a commit that did not succeed; `None` when all did.
pub(crate) fn missing_checks(repository: &Repository, required: &[String], head: &git::Oid) -> Option<String> {
    let outcomes = repository.outcomes_of(head);
    let outcome_of = |name: &String| {
        let found = outcomes.iter().filter(|(known, _)| known == name);
        found.map(|(_, outcome)| *outcome).max_by_key(|outcome| match outcome {
            Outcome::Success => 0,
            Outcome::Pending => 1,
            Outcome::Failure => 2,
        })
    };
    let unmet = required.iter().map(|name| (name, outcome_of(name)));
    let unmet: Vec<_> = unmet.filter(|(_, outcome)| *outcome != Some(Outcome::Success)).collect();
    match unmet.as_slice() {
        [] => None,
        [(name, outcome)] => {
            let is = match outcome {
                None | Some(Outcome::Success) => "expected",
                Some(Outcome::Pending) => "pending",
                Some(Outcome::Failure) => "failing",
            };
            Some(format!("Required status check \"{name}\" is {is}."))
        }
        several => Some(format!("{} of {} required status checks are expected.", several.len(), required.len())),
    }
}

/// Whether an account may change a branch at all.
pub(crate) fn may_push(repository: &Repository, branch: &str, login: &str) -> bool {
    let restricted = repository.protections.get(branch).and_then(|it| it.restrict_pushes.as_ref());
    restricted.is_none_or(|logins| {
        let bare = login.trim_end_matches("[bot]");
        logins.iter().any(|known| known.trim_end_matches("[bot]").eq_ignore_ascii_case(bare))
    })
}

/// Refuses a method that the repository does not allow, in the words of the caller.
fn require_method(
    repository: &Repository,
    method: crate::world::pull_request::Method,
    refuse: impl FnOnce(&'static str, &'static str) -> Refusal,
) -> Result<(), Refusal> {
    use crate::world::pull_request::Method;
    let settings = &repository.settings;
    match method {
        Method::Merge if !settings.allow_merge_commit => Err(refuse("Merge commits", "merge commits are")),
        Method::Squash if !settings.allow_squash_merge => Err(refuse("Squash merges", "squash merging is")),
        Method::Rebase if !settings.allow_rebase_merge => Err(refuse("Rebase merges", "rebase merging is")),
        Method::Merge | Method::Squash | Method::Rebase => Ok(()),
    }
}
