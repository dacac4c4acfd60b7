//! Whether a pull request may be merged, and merging it.

mod auto;
mod perform;
pub(crate) mod queue;

use crate::{
    git::{self, Trial},
    refusal::Refusal,
    world::{
        check::Outcome,
        pull_request::{Method, PullRequest},
        repository::Repository,
        rules::Demands,
    },
};

pub(crate) use auto::ArmRequest;
pub(crate) use perform::MergeRequest;
pub(crate) use queue::EnqueueRequest;

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
    if let Some(demands) = repository.demands(&pull_request.base_branch) {
        if let Some(sentence) = what_is_missing(repository, &demands, pull_request)? {
            return Ok(MergeState::Blocked(sentence));
        }
        // A queue tries each pull request on top of its base, so that none has to contain it.
        if demands.strict && demands.queue.is_none() && repository.standing(base, head)?.behind > 0 {
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
fn what_is_missing(
    repository: &Repository,
    demands: &Demands,
    pull_request: &PullRequest,
) -> Result<Option<String>, git::Error> {
    let approvals = u32::try_from(pull_request.approvals.len()).unwrap_or(u32::MAX);
    let required = demands.approvals;
    if approvals < required {
        let reviews = if required == 1 { "review is" } else { "reviews are" };
        let text = format!("At least {required} approving {reviews} required by reviewers with write access.");
        return Ok(Some(text));
    }
    if demands.signatures {
        let commits = repository.git.commits_between(&pull_request.base, &pull_request.head)?;
        if commits.iter().any(|commit| !repository.is_signed(&commit.oid)) {
            return Ok(Some("Commits must have verified signatures.".to_owned()));
        }
    }
    Ok(missing_checks(repository, &demands.checks, &pull_request.head))
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

/// Refuses a method that the repository or a rule of the base does not allow, in the words of the caller.
fn require_method(
    (repository, pull_request): (&Repository, &PullRequest),
    method: Method,
    refuse: impl FnOnce(&'static str, &'static str) -> Refusal,
) -> Result<(), Refusal> {
    let settings = &repository.settings;
    let by_rule = repository.demands(&pull_request.base_branch).and_then(|demands| demands.methods);
    let is_off = |allowed: bool| !allowed || by_rule.as_ref().is_some_and(|methods| !methods.contains(&method));
    match method {
        Method::Merge if is_off(settings.allow_merge_commit) => Err(refuse("Merge commits", "merge commits are")),
        Method::Squash if is_off(settings.allow_squash_merge) => Err(refuse("Squash merges", "squash merging is")),
        Method::Rebase if is_off(settings.allow_rebase_merge) => Err(refuse("Rebase merges", "rebase merging is")),
        Method::Merge | Method::Squash | Method::Rebase => Ok(()),
    }
}
