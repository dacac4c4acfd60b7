//! Repositories, branches and references.

use serde_json::{Map, Value, json};

use crate::{
    git::{self, CommitObject, Oid},
    render,
    world::{
        World,
        repository::{Key, Protection, Repository},
    },
};

/// The addresses below a repository, with GitHub's templates.
const ADDRESSES: [(&str, &str); 37] = [
    ("archive_url", "/{archive_format}{/ref}"),
    ("assignees_url", "/assignees{/user}"),
    ("blobs_url", "/git/blobs{/sha}"),
    ("branches_url", "/branches{/branch}"),
    ("collaborators_url", "/collaborators{/collaborator}"),
    ("comments_url", "/comments{/number}"),
    ("commits_url", "/commits{/sha}"),
    ("compare_url", "/compare/{base}...{head}"),
    ("contents_url", "/contents/{+path}"),
    ("contributors_url", "/contributors"),
    ("deployments_url", "/deployments"),
    ("downloads_url", "/downloads"),
    ("events_url", "/events"),
    ("forks_url", "/forks"),
    ("git_commits_url", "/git/commits{/sha}"),
    ("git_refs_url", "/git/refs{/sha}"),
    ("git_tags_url", "/git/tags{/sha}"),
    ("hooks_url", "/hooks"),
    ("issue_comment_url", "/issues/comments{/number}"),
    ("issue_events_url", "/issues/events{/number}"),
    ("issues_url", "/issues{/number}"),
    ("keys_url", "/keys{/key_id}"),
    ("labels_url", "/labels{/name}"),
    ("languages_url", "/languages"),
    ("merges_url", "/merges"),
    ("milestones_url", "/milestones{/number}"),
    ("notifications_url", "/notifications{?since,all,participating}"),
    ("pulls_url", "/pulls{/number}"),
    ("releases_url", "/releases{/id}"),
    ("stargazers_url", "/stargazers"),
    ("statuses_url", "/statuses/{sha}"),
    ("subscribers_url", "/subscribers"),
    ("subscription_url", "/subscription"),
    ("tags_url", "/tags"),
    ("teams_url", "/teams"),
    ("trees_url", "/git/trees{/sha}"),
    ("url", ""),
];

/// Where the REST interface has a repository.
pub(crate) fn url(world: &World, key: &Key) -> String {
    format!("{}/repos/{key}", world.url)
}

/// What only a repository that is asked for by itself has.
const ALONE: [&str; 2] = ["network_count", "subscribers_count"];

/// How pull requests may be merged.
const MERGING: [&str; 5] =
    ["allow_auto_merge", "allow_merge_commit", "allow_rebase_merge", "allow_squash_merge", "allow_update_branch"];

/// What commits of merges say.
const WORDING: [&str; 4] =
    ["merge_commit_message", "merge_commit_title", "squash_merge_commit_message", "squash_merge_commit_title"];

/// A repository in a list or in something else (`repository`).
pub(crate) fn nested(world: &World, repository: &Repository) -> Value {
    without(full(world, repository), &ALONE)
}

/// A repository beside what was asked for (`minimal-repository`).
pub(crate) fn minimal(world: &World, repository: &Repository) -> Value {
    without(full(world, repository), &[&MERGING[..], &WORDING].concat())
}

/// A repository that something happened in (`webhook-push`).
pub(crate) fn in_event(world: &World, repository: &Repository) -> Value {
    without(full(world, repository), &[&ALONE[..], &WORDING].concat())
}

fn without(mut object: Value, keys: &[&str]) -> Value {
    if let Value::Object(object) = &mut object {
        object.retain(|key, _| !keys.contains(&key.as_str()));
    }
    object
}

/// A repository that is asked for (`full-repository`).
pub(crate) fn full(world: &World, repository: &Repository) -> Value {
    let mut object = Map::new();
    let base = url(world, &repository.key);
    for (field, path) in ADDRESSES {
        object.insert(field.to_owned(), Value::String(format!("{base}{path}")));
    }
    for part in [identity(world, repository), settings(repository), numbers(repository)] {
        if let Value::Object(part) = part {
            object.extend(part);
        }
    }
    Value::Object(object)
}

/// A reference (`git-ref`).
pub(crate) fn reference(world: &World, repository: &Repository, name: &str, oid: &Oid) -> Value {
    let base = url(world, &repository.key);
    json!({
        "ref": name,
        "node_id": format!("REF_kwDOSB{:08x}:{name}", repository.id),
        "url": format!("{base}/git/{name}"),
        "object": { "type": "commit", "sha": oid, "url": format!("{base}/git/commits/{oid}") },
    })
}

/// A branch with its protection (`branch-with-protection`).
pub(crate) fn branch(
    world: &World,
    repository: &Repository,
    name: &str,
    tip: &CommitObject,
) -> Result<Value, git::Error> {
    let base = url(world, &repository.key);
    let protection = repository.protections.get(name);
    Ok(json!({
        "name": name,
        "commit": render::commit::full(world, repository, tip),
        "_links": {
            "self": format!("{base}/branches/{name}"),
            "html": format!("{}/{}/tree/{name}", world.url, repository.key),
        },
        "protected": repository.demands(name).is_some(),
        "protection": protection_summary(protection),
        "protection_url": format!("{base}/branches/{name}/protection"),
    }))
}

fn protection_summary(protection: Option<&Protection>) -> Value {
    let checks = protection.map(|it| it.required_checks.as_slice()).unwrap_or_default();
    let level = if checks.is_empty() { "off" } else { "everyone" };
    let listed = checks.iter().map(|context| json!({ "context": context, "app_id": null }));
    json!({
        "enabled": protection.is_some(),
        "required_status_checks": {
            "enforcement_level": level,
            "contexts": checks,
            "checks": listed.collect::<Vec<_>>(),
        },
    })
}

fn identity(world: &World, repository: &Repository) -> Value {
    let key = &repository.key;
    let html = format!("{}/{key}", world.url);
    json!({
        "id": repository.id,
        "node_id": render::node_id("R", repository.id),
        "name": key.name(),
        "full_name": key.to_string(),
        "owner": render::user::account(world, key.owner()),
        "private": repository.settings.private,
        "visibility": if repository.settings.private { "private" } else { "public" },
        "html_url": html,
        "description": null,
        "fork": false,
        "homepage": null,
        "language": null,
        "license": null,
        "mirror_url": null,
        "clone_url": format!("{html}.git"),
        "git_url": format!("{html}.git"),
        "ssh_url": format!("{html}.git"),
        "svn_url": html,
        "default_branch": repository.default_branch,
        "topics": [],
        "permissions": { "admin": false, "maintain": false, "push": true, "triage": true, "pull": true },
        "created_at": render::time(repository.created_at),
        "updated_at": render::time(repository.pushed_at),
        "pushed_at": render::time(repository.pushed_at),
    })
}

fn settings(repository: &Repository) -> Value {
    let settings = &repository.settings;
    json!({
        "archived": false,
        "disabled": false,
        "has_issues": true,
        "has_projects": false,
        "has_downloads": true,
        "has_wiki": false,
        "has_pages": false,
        "has_discussions": false,
        "is_template": false,
        "allow_forking": false,
        "web_commit_signoff_required": false,
        "allow_auto_merge": settings.allow_auto_merge,
        "allow_squash_merge": settings.allow_squash_merge,
        "allow_merge_commit": settings.allow_merge_commit,
        "allow_rebase_merge": settings.allow_rebase_merge,
        "allow_update_branch": false,
        "delete_branch_on_merge": settings.delete_branch_on_merge,
        "squash_merge_commit_title": "COMMIT_OR_PR_TITLE",
        "squash_merge_commit_message": "COMMIT_MESSAGES",
        "merge_commit_title": "MERGE_MESSAGE",
        "merge_commit_message": "PR_TITLE",
    })
}

fn numbers(repository: &Repository) -> Value {
    let open = repository.pull_requests.values().filter(|it| it.is_open()).count();
    json!({
        "size": 1,
        "forks": 0,
        "forks_count": 0,
        "stargazers_count": 0,
        "watchers": 0,
        "watchers_count": 0,
        "network_count": 0,
        "subscribers_count": 0,
        "open_issues": open,
        "open_issues_count": open,
    })
}
