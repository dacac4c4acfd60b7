//! Commit statuses and check runs.

use axum::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Place, call, commits::no_commit};
use crate::{
    refusal::Refusal,
    render,
    world::{
        World,
        app::Access,
        check::{CheckRun, Status, StatusState},
    },
};

#[derive(Deserialize)]
struct NewStatus {
    state: StatusState,
    context: Option<String>,
    description: Option<String>,
    target_url: Option<String>,
}

#[derive(Deserialize, Default)]
struct RunFields {
    name: Option<String>,
    head_sha: Option<String>,
    status: Option<String>,
    conclusion: Option<String>,
    details_url: Option<String>,
    external_id: Option<String>,
    output: Option<Output>,
}

#[derive(Deserialize)]
struct Output {
    title: Option<String>,
    summary: Option<String>,
}

/// `GET /repos/{owner}/{repo}/commits/{ref}/status`.
pub(super) fn combined(world: &World, place: &Place, reference: &str) -> Result<Answer, Refusal> {
    let repository = place.permitted(world, "statuses", Access::Read)?;
    let sha = repository.resolve(reference)?.ok_or_else(|| no_commit(reference))?;
    Ok(Answer::ok(render::check::combined(world, repository, &sha)))
}

/// `GET /repos/{owner}/{repo}/commits/{ref}/check-runs`.
pub(super) fn runs(world: &World, place: &Place, reference: &str) -> Result<Answer, Refusal> {
    let repository = place.permitted(world, "checks", Access::Read)?;
    let sha = repository.resolve(reference)?.ok_or_else(|| no_commit(reference))?;
    let asked = |name: &str| place.call.query.get(name).cloned();
    let mut runs: Vec<&CheckRun> = if asked("filter").as_deref() == Some("all") {
        repository.check_runs.iter().filter(|run| run.sha == sha).collect()
    } else {
        repository.check_runs_of(&sha)
    };
    runs.retain(|run| asked("check_name").is_none_or(|name| name == run.name));
    runs.retain(|run| asked("status").is_none_or(|status| status == run.status));
    let total = runs.len();
    let (page, link) = place.call.page(repository, &world.url, runs);
    let listed: Vec<Value> = page.into_iter().map(|run| render::check::run(world, repository, run)).collect();
    Ok(Answer::ok(json!({ "total_count": total, "check_runs": listed })).linked(link))
}

/// `POST /repos/{owner}/{repo}/statuses/{sha}`.
pub(super) fn add_status(world: &mut World, place: &Place, sha: &str) -> Result<Answer, Refusal> {
    if place.call.method != Method::POST {
        return Err(Refusal::not_found());
    }
    let new: NewStatus = place.call.body()?;
    let repository = place.permitted(world, "statuses", Access::Write)?;
    let sha = repository.git.resolve(sha)?.filter(|oid| oid.as_str() == sha).ok_or_else(|| no_commit(sha))?;
    let status = Status {
        id: world.fresh_id(),
        sha,
        context: new.context.unwrap_or_else(|| "default".to_owned()),
        state: new.state,
        description: new.description,
        target_url: new.target_url,
        creator: place.actor(world),
        at: world.now(),
    };
    let rendered = render::check::status(world, world.repository(&place.key)?, &status);
    world.add_status(&place.key, status)?;
    Ok(Answer::created(rendered))
}

/// `POST /repos/{owner}/{repo}/check-runs`.
pub(super) fn create_run(world: &mut World, place: &Place) -> Result<Answer, Refusal> {
    if place.call.method != Method::POST {
        return Err(Refusal::not_found());
    }
    let fields: RunFields = place.call.body()?;
    let repository = place.permitted(world, "checks", Access::Write)?;
    let name = fields.name.clone().ok_or_else(|| Refusal::missing_field("CheckRun", "name"))?;
    let sha = fields.head_sha.clone().ok_or_else(|| Refusal::missing_field("CheckRun", "head_sha"))?;
    let sha = repository.git.resolve(&sha)?.ok_or_else(|| no_commit(&sha))?;
    let run = CheckRun {
        id: world.fresh_id(),
        sha,
        app: None,
        name,
        status: "queued".to_owned(),
        conclusion: None,
        details_url: None,
        external_id: String::new(),
        title: None,
        summary: None,
        started_at: world.now(),
        completed_at: None,
    };
    let run = changed(world, run, fields);
    let rendered = render::check::run(world, world.repository(&place.key)?, &run);
    world.add_check_run(&place.key, &run)?;
    Ok(Answer::created(rendered))
}

/// `GET` and `PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}`.
pub(super) fn change_run(world: &mut World, place: &Place, id: &str) -> Result<Answer, Refusal> {
    let id = call::number(id)?;
    let access = if place.call.method == Method::GET { Access::Read } else { Access::Write };
    let repository = place.permitted(world, "checks", access)?;
    let run = repository.check_runs.iter().find(|run| run.id == id).ok_or_else(Refusal::not_found)?;
    match place.call.method {
        Method::GET => Ok(Answer::ok(render::check::run(world, repository, run))),
        Method::PATCH => {
            let run = changed(world, run.clone(), place.call.body()?);
            let rendered = render::check::run(world, world.repository(&place.key)?, &run);
            world.add_check_run(&place.key, &run)?;
            Ok(Answer::ok(rendered))
        }
        _ => Err(Refusal::not_found()),
    }
}

/// A conclusion completes a run, whatever status was sent with it.
fn changed(world: &World, mut run: CheckRun, fields: RunFields) -> CheckRun {
    run.name = fields.name.unwrap_or(run.name);
    run.status = fields.status.unwrap_or(run.status);
    run.details_url = fields.details_url.or(run.details_url);
    run.external_id = fields.external_id.unwrap_or(run.external_id);
    if let Some(output) = fields.output {
        (run.title, run.summary) = (output.title, output.summary);
    }
    if fields.conclusion.is_some() {
        run.conclusion = fields.conclusion;
        run.status = "completed".to_owned();
        run.completed_at = Some(world.now());
    }
    run
}
