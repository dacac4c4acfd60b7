//! Branches and references.

use axum::http::{Method, StatusCode};
use domain::forge::Branch;
use serde::Deserialize;
use serde_json::Value;

use super::{Answer, Place, commits};
use crate::{
    git::Oid,
    protection::{self, Update},
    refusal::Refusal,
    render,
    world::{World, app::Access},
};

#[derive(Deserialize)]
struct NewReference {
    r#ref: String,
    sha: String,
}

#[derive(Deserialize)]
struct MovedReference {
    sha: String,
    #[serde(default)]
    force: bool,
}

/// Operations below `branches`, `git` and `rules`.
pub(super) fn route(world: &mut World, place: &Place, rest: &[&str]) -> Result<Answer, Refusal> {
    match (&place.call.method, rest) {
        (&Method::GET, ["branches", name @ ..]) => branch(world, place, &name.join("/")),
        (&Method::GET, ["rules", "branches", name @ ..]) => rules(world, place, &name.join("/")),
        (&Method::GET, ["git", "ref", name @ ..]) => get(world, place, &name.join("/")),
        (&Method::GET, ["git", "matching-refs", prefix @ ..]) => matching(world, place, &prefix.join("/")),
        (&Method::POST, ["git", "refs"]) => create(world, place),
        (&Method::PATCH, ["git", "refs", name @ ..]) => change(world, place, &name.join("/")),
        (&Method::DELETE, ["git", "refs", name @ ..]) => delete(world, place, &name.join("/")),
        _ => Err(Refusal::not_found()),
    }
}

fn branch(world: &World, place: &Place, name: &str) -> Result<Answer, Refusal> {
    let repository = place.permitted(world, "contents", Access::Read)?;
    let not_found = || Refusal::new(StatusCode::NOT_FOUND, "Branch not found");
    let tip = repository.tips.get(name).ok_or_else(not_found)?;
    let commit = commits::object(repository, tip)?;
    Ok(Answer::ok(render::repository::branch(world, repository, name, &commit)?))
}

/// Classic protection is not among them, as on GitHub.
fn rules(world: &World, place: &Place, name: &str) -> Result<Answer, Refusal> {
    let repository = place.permitted(world, "metadata", Access::Read)?;
    Ok(Answer::ok(Value::Array(render::rules::of_branch(repository, name))))
}

fn get(world: &World, place: &Place, name: &str) -> Result<Answer, Refusal> {
    let repository = place.permitted(world, "contents", Access::Read)?;
    let tip = name.strip_prefix("heads/").and_then(|branch| repository.tips.get(branch));
    let tip = tip.ok_or_else(Refusal::not_found)?;
    Ok(Answer::ok(render::repository::reference(world, repository, &format!("refs/{name}"), tip)))
}

fn matching(world: &World, place: &Place, prefix: &str) -> Result<Answer, Refusal> {
    let repository = place.permitted(world, "contents", Access::Read)?;
    let named = repository.tips.iter().map(|(branch, tip)| (format!("heads/{branch}"), tip));
    let found = named.filter(|(name, _)| name.starts_with(prefix));
    let listed: Vec<Value> = found
        .map(|(name, tip)| render::repository::reference(world, repository, &format!("refs/{name}"), tip))
        .collect();
    Ok(Answer::ok(Value::Array(listed)))
}

fn create(world: &mut World, place: &Place) -> Result<Answer, Refusal> {
    let new: NewReference = place.call.body()?;
    let repository = place.permitted(world, "contents", Access::Write)?;
    let branch: Option<Branch> = new.r#ref.strip_prefix("refs/heads/").and_then(|name| name.parse().ok());
    let Some(branch) = branch else {
        return Err(Refusal::unprocessable("Reference name must start with 'refs/' and contain a valid branch name."));
    };
    let Some(oid) = repository.git.resolve(&new.sha)?.filter(|oid| oid.as_str() == new.sha) else {
        return Err(Refusal::unprocessable("Object does not exist"));
    };
    if repository.tips.contains_key(branch.as_str()) {
        return Err(Refusal::unprocessable("Reference already exists"));
    }
    repository.git.set_reference(&new.r#ref, &oid)?;
    world.settle(&place.key, &place.actor(world))?;
    let repository = world.repository(&place.key)?;
    Ok(Answer::created(render::repository::reference(world, repository, &new.r#ref, &oid)))
}

fn change(world: &mut World, place: &Place, name: &str) -> Result<Answer, Refusal> {
    let moved: MovedReference = place.call.body()?;
    let repository = place.permitted(world, "contents", Access::Write)?;
    let branch = name.strip_prefix("heads/").unwrap_or(name);
    let missing = || Refusal::unprocessable("Reference does not exist");
    let before = repository.tips.get(branch).ok_or_else(missing)?;
    let Some(after) = repository.git.resolve(&moved.sha)?.filter(|oid| oid.as_str() == moved.sha) else {
        return Err(Refusal::unprocessable("Object does not exist"));
    };
    if !moved.force && !repository.git.is_ancestor(before, &after)? {
        return Err(Refusal::unprocessable("Update is not a fast forward"));
    }
    refuse_protected(world, place, branch, Some(&after))?;
    repository.git.set_reference(&format!("refs/heads/{branch}"), &after)?;
    world.settle(&place.key, &place.actor(world))?;
    let repository = world.repository(&place.key)?;
    Ok(Answer::ok(render::repository::reference(world, repository, &format!("refs/heads/{branch}"), &after)))
}

fn delete(world: &mut World, place: &Place, name: &str) -> Result<Answer, Refusal> {
    let repository = place.permitted(world, "contents", Access::Write)?;
    let branch = name.strip_prefix("heads/").unwrap_or(name);
    if !repository.tips.contains_key(branch) {
        return Err(Refusal::unprocessable("Reference does not exist"));
    }
    refuse_protected(world, place, branch, None)?;
    repository.git.delete_reference(&format!("refs/heads/{branch}"))?;
    world.settle(&place.key, &place.actor(world))?;
    Ok(Answer::no_content())
}

fn refuse_protected(world: &World, place: &Place, branch: &str, after: Option<&Oid>) -> Result<(), Refusal> {
    let repository = world.repository(&place.key)?;
    let reference = format!("refs/heads/{branch}");
    let update = Update { reference: &reference, after };
    match protection::refuse(repository, &place.actor(world), &update)?.first() {
        None => Ok(()),
        Some(reason) => Err(Refusal::unprocessable(format!("Repository rule violations found\n\n{reason}\n\n"))),
    }
}
