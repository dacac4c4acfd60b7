//! Blobs: layers and configurations.

use axum::{
    body::{Body, Bytes},
    http::StatusCode,
    response::Response,
};
use domain::image::Digest;

use super::{
    exchange::{Exchange, Requester, answer},
    notification::{Action, Target},
    refusal::Refusal,
    shared::Shared,
};

/// Answers with a blob, or with its headers.
pub(super) fn get(
    shared: &Shared,
    exchange: &Exchange,
    repository: &str,
    digest: &Digest,
) -> Result<Response, Refusal> {
    let blob = shared.contents().blob(repository, digest);
    let bytes = blob.ok_or(Refusal::BlobUnknown)?;
    let target = Target::blob(&exchange.requester, repository, digest, bytes.len());
    shared.notifier.notify(Action::Pull, target, &exchange.requester);
    Ok(exchange.content("application/octet-stream", digest, bytes))
}

/// Forgets a blob.
pub(super) fn delete(
    shared: &Shared,
    exchange: &Exchange,
    repository: &str,
    digest: &Digest,
) -> Result<Response, Refusal> {
    if !shared.contents().delete_blob(repository, digest) {
        return Err(Refusal::BlobUnknown);
    }
    let target = Target::gone(repository, digest);
    shared.notifier.notify(Action::Delete, target, &exchange.requester);
    Ok(answer(StatusCode::ACCEPTED, [], Body::empty()))
}

/// Keeps a blob whose digest was checked.
pub(super) fn push(shared: &Shared, requester: &Requester, repository: &str, digest: &Digest, bytes: Bytes) {
    let target = Target::blob(requester, repository, digest, bytes.len());
    shared.contents().put_blob(repository, digest, bytes);
    shared.notifier.notify(Action::Push, target, requester);
}

/// Takes a blob over from another repository; tells whether that has it.
pub(super) fn mount(shared: &Shared, requester: &Requester, digest: &Digest, from: &str, to: &str) -> bool {
    let mounted = shared.contents().mount_blob(digest, from, to);
    let Some(bytes) = mounted else {
        return false;
    };
    let target = Target::blob(requester, to, digest, bytes.len()).from(from);
    shared.notifier.notify(Action::Mount, target, requester);
    true
}
