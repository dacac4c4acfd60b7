//! Files by the name of their content.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use super::{Answer, Place};
use crate::{
    git::Oid,
    refusal::Refusal,
    render,
    world::{World, app::Access},
};

/// GitHub breaks the lines of Base64, as MIME does.
const LINE: usize = 60;

/// `GET /repos/{owner}/{repo}/git/blobs/{sha}`.
pub(super) fn get(world: &World, place: &Place, sha: &str) -> Result<Answer, Refusal> {
    let repository = place.permitted(world, "contents", Access::Read)?;
    let oid: Oid = sha.parse().ok().ok_or_else(Refusal::not_found)?;
    let bytes = repository.git.blob(&oid)?.ok_or_else(Refusal::not_found)?;
    let encoded = STANDARD.encode(&bytes);
    let lines = encoded.as_bytes().chunks(LINE).map(|line| String::from_utf8_lossy(line).into_owned() + "\n");
    Ok(Answer::ok(json!({
        "sha": oid,
        "node_id": format!("B_kwDOSB{:08x}:{oid}", repository.id),
        "size": bytes.len(),
        "url": format!("{}/git/blobs/{oid}", render::repository::url(world, &repository.key)),
        "content": lines.collect::<String>(),
        "encoding": "base64",
    })))
}
