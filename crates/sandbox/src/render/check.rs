//! Commit statuses and check runs.

use serde_json::{Value, json};

use crate::{
    git::Oid,
    refusal::Refusal,
    render,
    world::{
        World,
        check::{CheckRun, Outcome, Status},
        repository::Repository,
    },
};

/// A commit status (`status`).
pub(crate) fn status(world: &World, repository: &Repository, status: &Status) -> Value {
    let base = render::repository::url(world, &repository.key);
    let creator = render::user::account(world, &status.creator);
    json!({
        "url": format!("{base}/statuses/{}", status.sha),
        "avatar_url": creator.get("avatar_url"),
        "id": status.id,
        "node_id": render::node_id("SC", status.id),
        "state": status.state.as_str(),
        "description": status.description,
        "target_url": status.target_url,
        "context": status.context,
        "created_at": render::time(status.at),
        "updated_at": render::time(status.at),
        "creator": creator,
    })
}

/// A commit status among others, which does not say who made it (`simple-commit-status`).
fn simple_status(world: &World, repository: &Repository, one: &Status) -> Value {
    let mut object = status(world, repository, one);
    if let Value::Object(object) = &mut object {
        object.remove("creator");
    }
    object
}

/// All statuses of a commit (`combined-commit-status`); pending when there is none, as on GitHub.
pub(crate) fn combined(world: &World, repository: &Repository, sha: &Oid) -> Value {
    let base = render::repository::url(world, &repository.key);
    let statuses = repository.statuses_of(sha);
    let any = |wanted| statuses.iter().any(|status| status.outcome() == wanted);
    let state = match statuses.len() {
        0 => "pending",
        _ if any(Outcome::Failure) => "failure",
        _ if any(Outcome::Pending) => "pending",
        _ => "success",
    };
    let listed = statuses.iter().map(|it| simple_status(world, repository, it)).collect::<Vec<_>>();
    json!({
        "state": state,
        "sha": sha,
        "total_count": listed.len(),
        "statuses": listed,
        "repository": render::repository::minimal(world, repository),
        "commit_url": format!("{base}/commits/{sha}"),
        "url": format!("{base}/commits/{sha}/status"),
    })
}

/// A check run (`check-run`).
pub(crate) fn run(world: &World, repository: &Repository, run: &CheckRun) -> Value {
    let base = render::repository::url(world, &repository.key);
    let url = format!("{base}/check-runs/{}", run.id);
    let open = repository.pull_requests.values().filter(|it| it.is_open() && it.head == run.sha);
    let pull_requests = open.map(|it| render::pull_request::minimal(world, repository, it));
    let mut app = render::app::integration(world);
    if let (Some(other), Some(app)) = (&run.app, app.as_object_mut()) {
        app.insert("id".to_owned(), json!(other.id));
        app.insert("slug".to_owned(), json!(other.slug));
    }
    json!({
        "id": run.id,
        "node_id": render::node_id("CR", run.id),
        "head_sha": run.sha,
        "external_id": run.external_id,
        "name": run.name,
        "url": url,
        "html_url": format!("{}/{}/runs/{}", world.url, repository.key, run.id),
        "details_url": run.details_url.as_ref().unwrap_or(&world.url),
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": render::time(run.started_at),
        "completed_at": run.completed_at.map(render::time),
        "output": {
            "title": run.title,
            "summary": run.summary,
            "text": null,
            "annotations_count": 0,
            "annotations_url": format!("{url}/annotations"),
        },
        "check_suite": { "id": run.id },
        "app": app,
        "pull_requests": pull_requests.collect::<Vec<_>>(),
    })
}

/// The fields of the webhook `status`.
pub(crate) fn status_event(world: &World, repository: &Repository, status: &Status) -> Result<Value, Refusal> {
    let commit = repository.git.commit(&status.sha)?.ok_or_else(Refusal::not_found)?;
    let on = repository.tips.iter().filter(|(_, tip)| **tip == status.sha);
    let base = render::repository::url(world, &repository.key);
    let branches = on.map(|(name, tip)| {
        json!({ "name": name, "commit": { "sha": tip, "url": format!("{base}/commits/{tip}") }, "protected": repository.demands(name).is_some() })
    });
    Ok(json!({
        "id": status.id,
        "sha": status.sha,
        "name": repository.key.to_string(),
        "avatar_url": null,
        "target_url": status.target_url,
        "context": status.context,
        "description": status.description,
        "state": status.state.as_str(),
        "commit": render::commit::full(world, repository, &commit),
        "branches": branches.collect::<Vec<_>>(),
        "created_at": render::time(status.at),
        "updated_at": render::time(status.at),
    }))
}
