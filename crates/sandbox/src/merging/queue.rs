//! The merge queue: pull requests that are checked on top of their base, one after another, before they are merged.
//!
//! A group has one pull request here, as with GitHub's smallest settings. What GitHub says to an order that it does not
//! take is known for some reasons only; the other sentences are the sandbox's own.

use serde_json::json;

use crate::{
    git::Oid,
    merging::{self, MergeRequest, MergeState, perform::not_allowed},
    refusal::Refusal,
    render,
    world::{
        World,
        check::Outcome,
        event::Change,
        pull_request::{Event, Group, Happening, Message, PullRequest, Queued, Removal},
        repository::{Key, Repository},
        rules::MergeQueue,
    },
};

/// What `enqueuePullRequest` is asked.
#[derive(Clone, Debug)]
pub(crate) struct EnqueueRequest {
    pub(crate) number: u64,
    /// The head that the caller has seen.
    pub(crate) expected_head: Option<Oid>,
    pub(crate) jump: bool,
}

/// What becomes of the pull request at the head of a queue.
enum Verdict {
    Waits,
    /// Its group is to be made, on the base as it is now.
    Build,
    Leaves(Removal),
    Merges,
}

impl World {
    /// Puts a pull request at the end of its base's queue.
    pub(crate) fn enqueue(&mut self, key: &Key, actor: &str, request: &EnqueueRequest) -> Result<(), Refusal> {
        may_enqueue(self.repository(key)?, request)?;
        self.put_into_queue(key, actor, request.number, request.jump)
    }

    /// Takes a pull request out of its queue.
    pub(crate) fn dequeue(&mut self, key: &Key, actor: &str, number: u64) -> Result<(), Refusal> {
        if self.repository(key)?.pull_request(number)?.queued.is_none() {
            return Err(Refusal::unprocessable("Pull request is not in the merge queue"));
        }
        self.leave_queue(key, actor, number, Removal::Manual)
    }

    pub(super) fn put_into_queue(&mut self, key: &Key, actor: &str, number: u64, jump: bool) -> Result<(), Refusal> {
        let (id, at) = (self.fresh_id(), self.now());
        let pull_request = self.repository_mut(key)?.pull_request_mut(number)?;
        pull_request.auto_merge = None;
        pull_request.queued = Some(Queued { id, at, by: actor.to_owned(), jump, group: None });
        pull_request.updated_at = at;
        self.announce_pull_request(key, number, Change::plain("enqueued"), actor)
    }

    /// Takes a pull request out of its queue, when it is in one.
    pub(crate) fn leave_queue(&mut self, key: &Key, actor: &str, number: u64, reason: Removal) -> Result<(), Refusal> {
        let (id, at) = (self.fresh_id(), self.now());
        let pull_request = self.repository_mut(key)?.pull_request_mut(number)?;
        let Some(queued) = pull_request.queued.take() else { return Ok(()) };
        let group = queued.group.as_ref().map(|group| group.head.clone());
        let what = Happening::Dequeued { reason, group };
        pull_request.timeline.push(Event { id, at, by: actor.to_owned(), what });
        pull_request.updated_at = at;
        if let Some(group) = queued.group {
            self.destroy(key, actor, &group, if reason == Removal::Merge { "merged" } else { "dequeued" })?;
        }
        self.announce_pull_request(key, number, Change::with("dequeued", json!({ "reason": reason })), actor)
    }

    /// Takes the pull request at the head of a queue one step further; says whether there was one to take.
    pub(crate) fn advance_a_queue(&mut self, key: &Key) -> Result<bool, Refusal> {
        let branches: Vec<String> = self.repository(key)?.rules.keys().cloned().collect();
        for branch in branches {
            let repository = self.repository(key)?;
            let Some(queue) = repository.queue_of(&branch) else { continue };
            let Some((number, by)) = first_of(repository, &branch) else { continue };
            match judge(repository, repository.pull_request(number)?)? {
                Verdict::Waits => continue,
                Verdict::Build => self.build(key, queue, number)?,
                Verdict::Leaves(reason) => self.leave_queue(key, QUEUE, number, reason)?,
                Verdict::Merges => self.merge_group(key, &by, number)?,
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// Makes the commit that is to be checked, on a branch of its own.
    fn build(&mut self, key: &Key, queue: MergeQueue, number: u64) -> Result<(), Refusal> {
        let stale = self.repository_mut(key)?.pull_request_mut(number)?.queued.as_mut().and_then(|it| it.group.take());
        if let Some(stale) = stale {
            self.destroy(key, QUEUE, &stale, "invalidated")?;
        }
        let request = MergeRequest { number, method: queue.method, expected_head: None, message: Message::default() };
        let head = match self.write_merge(key, &request) {
            Ok(head) => head,
            Err(refusal) => {
                tracing::debug!(number, reason = refusal.message, "a pull request can not be merged by its queue");
                return self.leave_queue(key, QUEUE, number, Removal::MergeConflict);
            }
        };
        let repository = self.repository_mut(key)?;
        let pull_request = repository.pull_request_mut(number)?;
        let base = pull_request.base.clone();
        let branch = format!("gh-readonly-queue/{}/pr-{number}-{base}", pull_request.base_branch);
        let group = Group { branch, base, head };
        if let Some(queued) = &mut pull_request.queued {
            queued.group = Some(group.clone());
        }
        repository.git.set_reference(&format!("refs/heads/{}", group.branch), &group.head)?;
        self.announce_group(key, QUEUE, &group, ("checks_requested", None))?;
        self.follow_branches(key, QUEUE)?;
        self.start_automatic_checks(key, &group.head)
    }

    /// Makes the checked commit the tip of the base.
    fn merge_group(&mut self, key: &Key, actor: &str, number: u64) -> Result<(), Refusal> {
        let group = self.repository(key)?.pull_request(number)?.queued.as_ref().and_then(|it| it.group.clone());
        let Some(group) = group else { return Ok(()) };
        self.complete_merge(key, actor, number, &group.head)?;
        self.leave_queue(key, QUEUE, number, Removal::Merge)
    }

    fn destroy(&mut self, key: &Key, actor: &str, group: &Group, reason: &str) -> Result<(), Refusal> {
        self.repository(key)?.git.delete_reference(&format!("refs/heads/{}", group.branch))?;
        self.announce_group(key, actor, group, ("destroyed", Some(reason)))
    }

    fn announce_group(
        &mut self,
        key: &Key,
        actor: &str,
        group: &Group,
        (action, reason): (&str, Option<&str>),
    ) -> Result<(), Refusal> {
        let repository = self.repository(key)?;
        let base = group.branch.trim_start_matches("gh-readonly-queue/");
        let base = base.rsplit_once("/pr-").map_or(base, |(base, _)| base);
        let commit = repository.git.commit(&group.head)?;
        let mut payload = json!({
            "action": action,
            "merge_group": {
                "head_sha": group.head,
                "head_ref": format!("refs/heads/{}", group.branch),
                "base_sha": group.base,
                "base_ref": format!("refs/heads/{base}"),
                "head_commit": commit.as_ref().map(render::commit::simple),
            },
        });
        if let (Some(reason), Some(fields)) = (reason, payload.as_object_mut()) {
            fields.insert("reason".to_owned(), json!(reason));
        }
        self.announce(key, "merge_group", payload, actor)
    }
}

/// The account that GitHub's queue acts as.
const QUEUE: &str = "github-merge-queue[bot]";

/// The pull request whose turn it is in a branch's queue, and who put it there.
fn first_of(repository: &Repository, branch: &str) -> Option<(u64, String)> {
    let entries = in_order(repository, branch);
    entries.first().map(|(number, queued)| (*number, queued.by.clone()))
}

/// The pull requests in a branch's queue.
pub(crate) fn in_order<'a>(repository: &'a Repository, branch: &str) -> Vec<(u64, &'a Queued)> {
    let of_branch = repository.pull_requests.values().filter(|it| it.base_branch == branch);
    let mut entries: Vec<_> = of_branch.filter_map(|it| Some((it.number, it.queued.as_ref()?))).collect();
    // What is being checked keeps its turn.
    entries.sort_by_key(|(_, queued)| (queued.group.is_none(), !queued.jump, queued.id));
    entries
}

fn judge(repository: &Repository, pull_request: &PullRequest) -> Result<Verdict, Refusal> {
    let Some(queued) = &pull_request.queued else { return Ok(Verdict::Waits) };
    let Some(group) = queued.group.as_ref().filter(|group| group.base == pull_request.base) else {
        return Ok(Verdict::Build);
    };
    let required = repository.demands(&pull_request.base_branch).unwrap_or_default().checks;
    let outcomes = repository.outcomes_of(&group.head);
    let failed = |(name, outcome): &(&str, Outcome)| {
        *outcome == Outcome::Failure && required.iter().any(|required| required == name)
    };
    Ok(if outcomes.iter().any(failed) {
        Verdict::Leaves(Removal::CiFailure)
    } else if merging::missing_checks(repository, &required, &group.head).is_none() {
        Verdict::Merges
    } else {
        Verdict::Waits
    })
}

fn may_enqueue(repository: &Repository, request: &EnqueueRequest) -> Result<(), Refusal> {
    let pull_request = repository.pull_request(request.number)?;
    let refuse = |text: &str| Err(Refusal::unprocessable(text));
    if repository.queue_of(&pull_request.base_branch).is_none() {
        return refuse("Merge queue is not enabled for this branch");
    }
    if !pull_request.is_open() {
        return refuse("Pull Request is not mergeable");
    }
    if pull_request.queued.is_some() {
        return refuse("Pull request is already in the merge queue");
    }
    if request.expected_head.as_ref().is_some_and(|expected| *expected != pull_request.head) {
        return refuse("Head branch was modified. Review and try the merge again.");
    }
    match merging::state(repository, pull_request)? {
        MergeState::Clean | MergeState::Unstable | MergeState::Behind => Ok(()),
        MergeState::Unknown | MergeState::Dirty => refuse("Pull Request is not mergeable"),
        MergeState::Draft => refuse("Pull Request is still a draft"),
        MergeState::Blocked(sentence) => refuse(&sentence),
    }
}

/// Refuses a merge past the queue.
pub(super) fn require_no_queue(repository: &Repository, pull_request: &PullRequest) -> Result<(), Refusal> {
    if repository.queue_of(&pull_request.base_branch).is_none() {
        return Ok(());
    }
    Err(not_allowed("Repository rule violations found\n\nChanges must be made through the merge queue\n\n"))
}
