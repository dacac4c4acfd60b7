//! The list of a repository's tags, page by page.

use axum::{
    Json,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use domain::image::Tag;
use serde_json::json;

use super::{exchange::Exchange, refusal::Refusal, shared::Shared};

/// Answers with the tags after `last`, at most `n` of them, and a link to the next page when there is one.
pub(super) fn list(shared: &Shared, exchange: &Exchange, repository: &str) -> Result<Response, Refusal> {
    let most = match exchange.query.get("n") {
        Some(text) => text.parse().map_err(|_error| Refusal::Unsupported)?,
        None => usize::MAX,
    };
    let last = exchange.query.get("last").map_or("", String::as_str);
    let contents = shared.contents();
    let all = contents.tags(repository).ok_or(Refusal::NameUnknown)?;
    let mut left = all.map(Tag::as_str).filter(|tag| *tag > last);
    let page: Vec<&str> = left.by_ref().take(most).collect();
    let link = match (page.last(), left.next()) {
        (Some(last), Some(_)) => Some(format!("</v2/{repository}/tags/list?last={last}&n={most}>; rel=\"next\"")),
        _ => None,
    };
    let mut response = Json(json!({ "name": repository, "tags": page })).into_response();
    if let Some(link) = link.and_then(|link| HeaderValue::try_from(link).ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}
