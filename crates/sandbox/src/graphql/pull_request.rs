//! The fields of pull requests.

use serde_json::{Map, Value, json};

use super::{
    Problem,
    execute::{Execution, Resolved},
    node::{Node, branch},
    queue,
};
use crate::{
    merging::ArmRequest,
    render,
    world::{
        World,
        pull_request::{AutoMerge, Message, Method, PullRequest, State},
        repository::{Key, Repository},
    },
};

/// The state in capitals, where merged is not closed.
pub(super) const fn state(pull_request: &PullRequest) -> &'static str {
    match pull_request.state {
        State::Open => "OPEN",
        State::Closed { .. } => "CLOSED",
        State::Merged { .. } => "MERGED",
    }
}

impl Execution<'_> {
    /// What a field of a pull request is.
    pub(super) fn pull_request(
        &mut self,
        key: &Key,
        number: u64,
        name: &str,
        arguments: &Map<String, Value>,
    ) -> Result<Resolved, Problem> {
        match name {
            "mergeable" => {
                let mergeable = match self.merge_state(key, number)?.mergeable() {
                    Some(true) => "MERGEABLE",
                    Some(false) => "CONFLICTING",
                    None => "UNKNOWN",
                };
                return Ok(Resolved::Leaf(json!(mergeable)));
            }
            "mergeStateStatus" => {
                let state = self.merge_state(key, number)?.as_str().to_ascii_uppercase();
                return Ok(Resolved::Leaf(json!(state)));
            }
            "viewerCanEnableAutoMerge" => {
                let can = can_arm(self.world, key, number, &self.actor())?;
                return Ok(Resolved::Leaf(json!(can)));
            }
            _ => {}
        }
        let repository = self.world.repository(key)?;
        let pull_request = repository.pull_request(number)?;
        if let Some(value) = leaf(self.world, repository, pull_request, name) {
            return Ok(Resolved::Leaf(value));
        }
        object((self.world, repository), pull_request, name, arguments)
    }
}

/// A field without fields of its own.
fn leaf(world: &World, repository: &Repository, it: &PullRequest, name: &str) -> Option<Value> {
    Some(match name {
        "id" => json!(render::node_id("PR", it.id)),
        "databaseId" => json!(it.id),
        "number" => json!(it.number),
        "url" => json!(format!("{}/{}/pull/{}", world.url, repository.key, it.number)),
        "title" => json!(it.title),
        "body" => json!(it.body.as_deref().unwrap_or_default()),
        "state" => json!(state(it)),
        "isDraft" => json!(it.draft),
        "closed" => json!(!it.is_open()),
        "merged" => json!(it.is_merged()),
        "createdAt" => json!(render::time(it.created_at)),
        "updatedAt" => json!(render::time(it.updated_at)),
        "mergedAt" => json!(it.merge_commit().and(it.closed_at()).map(render::time)),
        "closedAt" => json!(it.closed_at().map(render::time)),
        "headRefName" => json!(it.head_branch),
        "headRefOid" => json!(it.head),
        "baseRefName" => json!(it.base_branch),
        "baseRefOid" => json!(it.base),
        "isMergeQueueEnabled" => json!(repository.queue_of(&it.base_branch).is_some()),
        "isInMergeQueue" => json!(it.queued.is_some()),
        "isCrossRepository" => json!(false),
        "viewerCanDisableAutoMerge" => json!(it.auto_merge.is_some()),
        "reviewDecision" => review_decision(repository, it),
        _ => return None,
    })
}

fn review_decision(repository: &Repository, it: &PullRequest) -> Value {
    let required = repository.demands(&it.base_branch).map_or(0, |demands| demands.approvals);
    let has = u32::try_from(it.approvals.len()).unwrap_or(u32::MAX);
    match required {
        0 => Value::Null,
        _ if has >= required => json!("APPROVED"),
        _ => json!("REVIEW_REQUIRED"),
    }
}

/// A field with fields of its own.
fn object(
    (world, repository): (&World, &Repository),
    it: &PullRequest,
    name: &str,
    arguments: &Map<String, Value>,
) -> Result<Resolved, Problem> {
    let key = &repository.key;
    let commit = |oid: &crate::git::Oid| Node::Commit(key.clone(), oid.clone());
    Ok(Resolved::optional(match name {
        "author" => Some(Node::account(&it.author)),
        "mergedBy" => match &it.state {
            State::Merged { by, .. } => Some(Node::account(by)),
            State::Open | State::Closed { .. } => None,
        },
        "mergeCommit" => it.merge_commit().map(commit),
        // The sandbox has no forks.
        "repository" | "headRepository" | "baseRepository" => Some(Node::Repository(key.clone())),
        "headRef" => branch(repository, &it.head_branch),
        "baseRef" => branch(repository, &it.base_branch),
        "autoMergeRequest" => it.auto_merge.as_ref().map(auto_merge_request),
        "mergeQueue" => queue::of_branch(world, repository, &it.base_branch),
        "mergeQueueEntry" => queue::entry_of(repository, it),
        "timelineItems" => Some(queue::timeline(repository, it, arguments)),
        "latestOpinionatedReviews" => {
            let reviews = it.approvals.iter().map(|login| {
                let id = Resolved::Leaf(json!(format!("PRR_{}:{login}", it.id)));
                let author = Resolved::Object(Node::account(login));
                let state = Resolved::Leaf(json!("APPROVED"));
                Node::Plain("PullRequestReview", vec![("id", id), ("author", author), ("state", state)])
            });
            Some(Node::connection("PullRequestReviewConnection", reviews.collect(), arguments))
        }
        "labels" => {
            let labels = it.labels.iter().map(|name| Node::label(name)).collect();
            Some(Node::connection("LabelConnection", labels, arguments))
        }
        "commits" => {
            let commits = repository.git.commits_between(&it.base, &it.head)?;
            let nodes = commits.iter().map(|known| {
                let id = Resolved::Leaf(json!(format!("PRC_{}", known.oid)));
                let commit = Resolved::Object(commit(&known.oid));
                Node::Plain("PullRequestCommit", vec![("id", id), ("commit", commit)])
            });
            Some(Node::connection("PullRequestCommitConnection", nodes.collect(), arguments))
        }
        _ => None,
    }))
}

fn auto_merge_request(order: &AutoMerge) -> Node {
    Node::Plain(
        "AutoMergeRequest",
        vec![
            ("enabledAt", Resolved::Leaf(json!(render::time(order.at)))),
            ("enabledBy", Resolved::Object(Node::account(&order.by))),
            ("mergeMethod", Resolved::Leaf(json!(order.method.as_str().to_ascii_uppercase()))),
            ("commitHeadline", Resolved::Leaf(json!(order.message.headline))),
            ("commitBody", Resolved::Leaf(json!(order.message.body))),
        ],
    )
}

fn can_arm(world: &World, key: &Key, number: u64, actor: &str) -> Result<bool, Problem> {
    let settings = &world.repository(key)?.settings;
    let method = match (settings.allow_squash_merge, settings.allow_merge_commit) {
        (true, _) => Method::Squash,
        (false, true) => Method::Merge,
        (false, false) => Method::Rebase,
    };
    let request = ArmRequest { number, method, expected_head: None, message: Message::default() };
    Ok(world.may_arm(key, actor, &request).is_ok())
}
