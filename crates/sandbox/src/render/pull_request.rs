//! Pull requests, labels and comments.

use serde_json::{Map, Value, json};

use crate::{
    git::{FileChange, Oid},
    merging::{self, MergeState},
    refusal::Refusal,
    render,
    world::{
        World,
        pull_request::{AutoMerge, Comment, PullRequest, State},
        repository::Repository,
    },
};

/// The whole object (`pull-request`), which works out whether it can be merged.
pub(crate) fn full(world: &World, repository: &Repository, number: u64) -> Result<Value, Refusal> {
    let pull_request = repository.pull_request(number)?;
    let state = merging::state_as_read(repository, pull_request)?;
    with_state(world, repository, pull_request, &state)
}

/// The whole object in webhooks, where GitHub has not yet worked out whether it can be merged.
pub(crate) fn in_webhook(world: &World, repository: &Repository, number: u64) -> Result<Value, Refusal> {
    with_state(world, repository, repository.pull_request(number)?, &MergeState::Unknown)
}

fn with_state(
    world: &World,
    repository: &Repository,
    pull_request: &PullRequest,
    state: &MergeState,
) -> Result<Value, Refusal> {
    let merged_by = match &pull_request.state {
        State::Merged { by, .. } => render::user::account(world, by),
        State::Open | State::Closed { .. } => Value::Null,
    };
    let changes = repository.changes(&pull_request.base, &pull_request.head)?;
    let more = json!({
        "merged": pull_request.is_merged(),
        "mergeable": state.mergeable(),
        "mergeable_state": state.as_str(),
        "rebaseable": state.mergeable(),
        "merged_by": merged_by,
        "comments": pull_request.comments.len(),
        "review_comments": 0,
        "maintainer_can_modify": false,
        "commits": repository.standing(&pull_request.base, &pull_request.head)?.ahead,
        "additions": changes.iter().map(|change| change.additions).sum::<u64>(),
        "deletions": changes.iter().map(|change| change.deletions).sum::<u64>(),
        "changed_files": changes.len(),
    });
    let mut object = fields(world, repository, pull_request);
    if let Value::Object(more) = more {
        object.extend(more);
    }
    Ok(Value::Object(object))
}

/// The object in lists (`pull-request-simple`), which does not say whether it can be merged.
pub(crate) fn simple(world: &World, repository: &Repository, pull_request: &PullRequest) -> Value {
    Value::Object(fields(world, repository, pull_request))
}

/// The object in check runs (`pull-request-minimal`).
pub(crate) fn minimal(world: &World, repository: &Repository, pull_request: &PullRequest) -> Value {
    let base = render::repository::url(world, &repository.key);
    let place = json!({ "id": repository.id, "url": base, "name": repository.key.name() });
    json!({
        "id": pull_request.id,
        "number": pull_request.number,
        "url": format!("{base}/pulls/{}", pull_request.number),
        "head": { "ref": pull_request.head_branch, "sha": pull_request.head, "repo": place },
        "base": { "ref": pull_request.base_branch, "sha": pull_request.base, "repo": place },
    })
}

/// A changed file (`diff-entry`), without its patch.
pub(crate) fn file(world: &World, repository: &Repository, head: &Oid, change: &FileChange) -> Value {
    let FileChange { path, status, blob, additions, deletions } = change;
    let base = render::repository::url(world, &repository.key);
    let html = format!("{}/{}", world.url, repository.key);
    json!({
        "sha": blob,
        "filename": path,
        "status": status,
        "additions": additions,
        "deletions": deletions,
        "changes": additions + deletions,
        "blob_url": format!("{html}/blob/{head}/{path}"),
        "raw_url": format!("{html}/raw/{head}/{path}"),
        "contents_url": format!("{base}/contents/{path}?ref={head}"),
    })
}

/// A label (`label`).
pub(crate) fn label(world: &World, repository: &Repository, name: &str) -> Value {
    let id = render::user::id(name);
    json!({
        "id": id,
        "node_id": render::node_id("LA", id),
        "url": format!("{}/labels/{name}", render::repository::url(world, &repository.key)),
        "name": name,
        "description": null,
        "color": "ededed",
        "default": false,
    })
}

/// A comment (`issue-comment`).
pub(crate) fn comment(world: &World, repository: &Repository, number: u64, comment: &Comment) -> Value {
    let base = render::repository::url(world, &repository.key);
    let html = format!("{}/{}/pull/{number}", world.url, repository.key);
    json!({
        "id": comment.id,
        "node_id": render::node_id("IC", comment.id),
        "url": format!("{base}/issues/comments/{}", comment.id),
        "html_url": format!("{html}#issuecomment-{}", comment.id),
        "issue_url": format!("{base}/issues/{number}"),
        "body": comment.body,
        "user": render::user::account(world, &comment.author),
        "author_association": "MEMBER",
        "performed_via_github_app": null,
        "created_at": render::time(comment.at),
        "updated_at": render::time(comment.at),
    })
}

fn fields(world: &World, repository: &Repository, pull_request: &PullRequest) -> Map<String, Value> {
    let mut object = Map::new();
    let parts = [
        identity(world, repository, pull_request),
        addresses(world, repository, pull_request),
        content(world, repository, pull_request),
    ];
    for part in parts {
        if let Value::Object(part) = part {
            object.extend(part);
        }
    }
    object
}

fn identity(world: &World, repository: &Repository, pull_request: &PullRequest) -> Value {
    let merged_at = pull_request.merge_commit().and(pull_request.closed_at());
    json!({
        "id": pull_request.id,
        "node_id": render::node_id("PR", pull_request.id),
        "number": pull_request.number,
        "state": if pull_request.is_open() { "open" } else { "closed" },
        "locked": false,
        "active_lock_reason": null,
        "draft": pull_request.draft,
        "title": pull_request.title,
        "body": pull_request.body,
        "user": render::user::account(world, &pull_request.author),
        "labels": pull_request.labels.iter().map(|name| label(world, repository, name)).collect::<Vec<_>>(),
        "created_at": render::time(pull_request.created_at),
        "updated_at": render::time(pull_request.updated_at),
        "closed_at": pull_request.closed_at().map(render::time),
        "merged_at": merged_at.map(render::time),
        "merge_commit_sha": pull_request.merge_commit(),
    })
}

fn addresses(world: &World, repository: &Repository, pull_request: &PullRequest) -> Value {
    let number = pull_request.number;
    let base = render::repository::url(world, &repository.key);
    let html = format!("{}/{}/pull/{number}", world.url, repository.key);
    let url = format!("{base}/pulls/{number}");
    let issue = format!("{base}/issues/{number}");
    let statuses = format!("{base}/statuses/{}", pull_request.head);
    let link = |href: String| json!({ "href": href });
    json!({
        "url": url,
        "html_url": html,
        "diff_url": format!("{html}.diff"),
        "patch_url": format!("{html}.patch"),
        "issue_url": issue,
        "commits_url": format!("{url}/commits"),
        "review_comments_url": format!("{url}/comments"),
        "review_comment_url": format!("{base}/pulls/comments{{/number}}"),
        "comments_url": format!("{issue}/comments"),
        "statuses_url": statuses,
        "_links": {
            "self": link(url.clone()),
            "html": link(html),
            "issue": link(issue.clone()),
            "comments": link(format!("{issue}/comments")),
            "review_comments": link(format!("{url}/comments")),
            "review_comment": link(format!("{base}/pulls/comments{{/number}}")),
            "commits": link(format!("{url}/commits")),
            "statuses": link(statuses),
        },
    })
}

fn content(world: &World, repository: &Repository, pull_request: &PullRequest) -> Value {
    let owner = repository.key.owner();
    let end = |branch: &str, sha: &Oid| {
        json!({
            "label": format!("{owner}:{branch}"),
            "ref": branch,
            "sha": sha,
            "user": render::user::account(world, owner),
            "repo": render::repository::nested(world, repository),
        })
    };
    json!({
        "head": end(&pull_request.head_branch, &pull_request.head),
        "base": end(&pull_request.base_branch, &pull_request.base),
        "author_association": "CONTRIBUTOR",
        "assignee": null,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "milestone": null,
        "auto_merge": pull_request.auto_merge.as_ref().map(|it| auto_merge(world, it)),
    })
}

fn auto_merge(world: &World, order: &AutoMerge) -> Value {
    json!({
        "enabled_by": render::user::account(world, &order.by),
        "merge_method": order.method.as_str(),
        "commit_title": order.message.headline,
        "commit_message": order.message.body,
    })
}
