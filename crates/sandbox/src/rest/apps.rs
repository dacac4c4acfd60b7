//! The App, its installations, its tokens, and its deliveries.

use std::collections::BTreeSet;

use axum::http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Call, call};
use crate::{
    refusal::Refusal,
    render,
    world::{
        World,
        app::{Caller, Permissions},
        repository::{Key, Repository},
    },
};

#[derive(Deserialize)]
struct TokenRequest {
    repositories: Option<Vec<String>>,
    repository_ids: Option<Vec<u64>>,
    permissions: Option<Permissions>,
}

/// Operations below `/app` and `/installation`.
pub(super) fn route(world: &mut World, call: &Call, segments: &[&str]) -> Result<Answer, Refusal> {
    match (&call.method, segments) {
        (&Method::GET, ["app"]) => {
            require_app(world, call.authorization.as_deref())?;
            Ok(Answer::ok(render::app::integration(world)))
        }
        (&Method::GET, ["app", "hook", "config"]) => {
            require_app(world, call.authorization.as_deref())?;
            Ok(Answer::ok(render::app::hook(world)))
        }
        (&Method::GET, ["app", "installations"]) => {
            require_app(world, call.authorization.as_deref())?;
            let all = world.app.installations.iter();
            Ok(Answer::ok(all.map(|(owner, id)| render::app::installation(world, owner, *id)).collect()))
        }
        (&Method::GET, ["app", "installations", id]) => {
            require_app(world, call.authorization.as_deref())?;
            let id = call::number(id)?;
            let owner = owner_of(world, id)?;
            Ok(Answer::ok(render::app::installation(world, &owner, id)))
        }
        (&Method::POST, ["app", "installations", id, "access_tokens"]) => {
            require_app(world, call.authorization.as_deref())?;
            let owner = owner_of(world, call::number(id)?)?;
            issue(world, &owner, call.body()?)
        }
        (&Method::GET, ["installation", "repositories"]) => repositories(world, call),
        (&Method::DELETE, ["installation", "token"]) => revoke(world, call),
        _ => Err(Refusal::not_found()),
    }
}

/// `GET /repos/{owner}/{repo}/installation`.
pub(super) fn of_repository(world: &World, call: &Call, key: &Key) -> Result<Answer, Refusal> {
    require_app(world, call.authorization.as_deref())?;
    let repository = world.repository(key)?;
    match world.app.installation_of(key.owner()) {
        Some(id) if repository.installed => {
            Ok(Answer::ok(render::app::installation(world, repository.key.owner(), id)))
        }
        _ => Err(Refusal::not_found()),
    }
}

/// `GET /user`.
pub(super) fn user(world: &World, call: &Call) -> Result<Answer, Refusal> {
    match world.authenticate(call.authorization.as_deref())? {
        Caller::Person(login) => Ok(Answer::ok(render::user::account(world, &login))),
        Caller::App | Caller::Installation { .. } => Err(Refusal::not_accessible()),
    }
}

/// Lets only the App itself in.
pub(super) fn require_app(world: &World, authorization: Option<&str>) -> Result<(), Refusal> {
    match world.authenticate(authorization)? {
        Caller::App => Ok(()),
        Caller::Installation { .. } | Caller::Person(_) => {
            Err(Refusal::unauthenticated("A JSON web token could not be decoded"))
        }
    }
}

fn owner_of(world: &World, id: u64) -> Result<String, Refusal> {
    let mut installations = world.app.installations.iter();
    let owner = installations.find(|(_, known)| **known == id).map(|(owner, _)| owner.clone());
    owner.ok_or_else(Refusal::not_found)
}

fn issue(world: &mut World, owner: &str, asked: TokenRequest) -> Result<Answer, Refusal> {
    let no_such = || {
        Refusal::unprocessable(
            "There is at least one repository that does not exist or is not accessible to the parent installation.",
        )
    };
    let of_owner =
        |repository: &&Repository| repository.installed && repository.key.owner().eq_ignore_ascii_case(owner);
    let mut keys = BTreeSet::new();
    for name in asked.repositories.iter().flatten() {
        let mut known = world.repositories.values().filter(of_owner);
        let found = known.find(|it| it.key.name().eq_ignore_ascii_case(name)).ok_or_else(no_such)?;
        keys.insert(found.key.clone());
    }
    for id in asked.repository_ids.iter().flatten() {
        let mut known = world.repositories.values().filter(of_owner);
        keys.insert(known.find(|it| it.id == *id).ok_or_else(no_such)?.key.clone());
    }
    let granted = &world.app.permissions;
    let asked_permissions = asked.permissions.unwrap_or_else(|| granted.clone());
    let has = |name: &String, wanted: &String| {
        granted.get(name).is_some_and(|have| have == wanted || have == "write" || have == "admin")
    };
    if !asked_permissions.iter().all(|(name, wanted)| has(name, wanted)) {
        return Err(Refusal::unprocessable("The permissions requested are not granted to this installation."));
    }
    let (token, grant) = world.issue_token(owner, asked_permissions, (!keys.is_empty()).then_some(keys));
    Ok(Answer::created(render::app::token(world, &token, &grant)))
}

fn repositories(world: &World, call: &Call) -> Result<Answer, Refusal> {
    let Caller::Installation { grant, .. } = world.authenticate(call.authorization.as_deref())? else {
        return Err(Refusal::not_accessible());
    };
    let covered = world.repositories.values().filter(|repository| grant.covers(repository));
    let listed: Vec<Value> = covered.map(|repository| render::repository::nested(world, repository)).collect();
    let selection = if grant.repositories.is_some() { "selected" } else { "all" };
    Ok(Answer::ok(json!({ "total_count": listed.len(), "repository_selection": selection, "repositories": listed })))
}

fn revoke(world: &mut World, call: &Call) -> Result<Answer, Refusal> {
    let Caller::Installation { token, .. } = world.authenticate(call.authorization.as_deref())? else {
        return Err(Refusal::not_accessible());
    };
    world.tokens.remove(&token);
    Ok(Answer::no_content())
}
