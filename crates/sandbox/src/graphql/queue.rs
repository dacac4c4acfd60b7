//! Merge queues, their entries, and what happened to pull requests.

use serde_json::{Map, Value, json};

use super::{execute::Resolved, node::Node};
use crate::{
    git::Oid,
    merging::queue::in_order,
    render,
    world::{
        World,
        pull_request::{Event, Happening, PullRequest, Queued},
        repository::Repository,
    },
};

/// The queue of a branch, if it has one.
pub(super) fn of_branch(world: &World, repository: &Repository, branch: &str) -> Option<Node> {
    repository.queue_of(branch)?;
    let entries = in_order(repository, branch).into_iter().enumerate();
    let entries = entries.map(|(place, (number, queued))| entry(repository, number, queued, place)).collect();
    let url = format!("{}/{}/queue/{branch}", world.url, repository.key);
    let entries = Node::connection("MergeQueueEntryConnection", entries, &Map::new());
    Some(Node::Plain(
        "MergeQueue",
        vec![
            ("id", Resolved::Leaf(json!(format!("MQ_{}:{branch}", repository.id)))),
            ("url", Resolved::Leaf(json!(url))),
            ("entries", Resolved::Object(entries)),
        ],
    ))
}

/// The place of a pull request in its queue, if it has one.
pub(super) fn entry_of(repository: &Repository, it: &PullRequest) -> Option<Node> {
    let all = in_order(repository, &it.base_branch);
    let mut found = all.into_iter().enumerate().filter(|(_, (number, _))| *number == it.number);
    found.next().map(|(place, (number, queued))| entry(repository, number, queued, place))
}

/// What happened to a pull request, of the kinds that are asked for.
pub(super) fn timeline(repository: &Repository, it: &PullRequest, arguments: &Map<String, Value>) -> Node {
    let asked = arguments.get("itemTypes").and_then(Value::as_array);
    let is_asked = |event: &&Event| {
        let kind = match event.what {
            Happening::ForcePushed { .. } => "HEAD_REF_FORCE_PUSHED_EVENT",
            Happening::Dequeued { .. } => "REMOVED_FROM_MERGE_QUEUE_EVENT",
        };
        asked.is_none_or(|kinds| kinds.iter().any(|asked| asked == kind))
    };
    let nodes = it.timeline.iter().filter(is_asked).map(|event| happened(repository, event)).collect();
    Node::connection("PullRequestTimelineItemsConnection", nodes, arguments)
}

fn entry(repository: &Repository, number: u64, queued: &Queued, place: usize) -> Node {
    let leaf = |value: Value| Resolved::Leaf(value);
    let group = queued.group.as_ref();
    let commit = |oid: &Oid| Node::Commit(repository.key.clone(), oid.clone());
    Node::Plain(
        "MergeQueueEntry",
        vec![
            ("id", leaf(json!(render::node_id("MQE", queued.id)))),
            ("position", leaf(json!(place + 1))),
            ("state", leaf(json!(if group.is_some() { "AWAITING_CHECKS" } else { "QUEUED" }))),
            ("enqueuedAt", leaf(json!(render::time(queued.at)))),
            ("enqueuer", Resolved::Object(Node::account(&queued.by))),
            ("jump", leaf(json!(queued.jump))),
            ("solo", leaf(json!(false))),
            ("baseCommit", Resolved::optional(group.map(|group| commit(&group.base)))),
            ("headCommit", Resolved::optional(group.map(|group| commit(&group.head)))),
            ("pullRequest", Resolved::Object(Node::PullRequest(repository.key.clone(), number))),
        ],
    )
}

fn happened(repository: &Repository, event: &Event) -> Node {
    let commit = |oid: &Oid| Resolved::Object(Node::Commit(repository.key.clone(), oid.clone()));
    let (name, mut fields) = match &event.what {
        Happening::ForcePushed { before, after } => {
            ("HeadRefForcePushedEvent", vec![("beforeCommit", commit(before)), ("afterCommit", commit(after))])
        }
        Happening::Dequeued { reason, group } => {
            let group = group.as_ref().map_or(Resolved::NULL, commit);
            let reason = Resolved::Leaf(json!(reason.as_str()));
            ("RemovedFromMergeQueueEvent", vec![("reason", reason), ("beforeCommit", group)])
        }
    };
    fields.push(("id", Resolved::Leaf(json!(render::node_id("TE", event.id)))));
    fields.push(("actor", Resolved::Object(Node::account(&event.by))));
    fields.push(("createdAt", Resolved::Leaf(json!(render::time(event.at)))));
    Node::Plain(name, fields)
}
