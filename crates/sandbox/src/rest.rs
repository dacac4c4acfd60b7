//! The REST interface: which operation a path means.
//!
//! An operation that is not here answers 404, as GitHub does for what it does not know.

mod activity;
mod apps;
mod attestations;
mod blobs;
mod call;
mod checks;
mod commits;
mod hooks;
mod issues;
mod pulls;
mod references;

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, Uri},
    response::{IntoResponse as _, Response},
};

use crate::{
    refusal::Refusal,
    render,
    shared::Shared,
    world::{
        World,
        app::{Access, Caller},
        repository::{Key, Repository},
    },
};
pub(crate) use attestations::bundle;
pub(crate) use call::{Answer, Call};
pub(crate) use hooks::{deliveries, delivery, redeliver};

/// Answers every request that is for the REST interface.
pub(crate) async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let call = Call::new(method, &uri, &headers, body);
    let answered = shared.with(move |world| dispatch(world, call)).await;
    match answered {
        Ok(answer) => answer.into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// An operation on a repository, by somebody.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) key: Key,
    pub(crate) caller: Caller,
    pub(crate) call: Call,
}

impl Place {
    /// The repository, when the caller has a permission on it.
    pub(crate) fn permitted<'w>(
        &self,
        world: &'w World,
        permission: &str,
        access: Access,
    ) -> Result<&'w Repository, Refusal> {
        world.permitted(&self.caller, &self.key, permission, access)
    }

    /// The account name of the caller.
    pub(crate) fn actor(&self, world: &World) -> String {
        world.login_of(&self.caller)
    }
}

fn dispatch(world: &mut World, call: Call) -> Result<Answer, Refusal> {
    let segments = by_name(world, &call.segments);
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        [] => Ok(Answer::ok(serde_json::json!({ "current_user_url": format!("{}/user", world.url) }))),
        ["user"] => apps::user(world, &call),
        ["app", ..] | ["installation", ..] => apps::route(world, &call, &segments),
        ["repos", owner, name, "installation"] => apps::of_repository(world, &call, &key(owner, name)?),
        ["repos", owner, name, rest @ ..] => {
            let caller = world.authenticate(call.authorization.as_deref())?;
            let place = Place { key: key(owner, name)?, caller, call };
            place.permitted(world, "metadata", Access::Read)?;
            on_repository(world, &place, rest)
        }
        _ => Err(Refusal::not_found()),
    }
}

fn on_repository(world: &mut World, place: &Place, rest: &[&str]) -> Result<Answer, Refusal> {
    let get = place.call.method == Method::GET;
    match rest {
        [] if get => {
            let repository = place.permitted(world, "metadata", Access::Read)?;
            Ok(Answer::ok(render::repository::full(world, repository)))
        }
        ["commits", sha @ .., "status"] if get && !sha.is_empty() => checks::combined(world, place, &sha.join("/")),
        ["commits", sha @ .., "check-runs"] if get && !sha.is_empty() => checks::runs(world, place, &sha.join("/")),
        ["activity"] if get => activity::list(world, place),
        ["attestations", digest] if get => attestations::list(world, place, digest),
        ["commits"] if get => commits::list(world, place),
        ["commits", sha, "pulls"] if get => commits::pull_requests(world, place, sha),
        ["commits", reference @ ..] if get => commits::get(world, place, &reference.join("/")),
        ["compare", range @ ..] if get => commits::compare(world, place, &range.join("/")),
        ["statuses", sha] => checks::add_status(world, place, sha),
        ["check-runs"] => checks::create_run(world, place),
        ["check-runs", id] => checks::change_run(world, place, id),
        ["git", "blobs", sha] if get => blobs::get(world, place, sha),
        ["branches" | "git" | "rules", ..] => references::route(world, place, rest),
        ["pulls", ..] => pulls::route(world, place, rest),
        ["issues", number, more @ ..] => issues::route(world, place, call::number(number)?, more),
        _ => Err(Refusal::not_found()),
    }
}

/// `/repositories/{id}/…` is `/repos/{owner}/{repo}/…`: GitHub links pages by number.
fn by_name(world: &World, segments: &[String]) -> Vec<String> {
    let mut named = segments.to_vec();
    if let [first, id, rest @ ..] = segments
        && first == "repositories"
        && let Some(repository) = world.repositories.values().find(|it| it.id.to_string() == *id)
    {
        let key = &repository.key;
        named = vec!["repos".to_owned(), key.owner().to_owned(), key.name().to_owned()];
        named.extend(rest.iter().cloned());
    }
    named
}

fn key(owner: &str, name: &str) -> Result<Key, Refusal> {
    format!("{owner}/{name}").parse().ok().ok_or_else(Refusal::not_found)
}
