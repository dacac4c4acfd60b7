//! Images that nobody needs to build: an empty layer and the labels that matter.

use std::{collections::BTreeMap, io::Write as _};

use axum::body::Bytes;
use domain::image::{Digest, Tag};
use flate2::{Compression, write::GzEncoder};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    blobs,
    contents::{Manifest, digest},
    exchange::{Requester, uuid},
    manifests, route,
    shared::Shared,
};

pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// The shortest tar archive: two blocks of zeros, which end it (POSIX.1-2017, pax, "ustar Interchange Format").
pub(super) static EMPTY_ARCHIVE: [u8; 1024] = [0; 1024];

/// What an image that is pushed without a client is like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Image {
    /// The labels of its configuration, such as `org.opencontainers.image.revision`.
    pub labels: BTreeMap<String, String>,
    /// The platforms of an index, such as `linux/amd64`; none for a single image without an index.
    pub platforms: Vec<String>,
}

/// Why an image can not be pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidImage {
    /// The repository's name breaks the grammar.
    #[error("not the name of a repository in a registry")]
    Repository,
    /// The tag breaks the grammar.
    #[error("not a tag")]
    Tag,
    /// A platform is not an operating system and an architecture.
    #[error("a platform is written os/architecture")]
    Platform,
}

impl Image {
    /// An image with this label besides the others.
    #[must_use]
    pub fn label(mut self, name: &str, value: &str) -> Self {
        self.labels.insert(name.to_owned(), value.to_owned());
        self
    }

    /// An index that has this platform besides the others.
    #[must_use]
    pub fn platform(mut self, platform: &str) -> Self {
        self.platforms.push(platform.to_owned());
        self
    }

    /// Pushes it, in the order in which clients do.
    pub(super) fn push(&self, shared: &Shared, repository: &str, tag: &str) -> Result<Digest, InvalidImage> {
        let name = route::repository(repository).map_err(|_refusal| InvalidImage::Repository)?;
        let tag: Tag = tag.parse().map_err(|_invalid| InvalidImage::Tag)?;
        let platforms = self
            .platforms
            .iter()
            .map(|platform| platform.split_once('/').ok_or(InvalidImage::Platform))
            .collect::<Result<Vec<_>, _>>()?;
        let push = Push { shared, repository: &name, requester: requester(shared) };
        if platforms.is_empty() {
            let manifest = push.manifest("linux", "amd64", &self.labels);
            return Ok(push.put(Some(&tag), MANIFEST, &manifest).digest);
        }
        let manifests: Vec<Value> = platforms
            .iter()
            .map(|(os, architecture)| {
                let child = push.manifest(os, architecture, &self.labels);
                let child = push.put(None, MANIFEST, &child);
                json!({
                    "mediaType": MANIFEST, "digest": child.digest.as_str(), "size": child.bytes.len(),
                    "platform": { "architecture": architecture, "os": os },
                })
            })
            .collect();
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
        Ok(push.put(Some(&tag), INDEX, &index).digest)
    }
}

/// A push that is under way.
struct Push<'a> {
    shared: &'a Shared,
    repository: &'a str,
    requester: Requester,
}

impl Push<'_> {
    /// Pushes the blobs of an image and gives its manifest.
    fn manifest(&self, os: &str, architecture: &str, labels: &BTreeMap<String, String>) -> Value {
        let archive = digest(&EMPTY_ARCHIVE);
        let config = json!({
            "architecture": architecture, "os": os, "config": { "Labels": labels },
            "rootfs": { "type": "layers", "diff_ids": [archive.as_str()] },
        });
        let layer = self.blob(LAYER, compressed().into());
        let config = self.blob(CONFIG, config.to_string().into());
        json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer] })
    }

    /// Pushes a blob and gives its descriptor.
    fn blob(&self, media_type: &str, bytes: Bytes) -> Value {
        let (digest, size) = (digest(&bytes), bytes.len());
        blobs::push(self.shared, &self.requester, self.repository, &digest, bytes);
        json!({ "mediaType": media_type, "digest": digest.as_str(), "size": size })
    }

    fn put(&self, tag: Option<&Tag>, media_type: &str, content: &Value) -> Manifest {
        let bytes = Bytes::from(content.to_string());
        let manifest = Manifest { media_type: media_type.to_owned(), digest: digest(&bytes), bytes };
        manifests::push(self.shared, &self.requester, self.repository, tag, manifest.clone());
        manifest
    }
}

/// The archive as layers usually travel: `skopeo` would compress one that is not, and so change the image's digest.
pub(super) fn compressed() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(&EMPTY_ARCHIVE).and_then(|()| encoder.finish()).expect("a vector takes everything")
}

/// The request that notifications tell of when there was none.
pub(super) fn requester(shared: &Shared) -> Requester {
    Requester {
        id: uuid(),
        addr: "127.0.0.1:0".to_owned(),
        host: shared.host.clone(),
        method: "PUT".to_owned(),
        useragent: "tagferry-sandbox".to_owned(),
        name: shared.user.as_ref().map(|user| user.name.clone()),
    }
}
