//! What happened to branches.

use serde_json::{Value, json};

use super::{Answer, Place};
use crate::{
    git::Oid,
    refusal::Refusal,
    render,
    world::{World, activity::Activity, app::Access},
};

/// As many are listed where nothing is said of it.
const PAGE: usize = 30;

/// `GET /repos/{owner}/{repo}/activity`: the newest first, and only the first page.
pub(super) fn list(world: &World, place: &Place) -> Result<Answer, Refusal> {
    let repository = place.permitted(world, "contents", Access::Read)?;
    let asked = |name: &str| place.call.query.get(name).map(String::as_str);
    let branch = asked("ref").map(|name| name.strip_prefix("refs/heads/").unwrap_or(name));
    let size = asked("per_page").and_then(|text| text.parse().ok()).unwrap_or(PAGE);
    let wanted = repository.activities.iter().rev().filter(|one| {
        branch.is_none_or(|branch| branch == one.branch) && asked("activity_type").is_none_or(|kind| kind == one.kind())
    });
    Ok(Answer::ok(wanted.take(size).map(|one| activity(world, one)).collect()))
}

fn activity(world: &World, one: &Activity) -> Value {
    let zero_or = |oid: &Option<Oid>| oid.as_ref().map_or(Oid::ZERO, Oid::as_str).to_owned();
    json!({
        "id": one.id,
        "node_id": render::node_id("PSH", one.id),
        "before": zero_or(&one.before),
        "after": zero_or(&one.after),
        "ref": format!("refs/heads/{}", one.branch),
        "timestamp": render::time(one.at),
        "activity_type": one.kind(),
        "actor": render::user::account(world, &one.actor),
    })
}
