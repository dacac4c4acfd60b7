//! Pull requests.

use axum::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Place, call};
use crate::{
    git::Oid,
    merging::MergeRequest,
    refusal::Refusal,
    render,
    world::{
        World,
        app::Access,
        proposing::Edit,
        pull_request::{Message, Method as MergeMethod, NewPullRequest, PullRequest},
    },
};

#[derive(Deserialize)]
struct Opening {
    title: Option<String>,
    head: Option<String>,
    base: Option<String>,
    body: Option<String>,
    #[serde(default)]
    draft: bool,
}

#[derive(Deserialize)]
struct Change {
    title: Option<String>,
    body: Option<String>,
    base: Option<String>,
    state: Option<String>,
}

#[derive(Deserialize)]
struct Merge {
    sha: Option<Oid>,
    merge_method: Option<MergeMethod>,
    commit_title: Option<String>,
    commit_message: Option<String>,
}

/// Operations below `pulls`.
pub(super) fn route(world: &mut World, place: &Place, rest: &[&str]) -> Result<Answer, Refusal> {
    match (&place.call.method, rest) {
        (&Method::GET, ["pulls"]) => list(world, place),
        (&Method::POST, ["pulls"]) => open(world, place),
        (&Method::GET, ["pulls", number]) => {
            let repository = place.permitted(world, "pull_requests", Access::Read)?;
            Ok(Answer::ok(render::pull_request::full(world, repository, call::number(number)?)?))
        }
        (&Method::PATCH, ["pulls", number]) => change(world, place, call::number(number)?),
        (&Method::GET, ["pulls", number, "files"]) => files(world, place, call::number(number)?),
        (&Method::GET, ["pulls", number, "merge"]) => is_merged(world, place, call::number(number)?),
        (&Method::PUT, ["pulls", number, "merge"]) => merge(world, place, call::number(number)?),
        _ => Err(Refusal::not_found()),
    }
}

fn list(world: &World, place: &Place) -> Result<Answer, Refusal> {
    let repository = place.permitted(world, "pull_requests", Access::Read)?;
    let query = |name: &str| place.call.query.get(name).map(String::as_str);
    let state = query("state").unwrap_or("open");
    // A head without its owner is not looked at, as on GitHub.
    let head = query("head").and_then(|head| head.split_once(':'));
    let wanted = |it: &&PullRequest| {
        let state = match state {
            "open" => it.is_open(),
            "closed" => !it.is_open(),
            _ => true,
        };
        state
            && query("base").is_none_or(|base| it.base_branch == base)
            && head.is_none_or(|(owner, branch)| {
                repository.key.owner().eq_ignore_ascii_case(owner) && it.head_branch == branch
            })
    };
    let mut found: Vec<&PullRequest> = repository.pull_requests.values().filter(wanted).collect();
    if query("direction") != Some("asc") {
        found.reverse();
    }
    let (page, link) = place.call.page(repository, &world.url, found);
    let listed = page.into_iter().map(|it| render::pull_request::simple(world, repository, it));
    Ok(Answer::ok(Value::Array(listed.collect())).linked(link))
}

fn open(world: &mut World, place: &Place) -> Result<Answer, Refusal> {
    let opening: Opening = place.call.body()?;
    place.permitted(world, "pull_requests", Access::Write)?;
    let missing = |field| Refusal::missing_field("PullRequest", field);
    let new = NewPullRequest {
        title: opening.title.filter(|title| !title.is_empty()).ok_or_else(|| missing("title"))?,
        body: opening.body,
        head: opening.head.ok_or_else(|| missing("head"))?,
        base: opening.base.ok_or_else(|| missing("base"))?,
        draft: opening.draft,
    };
    let actor = place.actor(world);
    let number = world.open(&place.key, &actor, new)?;
    let repository = world.repository(&place.key)?;
    Ok(Answer::created(render::pull_request::full(world, repository, number)?))
}

fn change(world: &mut World, place: &Place, number: u64) -> Result<Answer, Refusal> {
    let change: Change = place.call.body()?;
    place.permitted(world, "pull_requests", Access::Write)?.pull_request(number)?;
    let actor = place.actor(world);
    let edit = Edit { title: change.title, body: change.body, base: change.base };
    world.edit(&place.key, &actor, number, edit)?;
    match change.state.as_deref() {
        None => {}
        Some("closed") => world.close(&place.key, &actor, number)?,
        Some("open") => world.reopen(&place.key, &actor, number)?,
        Some(_) => return Err(Refusal::invalid_field("PullRequest", "state")),
    }
    let repository = world.repository(&place.key)?;
    Ok(Answer::ok(render::pull_request::full(world, repository, number)?))
}

fn files(world: &World, place: &Place, number: u64) -> Result<Answer, Refusal> {
    let repository = place.permitted(world, "pull_requests", Access::Read)?;
    let pull_request = repository.pull_request(number)?;
    let head = &pull_request.head;
    let (page, link) = place.call.page(repository, &world.url, repository.changes(&pull_request.base, head)?);
    let listed = page.iter().map(|change| render::pull_request::file(world, repository, head, change));
    Ok(Answer::ok(Value::Array(listed.collect())).linked(link))
}

fn is_merged(world: &World, place: &Place, number: u64) -> Result<Answer, Refusal> {
    let repository = place.permitted(world, "pull_requests", Access::Read)?;
    if repository.pull_request(number)?.is_merged() { Ok(Answer::no_content()) } else { Err(Refusal::not_found()) }
}

fn merge(world: &mut World, place: &Place, number: u64) -> Result<Answer, Refusal> {
    let merge: Merge = place.call.body()?;
    place.permitted(world, "contents", Access::Write)?.pull_request(number)?;
    let actor = place.actor(world);
    let request = MergeRequest {
        number,
        method: merge.merge_method.unwrap_or_default(),
        expected_head: merge.sha,
        message: Message { headline: merge.commit_title, body: merge.commit_message },
    };
    let sha = world.merge(&place.key, &actor, &request)?;
    world.settle(&place.key, &actor)?;
    Ok(Answer::ok(json!({ "sha": sha, "merged": true, "message": "Pull Request successfully merged" })))
}
