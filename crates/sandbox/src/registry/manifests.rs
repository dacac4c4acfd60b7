//! Manifests and indexes, by tag and by digest.

use axum::{
    body::Body,
    http::{HeaderName, StatusCode, header},
    response::Response,
};
use domain::image::{Digest, Tag};
use serde::Deserialize;

use super::{
    contents::{Contents, Manifest, digest, is_digest_of},
    exchange::{DIGEST, Exchange, Requester, answer},
    notification::{Action, Target},
    referrers::Referrers,
    refusal::Refusal,
    route::Key,
    shared::Shared,
};

/// The largest manifest that is taken: what the OCI specification asks registries to take at least.
const LARGEST: usize = 4 * 1024 * 1024;

const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// What a manifest refers to, whichever kind it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct References {
    media_type: Option<String>,
    config: Option<Reference>,
    #[serde(default)]
    layers: Vec<Reference>,
    #[serde(default)]
    manifests: Vec<Reference>,
    subject: Option<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    digest: String,
    /// Where a layer is that no registry may hold.
    #[serde(default)]
    urls: Vec<String>,
}

/// Answers with a manifest, or with its headers.
pub(super) fn get(shared: &Shared, exchange: &Exchange, repository: &str, key: &Key) -> Result<Response, Refusal> {
    let manifest = shared.contents().manifest(repository, key).cloned();
    let manifest = manifest.ok_or(Refusal::ManifestUnknown)?;
    let target = Target::manifest(&exchange.requester, repository, &manifest, tag(key));
    shared.notifier.notify(Action::Pull, target, &exchange.requester);
    Ok(exchange.content(&manifest.media_type, &manifest.digest, manifest.bytes))
}

/// Keeps a manifest that refers to nothing unknown.
pub(super) fn put(shared: &Shared, exchange: &Exchange, repository: &str, key: &Key) -> Result<Response, Refusal> {
    if exchange.body.len() > LARGEST {
        return Err(Refusal::SizeInvalid);
    }
    let references: References = serde_json::from_slice(&exchange.body).map_err(|_error| Refusal::ManifestInvalid)?;
    let digest = match key {
        Key::Tag(_) => digest(&exchange.body),
        Key::Digest(claimed) if is_digest_of(claimed, &exchange.body) => claimed.clone(),
        Key::Digest(_) => return Err(Refusal::DigestInvalid),
    };
    check(&shared.contents(), repository, &references)?;
    let media_type = exchange
        .header(&header::CONTENT_TYPE)
        .map(str::to_owned)
        .or(references.media_type)
        .ok_or(Refusal::ManifestInvalid)?;
    let manifest = Manifest { media_type, digest: digest.clone(), bytes: exchange.body.clone() };
    push(shared, &exchange.requester, repository, tag(key), manifest);
    let location = format!("/v2/{repository}/manifests/{digest}");
    let mut headers = vec![(header::LOCATION, location), (DIGEST, digest.to_string())];
    // It says that the registry knows what refers to what, so that nobody has to keep a tag for that.
    let subject = references.subject.filter(|_| shared.referrers == Referrers::Api);
    headers.extend(subject.map(|subject| (SUBJECT, subject.digest)));
    Ok(answer(StatusCode::CREATED, headers, Body::empty()))
}

/// Forgets a tag, or a manifest and its tags. Announced as CNCF Distribution does: one event for the manifest and one
/// for each tag.
pub(super) fn delete(shared: &Shared, exchange: &Exchange, repository: &str, key: &Key) -> Result<Response, Refusal> {
    let tags = shared.contents().delete_manifest(repository, key);
    let tags = tags.ok_or(Refusal::ManifestUnknown)?;
    let manifest = match key {
        Key::Tag(_) => None,
        Key::Digest(digest) => Some(Target::gone(repository, digest)),
    };
    let gone = tags.iter().map(|tag| Target::gone_tag(repository, tag));
    for target in manifest.into_iter().chain(gone) {
        shared.notifier.notify(Action::Delete, target, &exchange.requester);
    }
    Ok(answer(StatusCode::ACCEPTED, [], Body::empty()))
}

/// Keeps a manifest that was checked, and moves a tag to it.
pub(super) fn push(shared: &Shared, requester: &Requester, repository: &str, tag: Option<&Tag>, manifest: Manifest) {
    let target = Target::manifest(requester, repository, &manifest, tag);
    shared.contents().put_manifest(repository, tag, manifest);
    shared.notifier.notify(Action::Push, target, requester);
}

fn tag(key: &Key) -> Option<&Tag> {
    match key {
        Key::Tag(tag) => Some(tag),
        Key::Digest(_) => None,
    }
}

/// Everything that is referred to must have been pushed before; a subject may come later.
fn check(contents: &Contents, repository: &str, references: &References) -> Result<(), Refusal> {
    let parse = |one: &Reference| -> Result<Digest, Refusal> {
        one.digest.parse().map_err(|_invalid| Refusal::ManifestInvalid)
    };
    let own = |one: &&Reference| one.urls.is_empty();
    let layers = references.layers.iter().filter(own);
    for one in references.config.iter().chain(layers) {
        if contents.blob(repository, &parse(one)?).is_none() {
            return Err(Refusal::ManifestBlobUnknown);
        }
    }
    for one in &references.manifests {
        let key = Key::Digest(parse(one)?);
        if contents.manifest(repository, &key).is_none() {
            return Err(Refusal::ManifestBlobUnknown);
        }
    }
    Ok(())
}
