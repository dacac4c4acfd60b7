//! The parts of manifests and configurations that are read. Whoever may push writes them, so that what is of another
//! type than it should be counts as not said.

use domain::image::Platform;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The types of what an image is configured with.
const CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

/// The types of manifests of images.
const IMAGES: [&str; 2] =
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];

/// What marks an attestation that `BuildKit` puts beside the images
/// (<https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md>).
const BESIDE: &str = "vnd.docker.reference.type";

/// What is said of the source.
#[derive(Clone, Debug, Default)]
pub(super) struct Annotations {
    pub(super) revision: Option<String>,
    pub(super) source: Option<String>,
}

/// A manifest of either kind.
pub(super) enum Document {
    Image(Image),
    Index(Index),
}

/// A manifest of an image, or of something that is stored like one.
pub(super) struct Image {
    config: Option<Descriptor>,
    pub(super) annotations: Annotations,
}

pub(super) struct Index {
    pub(super) manifests: Vec<Entry>,
    pub(super) annotations: Annotations,
}

/// What an index says of one of its manifests.
pub(super) struct Entry {
    pub(super) digest: String,
    pub(super) annotations: Annotations,
    descriptor: Descriptor,
    is_beside: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Descriptor {
    media_type: String,
    digest: String,
    artifact_type: Option<String>,
    platform: Option<Place>,
}

/// Where something runs, in the words of an index and of a configuration.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Place {
    os: String,
    architecture: String,
    variant: Option<String>,
}

/// What an image is configured with.
pub(super) struct Config {
    pub(super) labels: Annotations,
    place: Place,
}

impl Annotations {
    fn of(value: Option<&Value>) -> Self {
        let text = |key: &str| value.and_then(|value| value.get(key)).and_then(Value::as_str).map(str::to_owned);
        Self { revision: text("org.opencontainers.image.revision"), source: text("org.opencontainers.image.source") }
    }
}

impl Document {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let fields: Map<String, Value> =
            serde_json::from_slice(bytes).map_err(|why| format!("a manifest is not JSON: {why}"))?;
        let annotations = Annotations::of(fields.get("annotations"));
        if let Some(manifests) = fields.get("manifests").and_then(Value::as_array) {
            let manifests = manifests.iter().filter_map(Entry::read).collect();
            return Ok(Self::Index(Index { manifests, annotations }));
        }
        Ok(Self::Image(Image { config: fields.get("config").and_then(descriptor), annotations }))
    }
}

impl Entry {
    fn read(value: &Value) -> Option<Self> {
        let descriptor = descriptor(value)?;
        let annotations = value.get("annotations");
        Some(Self {
            digest: descriptor.digest.clone(),
            annotations: Annotations::of(annotations),
            is_beside: annotations.and_then(|all| all.get(BESIDE)).is_some(),
            descriptor,
        })
    }

    pub(super) fn may_be_image(&self) -> bool {
        let Descriptor { media_type, artifact_type, platform, .. } = &self.descriptor;
        let is_nowhere = platform.as_ref().is_some_and(|place| place.os == "unknown");
        IMAGES.contains(&media_type.as_str()) && artifact_type.is_none() && !self.is_beside && !is_nowhere
    }

    pub(super) fn platform(&self) -> Option<Platform> {
        self.descriptor.platform.as_ref().and_then(Place::platform)
    }
}

impl Image {
    /// The digest of its configuration, where it is an image.
    pub(super) fn config_digest(&self) -> Option<&str> {
        let config = self.config.as_ref().filter(|config| CONFIGS.contains(&config.media_type.as_str()));
        config.map(|config| config.digest.as_str())
    }
}

impl Config {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|why| format!("the configuration of the image is not JSON: {why}"))?;
        Ok(Self {
            labels: Annotations::of(value.pointer("/config/Labels")),
            place: Place::deserialize(&value).unwrap_or_default(),
        })
    }

    pub(super) fn platform(&self) -> Option<Platform> {
        self.place.platform()
    }
}

impl Place {
    fn platform(&self) -> Option<Platform> {
        let variant = self.variant.as_deref().filter(|variant| !variant.is_empty());
        let variant = variant.map(|variant| format!("/{variant}")).unwrap_or_default();
        format!("{}/{}{variant}", self.os, self.architecture).parse().ok()
    }
}

fn descriptor(value: &Value) -> Option<Descriptor> {
    Descriptor::deserialize(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_an_index_that_are_none_are_passed_over() {
        let text = br#"{ "manifests": [7, {}, { "digest": "x" }, null, { "mediaType": 7 }, { "platform": "linux" }] }"#;
        let Ok(Document::Index(index)) = Document::read(text) else { panic!("an index was expected") };
        assert!(index.manifests.iter().all(|entry| !entry.may_be_image()));
        for text in [&b"{}"[..], br#"{ "manifests": 7 }"#, br#"{ "config": 7, "annotations": [] }"#] {
            let Ok(Document::Image(image)) = Document::read(text) else { panic!("no index was expected") };
            assert_eq!(image.config_digest(), None);
        }
        for text in [&b""[..], b"[]", b"7", b"\xff", b"{"] {
            assert!(Document::read(text).is_err() && Config::read(b"{").is_err());
        }
    }

    /// Reads both kinds, and holds what is read to what it may be.
    fn check(bytes: &[u8]) {
        if let Ok(Document::Index(index)) = Document::read(bytes) {
            for entry in index.manifests.iter().filter(|entry| entry.may_be_image()) {
                assert!(entry.platform().is_none_or(|platform| platform.to_string().parse() == Ok(platform)));
            }
        }
        if let Ok(config) = Config::read(bytes) {
            assert!(config.platform().is_none_or(|platform| platform.to_string().parse() == Ok(platform)));
        }
    }

    #[test]
    fn whatever_is_said_to_be_a_manifest_is_read_without_harm() {
        let revision = r#"{ "org.opencontainers.image.revision": "a", "org.opencontainers.image.source": "b" }"#;
        let entry = |more: &str| {
            format!(
                r#"{{ "mediaType": "{}", "digest": "sha256:{}", "size": 7, "annotations": {revision} {more} }}"#,
                IMAGES[0],
                "0a".repeat(32)
            )
        };
        let place = r#", "platform": { "os": "linux", "architecture": "arm", "variant": "v7" }"#;
        let inputs: Vec<Vec<u8>> = [
            format!(
                r#"{{ "manifests": [{}, {}], "annotations": {revision} }}"#,
                entry(place),
                entry(r#", "artifactType": "x""#)
            ),
            format!(r#"{{ "config": {}, "layers": [], "annotations": {revision} }}"#, entry("")),
            format!(
                r#"{{ "os": "linux", "architecture": "amd64", "variant": "", "config": {{ "Labels": {revision} }} }}"#
            ),
        ]
        .map(String::into_bytes)
        .to_vec();
        inputs.iter().for_each(|input| check(input));
        let mut mutations = testkit::Mutations::new().expect("the seed is a number");
        testkit::say(&format!("manifests: 5000 changed ones, TAGFERRY_SEED={}", mutations.seed()))
            .expect("it is heard");
        for _ in 0..5_000 {
            check(&mutations.of(&inputs));
        }
    }
}
