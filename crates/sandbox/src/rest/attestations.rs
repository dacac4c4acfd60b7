//! Attestations, and where their bundles are when a list does not hold them.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse as _, Response},
};
use serde_json::{Value, json};

use super::{Answer, Place};
use crate::{
    refusal::Refusal,
    shared::Shared,
    world::{
        World,
        app::Access,
        attestation::{Attestation, Form},
        repository::Repository,
    },
};

/// GitHub's sizes of a page.
const DEFAULT_PAGE: usize = 30;
const LARGEST_PAGE: usize = 100;

/// `GET /repos/{owner}/{repo}/attestations/{subject_digest}`
/// (<https://docs.github.com/en/rest/repos/attestations#list-attestations>). Its pages go by cursor, which is here the
/// number of an attestation.
pub(super) fn list(world: &World, place: &Place, digest: &str) -> Result<Answer, Refusal> {
    let repository = place.permitted(world, "attestations", Access::Read)?;
    let query = |name: &str| place.call.query.get(name).map(String::as_str);
    let size = query("per_page").and_then(|text| text.parse().ok()).unwrap_or(DEFAULT_PAGE).clamp(1, LARGEST_PAGE);
    let after: u64 = query("after").and_then(|text| text.parse().ok()).unwrap_or_default();
    let about: Vec<&Attestation> = repository
        .attestations
        .iter()
        .filter(|one| one.digests.iter().any(|it| it == digest))
        .filter(|one| query("predicate_type").is_none_or(|kind| one.is(kind)))
        .collect();
    if about.is_empty() {
        return Err(Refusal::not_found());
    }
    let rest: Vec<&Attestation> = about.into_iter().filter(|one| one.id > after).collect();
    let page = rest.get(..size).unwrap_or(&rest);
    let link = page.last().filter(|_| rest.len() > size).map(|last| {
        let (id, kind) = (repository.id, query("predicate_type").map(|kind| format!("&predicate_type={kind}")));
        let address = format!("{}/repositories/{id}/attestations/{digest}", world.url);
        format!("<{address}?per_page={size}&after={}{}>; rel=\"next\"", last.id, kind.unwrap_or_default())
    });
    let shown: Vec<Value> = page.iter().map(|one| show(world, repository, one)).collect();
    Ok(Answer::ok(json!({ "attestations": shown })).linked(link))
}

fn show(world: &World, repository: &Repository, attestation: &Attestation) -> Value {
    let mut shown = json!({
        "repository_id": repository.id,
        "bundle_url": format!("{}/_attestations/{}?sig=abc", world.url, attestation.id),
        "initiator": "user",
    });
    if let (Form::Inline, Some(shown)) = (attestation.form, shown.as_object_mut()) {
        shown.insert("bundle".to_owned(), attestation.bundle.clone());
    }
    shown
}

/// The compressed bundle, from a store that takes no credentials beside those in the address.
pub(crate) async fn bundle(State(shared): State<Arc<Shared>>, Path(id): Path<u64>, headers: HeaderMap) -> Response {
    if headers.contains_key(AUTHORIZATION) {
        return Refusal::new(StatusCode::BAD_REQUEST, "the address is enough: send no credentials").into_response();
    }
    let found = shared.see(move |world| {
        let mut all = world.repositories.values().flat_map(|repository| &repository.attestations);
        all.find(|one| one.id == id).map(|one| one.bundle.to_string()).ok_or_else(Refusal::not_found)
    });
    let compressed = match found.await {
        Ok(bundle) => snap::raw::Encoder::new().compress_vec(bundle.as_bytes()),
        Err(refusal) => return refusal.into_response(),
    };
    match compressed {
        Ok(bytes) => ([("content-type", "application/x-snappy")], bytes).into_response(),
        Err(why) => Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, why.to_string()).into_response(),
    }
}
