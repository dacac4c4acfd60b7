//! What a protected branch refuses when it is pushed to.

use crate::{
    git::{self, Oid},
    merging,
    world::repository::{Protection, Repository},
};

/// A reference that somebody wants to change.
#[derive(Clone, Debug)]
pub(crate) struct Update<'a> {
    pub(crate) reference: &'a str,
    /// The commit that it shall have; `None` to delete it.
    pub(crate) after: Option<&'a Oid>,
}

/// The sentences why a branch may not be changed so; none when it may.
///
/// The new commit must be in the repository already, or the update counts as one that keeps no history.
pub(crate) fn refuse(repository: &Repository, login: &str, update: &Update<'_>) -> Result<Vec<String>, git::Error> {
    let Some(branch) = update.reference.strip_prefix("refs/heads/") else {
        return Ok(Vec::new());
    };
    let mut reasons = Vec::new();
    if repository.pull_requests.values().any(|it| it.is_open() && it.head_branch == branch && it.queued.is_some()) {
        reasons.push("Cannot change a branch whose pull request is in the merge queue".to_owned());
    }
    let Some(demands) = repository.demands(branch) else {
        return Ok(reasons);
    };
    let unprotected = Protection { allow_force_pushes: true, allow_deletions: true, ..Protection::default() };
    let protection = repository.protections.get(branch).unwrap_or(&unprotected);
    if !merging::may_push(repository, branch, login) {
        reasons.push("You're not authorized to push to this branch.".to_owned());
    }
    match (update.after, repository.tips.get(branch)) {
        (None, _) if !protection.allow_deletions => reasons.push("Cannot delete this branch".to_owned()),
        (Some(after), Some(before)) if !protection.allow_force_pushes => {
            let known = repository.git.resolve(after.as_str())?.is_some();
            if known && !repository.git.is_ancestor(before, after)? {
                reasons.push("Cannot force-push to this branch".to_owned());
            }
        }
        _ => {}
    }
    if demands.queue.is_some() {
        reasons.push("Changes must be made through the merge queue".to_owned());
    } else if demands.by_pull_request {
        reasons.push("Changes must be made through a pull request.".to_owned());
    }
    if let Some(after) = update.after {
        reasons.extend(merging::missing_checks(repository, &demands.checks, after));
        if demands.signatures && !repository.is_signed(after) {
            reasons.push("Commits must have verified signatures.".to_owned());
        }
    }
    Ok(reasons)
}
