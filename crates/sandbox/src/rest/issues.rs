//! Labels and comments, which GitHub keeps with issues.

use axum::http::Method;
use serde::Deserialize;
use serde_json::Value;

use super::{Answer, Place};
use crate::{
    refusal::Refusal,
    render,
    world::{World, app::Access},
};

#[derive(Deserialize)]
struct Labels {
    labels: Vec<String>,
}

#[derive(Deserialize)]
struct NewComment {
    body: String,
}

/// Operations below `issues/{number}`.
pub(super) fn route(world: &mut World, place: &Place, number: u64, rest: &[&str]) -> Result<Answer, Refusal> {
    let access = if place.call.method == Method::GET { Access::Read } else { Access::Write };
    place.permitted(world, "pull_requests", access)?.pull_request(number)?;
    let actor = place.actor(world);
    match (&place.call.method, rest) {
        (&Method::GET, ["labels"]) => {}
        (&Method::POST, ["labels"]) => {
            let Labels { labels } = place.call.body()?;
            world.label(&place.key, &actor, number, &labels)?;
        }
        (&Method::DELETE, ["labels", label]) => world.unlabel(&place.key, &actor, number, label)?,
        (_, ["comments"]) => return comments(world, place, number),
        _ => return Err(Refusal::not_found()),
    }
    let repository = world.repository(&place.key)?;
    let labels = repository.pull_request(number)?.labels.iter();
    Ok(Answer::ok(labels.map(|name| render::pull_request::label(world, repository, name)).collect()))
}

fn comments(world: &mut World, place: &Place, number: u64) -> Result<Answer, Refusal> {
    match place.call.method {
        Method::GET => {
            let repository = world.repository(&place.key)?;
            let comments = repository.pull_request(number)?.comments.iter();
            let listed = comments.map(|it| render::pull_request::comment(world, repository, number, it));
            Ok(Answer::ok(Value::Array(listed.collect())))
        }
        Method::POST => {
            let NewComment { body } = place.call.body()?;
            let actor = place.actor(world);
            let comment = world.comment(&place.key, &actor, number, body)?;
            let repository = world.repository(&place.key)?;
            Ok(Answer::created(render::pull_request::comment(world, repository, number, &comment)))
        }
        _ => Err(Refusal::not_found()),
    }
}
