//! Auto-merge: the order to merge, and carrying it out.

use serde_json::json;

use crate::{
    git::Oid,
    merging::{self, MergeRequest, MergeState},
    refusal::Refusal,
    world::{
        World,
        event::Change,
        pull_request::{AutoMerge, Message, Method},
        repository::Key,
    },
};

/// What `enablePullRequestAutoMerge` is asked.
#[derive(Clone, Debug)]
pub(crate) struct ArmRequest {
    pub(crate) number: u64,
    pub(crate) method: Method,
    /// The head that the caller has seen.
    pub(crate) expected_head: Option<Oid>,
    pub(crate) message: Message,
}

impl World {
    /// Orders the forge to merge a pull request once it may be merged.
    ///
    /// The texts are those that GitHub answers, with its doubled "Pull request".
    pub(crate) fn arm(&mut self, key: &Key, actor: &str, request: ArmRequest) -> Result<(), Refusal> {
        self.may_arm(key, actor, &request)?;
        let repository = self.repository(key)?;
        let pull_request = repository.pull_request(request.number)?;
        // With a queue, what may be merged goes straight into it, and shows no order.
        let queue = repository.queue_of(&pull_request.base_branch);
        let may_merge = matches!(merging::state(repository, pull_request)?, MergeState::Clean | MergeState::Unstable);
        if pull_request.queued.is_some() {
            return Ok(());
        }
        if queue.is_some_and(|queue| queue.takes_armed) && may_merge {
            return self.put_into_queue(key, actor, request.number, false);
        }
        let now = self.now();
        let pull_request = self.repository_mut(key)?.pull_request_mut(request.number)?;
        let ArmRequest { number, method, message, .. } = request;
        pull_request.auto_merge = Some(AutoMerge { at: now, by: actor.to_owned(), method, message });
        pull_request.updated_at = now;
        self.announce_pull_request(key, number, Change::plain("auto_merge_enabled"), actor)
    }

    /// Withdraws the order to merge.
    pub(crate) fn disarm(&mut self, key: &Key, actor: &str, number: u64) -> Result<(), Refusal> {
        let now = self.now();
        let pull_request = self.repository_mut(key)?.pull_request_mut(number)?;
        if pull_request.auto_merge.take().is_none() {
            return Err(Refusal::unprocessable("Can't disable auto-merge for this pull request."));
        }
        pull_request.updated_at = now;
        let extra = json!({ "reason": "Auto-merge was disabled by the user" });
        self.announce_pull_request(key, number, Change::with("auto_merge_disabled", extra), actor)
    }

    /// Merges the first pull request that waits for nothing any more.
    pub(crate) fn merge_one_that_is_ready(&mut self, key: &Key) -> Result<bool, Refusal> {
        let Some((number, order)) = self.first_that_is_ready(key)? else {
            return Ok(false);
        };
        let AutoMerge { by, method, message, .. } = order;
        let repository = self.repository(key)?;
        if repository.queue_of(&repository.pull_request(number)?.base_branch).is_some() {
            self.put_into_queue(key, &by, number, false)?;
            return Ok(true);
        }
        let request = MergeRequest { number, method, expected_head: None, message };
        match self.merge(key, &by, &request) {
            Ok(_) => Ok(true),
            // What became impossible since the order was given (a rebase that conflicts) cancels the order.
            Err(refusal) => {
                tracing::warn!(number, reason = refusal.message, "auto-merge is cancelled");
                self.disarm(key, &by, number)?;
                Ok(true)
            }
        }
    }

    fn first_that_is_ready(&self, key: &Key) -> Result<Option<(u64, AutoMerge)>, Refusal> {
        let repository = self.repository(key)?;
        for pull_request in repository.pull_requests.values().filter(|it| it.is_open()) {
            if repository.queue_of(&pull_request.base_branch).is_some_and(|queue| !queue.takes_armed) {
                continue;
            }
            if let Some(order) = &pull_request.auto_merge {
                match merging::state(repository, pull_request)? {
                    MergeState::Clean | MergeState::Unstable => {
                        return Ok(Some((pull_request.number, order.clone())));
                    }
                    MergeState::Unknown
                    | MergeState::Dirty
                    | MergeState::Draft
                    | MergeState::Blocked(_)
                    | MergeState::Behind => {}
                }
            }
        }
        Ok(None)
    }

    /// Whether the order to merge could be given now; the refusal says why not.
    pub(crate) fn may_arm(&self, key: &Key, actor: &str, request: &ArmRequest) -> Result<(), Refusal> {
        let repository = self.repository(key)?;
        let pull_request = repository.pull_request(request.number)?;
        let refuse = |text: &str| Err(Refusal::unprocessable(text));
        if !pull_request.is_open() || pull_request.draft {
            return refuse("Can't enable auto-merge for this pull request.");
        }
        if !repository.settings.allow_auto_merge {
            return refuse("Pull request Auto merge is not allowed for this repository");
        }
        let queue = repository.queue_of(&pull_request.base_branch);
        if queue.is_none() {
            merging::require_method((repository, pull_request), request.method, |_, text| {
                Refusal::unprocessable(format!("Pull request Merge method {text} not allowed on this repository"))
            })?;
        }
        if request.expected_head.as_ref().is_some_and(|expected| *expected != pull_request.head) {
            return refuse("Head branch was modified. Review and try the merge again.");
        }
        if repository.demands(&pull_request.base_branch).is_none() {
            return refuse("Pull request Protected branch rules not configured for this branch");
        }
        if !merging::may_push(repository, &pull_request.base_branch, actor) {
            return refuse("Pull request User is not authorized for this protected branch");
        }
        match merging::state(repository, pull_request)? {
            MergeState::Clean | MergeState::Unstable if queue.is_some() => Ok(()),
            MergeState::Clean => refuse("Pull request Pull request is in clean status"),
            MergeState::Unstable => refuse("Pull request Pull request is in unstable status"),
            MergeState::Unknown
            | MergeState::Dirty
            | MergeState::Draft
            | MergeState::Blocked(_)
            | MergeState::Behind => Ok(()),
        }
    }
}
