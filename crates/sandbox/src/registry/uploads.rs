//! Uploads of blobs, in one piece or in many.

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, StatusCode, header},
    response::Response,
};
use domain::image::Digest;

use super::{
    blobs,
    contents::{Upload, is_digest_of},
    exchange::{DIGEST, Exchange, answer, uuid},
    refusal::Refusal,
    route,
    shared::Shared,
};

const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// Begins an upload, or does all of it at once: by taking a blob over from another repository, or with the body.
pub(super) fn begin(shared: &Shared, exchange: &Exchange, repository: &str) -> Result<Response, Refusal> {
    if let (Some(mount), Some(from)) = (exchange.query.get("mount"), exchange.query.get("from")) {
        let digest = parse(mount)?;
        let from = route::repository(from)?;
        if blobs::mount(shared, &exchange.requester, &digest, &from, repository) {
            return Ok(created(repository, &digest));
        }
    } else if exchange.query.contains_key("digest") {
        return finish(shared, exchange, repository, Vec::new());
    }
    let id = uuid();
    let upload = Upload { repository: repository.to_owned(), received: Vec::new() };
    shared.contents().uploads.insert(id.clone(), upload);
    Ok(progress(StatusCode::ACCEPTED, repository, &id, 0))
}

/// Says how far an upload is.
pub(super) fn look(shared: &Shared, repository: &str, id: &str) -> Result<Response, Refusal> {
    let contents = shared.contents();
    let upload = contents.uploads.get(id).filter(belongs_to(repository));
    let upload = upload.ok_or(Refusal::BlobUploadUnknown)?;
    let received = upload.received.len();
    Ok(progress(StatusCode::NO_CONTENT, repository, id, received))
}

/// Adds a chunk to an upload.
pub(super) fn append(shared: &Shared, exchange: &Exchange, repository: &str, id: &str) -> Result<Response, Refusal> {
    let mut contents = shared.contents();
    let upload = contents
        .uploads
        .get_mut(id)
        .filter(|upload| upload.repository == repository)
        .ok_or(Refusal::BlobUploadUnknown)?;
    if let Some(range) = exchange.header(&header::CONTENT_RANGE) {
        let start = range.split_once('-').map(|(start, _end)| start.parse());
        if start != Some(Ok(upload.received.len())) {
            return Err(Refusal::RangeInvalid);
        }
    }
    upload.received.extend_from_slice(&exchange.body);
    let received = upload.received.len();
    Ok(progress(StatusCode::ACCEPTED, repository, id, received))
}

/// Ends an upload with what is left of it and the digest of all.
pub(super) fn complete(shared: &Shared, exchange: &Exchange, repository: &str, id: &str) -> Result<Response, Refusal> {
    let received = take(shared, repository, id)?.received;
    finish(shared, exchange, repository, received)
}

/// Gives an upload up.
pub(super) fn cancel(shared: &Shared, repository: &str, id: &str) -> Result<Response, Refusal> {
    take(shared, repository, id)?;
    Ok(answer(StatusCode::NO_CONTENT, [], Body::empty()))
}

fn take(shared: &Shared, repository: &str, id: &str) -> Result<Upload, Refusal> {
    let mut contents = shared.contents();
    let known = contents.uploads.get(id).filter(belongs_to(repository)).is_some();
    known.then(|| contents.uploads.remove(id)).flatten().ok_or(Refusal::BlobUploadUnknown)
}

fn belongs_to(repository: &str) -> impl Fn(&&Upload) -> bool {
    move |upload| upload.repository == repository
}

fn finish(shared: &Shared, exchange: &Exchange, repository: &str, mut received: Vec<u8>) -> Result<Response, Refusal> {
    let claimed = exchange.query.get("digest");
    let digest = parse(claimed.ok_or(Refusal::BlobUploadInvalid)?)?;
    received.extend_from_slice(&exchange.body);
    if !is_digest_of(&digest, &received) {
        return Err(Refusal::DigestInvalid);
    }
    let bytes = Bytes::from(received);
    blobs::push(shared, &exchange.requester, repository, &digest, bytes);
    Ok(created(repository, &digest))
}

fn parse(digest: &str) -> Result<Digest, Refusal> {
    digest.parse().map_err(|_invalid| Refusal::DigestInvalid)
}

fn created(repository: &str, digest: &Digest) -> Response {
    let headers = [(header::LOCATION, format!("/v2/{repository}/blobs/{digest}")), (DIGEST, digest.to_string())];
    answer(StatusCode::CREATED, headers, Body::empty())
}

/// Where an upload goes on; of an empty one the range is `0-0` as well, in the specification and in the real registry.
fn progress(status: StatusCode, repository: &str, id: &str, received: usize) -> Response {
    let headers = [
        (header::LOCATION, format!("/v2/{repository}/blobs/uploads/{id}")),
        (header::RANGE, format!("0-{}", received.saturating_sub(1))),
        (UPLOAD_ID, id.to_owned()),
    ];
    answer(status, headers, Body::empty())
}
