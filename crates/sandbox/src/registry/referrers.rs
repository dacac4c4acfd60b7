//! What refers to an image: the attestations that are attached to it.

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, StatusCode, header},
    response::Response,
};
use domain::image::{Digest, Tag};
use serde_json::{Value, json};

use super::{
    blobs,
    contents::{Contents, Manifest, digest},
    exchange::{Exchange, answer},
    image::{INDEX, InvalidImage, MANIFEST, requester},
    manifests,
    refusal::Refusal,
    route::{self, Key},
    shared::Shared,
};

/// The media type of a Sigstore bundle, which is also its type as an artifact.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// The media type of a configuration that says nothing.
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

const FILTERS: HeaderName = HeaderName::from_static("oci-filters-applied");

/// How what refers to an image is found
/// (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Referrers {
    /// The registry is asked.
    #[default]
    Api,
    /// The registry does not know; an index that clients keep is at a tag named after the image's digest.
    Tags,
}

/// Answers with an index of what refers to a manifest, which need not be there.
pub(super) fn list(
    shared: &Shared,
    exchange: &Exchange,
    repository: &str,
    subject: &Digest,
) -> Result<Response, Refusal> {
    if shared.referrers == Referrers::Tags {
        return Err(Refusal::NotFound);
    }
    let wanted = exchange.query.get("artifactType");
    let all = descriptors(&shared.contents(), repository, subject);
    let kept: Vec<Value> = all
        .into_iter()
        .filter(|one| wanted.is_none_or(|wanted| one.get("artifactType").and_then(Value::as_str) == Some(wanted)))
        .collect();
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": kept });
    let mut headers = vec![(header::CONTENT_TYPE, INDEX.to_owned())];
    headers.extend(wanted.map(|_| (FILTERS, "artifactType".to_owned())));
    Ok(answer(StatusCode::OK, headers, Body::from(index.to_string())))
}

/// Pushes a bundle as something that refers to an image.
pub(super) fn attach(
    shared: &Shared,
    repository: &str,
    subject: &Digest,
    bundle: &[u8],
) -> Result<Digest, InvalidImage> {
    let name = route::repository(repository).map_err(|_refusal| InvalidImage::Repository)?;
    let requester = requester(shared);
    let blob = |media_type: &str, bytes: &[u8]| {
        let (digest, size) = (digest(bytes), bytes.len());
        blobs::push(shared, &requester, &name, &digest, Bytes::copy_from_slice(bytes));
        json!({ "mediaType": media_type, "digest": digest.as_str(), "size": size })
    };
    let image = shared.contents().manifest(&name, &Key::Digest(subject.clone())).cloned();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": BUNDLE,
        "config": blob(EMPTY, b"{}"),
        "layers": [blob(BUNDLE, bundle)],
        "subject": {
            "mediaType": image.as_ref().map_or(MANIFEST, |image| &image.media_type),
            "digest": subject.as_str(),
            "size": image.as_ref().map_or(0, |image| image.bytes.len()),
        },
    });
    let put = |tag: Option<&Tag>, media_type: &str, content: &Value| {
        let bytes = Bytes::from(content.to_string());
        let manifest = Manifest { media_type: media_type.to_owned(), digest: digest(&bytes), bytes };
        manifests::push(shared, &requester, &name, tag, manifest.clone());
        manifest.digest
    };
    let attached = put(None, MANIFEST, &manifest);
    if shared.referrers == Referrers::Tags {
        let all = descriptors(&shared.contents(), &name, subject);
        let tag = subject.as_str().replace(':', "-").parse().map_err(|_invalid| InvalidImage::Tag)?;
        put(Some(&tag), INDEX, &json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": all }));
    }
    Ok(attached)
}

/// The manifests that say of themselves that they refer to another.
fn descriptors(contents: &Contents, repository: &str, subject: &Digest) -> Vec<Value> {
    let referring = contents.manifests(repository).filter_map(|manifest| {
        let content: Value = serde_json::from_slice(&manifest.bytes).ok()?;
        let named = content.pointer("/subject/digest")?.as_str()?;
        (named == subject.as_str()).then(|| descriptor(manifest, &content))
    });
    referring.collect()
}

fn descriptor(manifest: &Manifest, content: &Value) -> Value {
    let config = content.pointer("/config/mediaType");
    json!({
        "mediaType": manifest.media_type,
        "digest": manifest.digest.as_str(),
        "size": manifest.bytes.len(),
        "artifactType": content.get("artifactType").or(config),
        "annotations": content.get("annotations").cloned().unwrap_or_else(|| json!({})),
    })
}
