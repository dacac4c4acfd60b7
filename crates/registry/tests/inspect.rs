//! What images say of themselves, asked of the sandbox's registry and of Debian's.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result};
use domain::{
    fault::Fault,
    image::{Contents, Digest, Reference},
};
use oci_client::{
    Client,
    client::{ClientConfig, ClientProtocol},
};
use registry::{Access, Error, Registries, Timeouts, Transport};
use sandbox::registry::{Image, Options, SandboxRegistry};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::images::DockerRegistry;

const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(2), total: Duration::from_secs(10) };
const NAME: &str = "shop/app";
const REVISION: &str = "org.opencontainers.image.revision";
const SOURCE: &str = "org.opencontainers.image.source";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// A registry that something can be pushed to.
struct Place {
    client: Client,
    host: String,
}

impl Place {
    fn new(host: &str) -> Result<Self> {
        let config = ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() };
        Ok(Self { client: Client::try_from(config)?, host: host.to_owned() })
    }

    async fn inspect(&self, digest: &str) -> Result<Result<Option<Contents>, Error>> {
        let access = Access { transport: Transport::Http, ..Access::default() };
        let registries = Registries::new(BTreeMap::from([(self.host.parse()?, access)]), TIMEOUTS)?;
        let reference = Reference { repository: format!("{}/{NAME}", self.host).parse()?, tag: "v1".parse()? };
        Ok(registries.inspect(&reference, &digest.parse()?).await)
    }

    /// What the images of a digest say, one on each line: platform, revisions, sources.
    async fn words(&self, digest: &str) -> Result<String> {
        let contents = self.inspect(digest).await??.context("it is not there")?;
        let list = |values: &std::collections::BTreeSet<String>| values.iter().cloned().collect::<Vec<_>>().join(",");
        let line = |said: &domain::image::Said| {
            let platform = said.platform.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string);
            format!("{platform} [{}] [{}]", list(&said.revisions), list(&said.sources))
        };
        Ok(contents.images.iter().map(line).collect::<Vec<_>>().join("\n"))
    }

    async fn blob(&self, bytes: &[u8]) -> Result<String> {
        let digest = sha256(bytes);
        let image = oci_client::Reference::with_tag(self.host.clone(), NAME.to_owned(), "x".to_owned());
        self.client.push_blob(&image, bytes.to_vec(), &digest).await?;
        Ok(digest)
    }

    async fn manifest(&self, media_type: &str, content: &Value) -> Result<String> {
        let bytes = content.to_string().into_bytes();
        let digest = sha256(&bytes);
        let image = oci_client::Reference::with_digest(self.host.clone(), NAME.to_owned(), digest.clone());
        self.client.push_manifest_raw(&image, bytes, media_type.parse()?).await?;
        Ok(digest)
    }

    /// Pushes an image of those types with that configuration and those annotations.
    async fn image(&self, (kind, config_kind): (&str, &str), config: &Value, annotations: &Value) -> Result<String> {
        let (bytes, layer) = (config.to_string().into_bytes(), self.blob(b"layer").await?);
        let config = json!({ "mediaType": config_kind, "digest": self.blob(&bytes).await?, "size": bytes.len() });
        let layers = json!([{ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": 5 }]);
        let manifest = json!({
            "schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers, "annotations": annotations,
        });
        self.manifest(kind, &manifest).await
    }

    async fn linux(&self, architecture: &str, labels: &Value, annotations: &Value) -> Result<String> {
        let config = json!({
            "os": "linux", "architecture": architecture, "config": { "Labels": labels },
            "rootfs": { "type": "layers", "diff_ids": [] },
        });
        self.image((MANIFEST, CONFIG), &config, annotations).await
    }
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// An entry of an index, with some fields in place of others.
fn entry(digest: &str, architecture: &str, others: &Value) -> Value {
    let entry = json!({
        "mediaType": MANIFEST, "digest": digest, "size": 1,
        "platform": { "os": "linux", "architecture": architecture },
    });
    let fields = entry.as_object().into_iter().chain(others.as_object()).flatten();
    Value::Object(fields.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// Debian's registry and the sandbox's.
async fn places(directory: &std::path::Path) -> Result<(DockerRegistry, SandboxRegistry, [Place; 2])> {
    let debian = DockerRegistry::start(directory, "http://127.0.0.1:9/", "none").await?;
    let sandbox = SandboxRegistry::start(Options::default()).await?;
    let places = [Place::new(debian.host())?, Place::new(sandbox.host())?];
    Ok((debian, sandbox, places))
}

#[tokio::test]
async fn an_image_says_by_labels_and_annotations_what_it_was_built_from() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (_debian, _sandbox, places) = places(directory.path()).await?;
    for place in &places {
        let labels = json!({ REVISION: "abc", SOURCE: "https://forge.example/acme/app" });
        let with = place.linux("amd64", &labels, &json!({})).await?;
        assert_eq!(place.words(&with).await?, "linux/amd64 [abc] [https://forge.example/acme/app]");
        let without = place.linux("amd64", &Value::Null, &json!({})).await?;
        assert_eq!(place.words(&without).await?, "linux/amd64 [] []");
        let both = place.linux("arm64", &json!({ REVISION: "abc" }), &json!({ REVISION: "def" })).await?;
        assert_eq!(place.words(&both).await?, "linux/arm64 [abc,def] []");
        let empty = place.linux("amd64", &json!({ REVISION: " " }), &json!({ SOURCE: "" })).await?;
        assert_eq!(place.words(&empty).await?, "linux/amd64 [] []");
        assert_eq!(place.inspect(&sha256(b"nothing")).await??, None);
    }
    Ok(())
}

#[tokio::test]
async fn an_index_is_its_images_without_what_is_beside_them() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (_debian, _sandbox, places) = places(directory.path()).await?;
    for place in &places {
        let amd64 = place.linux("amd64", &json!({ REVISION: "abc" }), &json!({})).await?;
        let arm64 = place.linux("arm64", &Value::Null, &json!({ REVISION: "m" })).await?;
        let nowhere = json!({ "platform": { "os": "unknown", "architecture": "unknown" } });
        let beside = json!({ "annotations": { "vnd.docker.reference.type": "attestation-manifest" } });
        let index = json!({
            "schemaVersion": 2, "mediaType": INDEX, "annotations": { SOURCE: "https://forge.example/acme/app" },
            "manifests": [
                entry(&amd64, "amd64", &json!({ "annotations": { REVISION: "e" } })),
                entry(&arm64, "arm64", &json!({ "platform": { "os": "linux", "architecture": "arm64", "variant": "v8" } })),
                entry(&amd64, "unknown", &nowhere),
                entry(&amd64, "amd64", &beside),
                entry(&amd64, "amd64", &json!({ "artifactType": "application/vnd.example" })),
            ],
        });
        let digest = place.manifest(INDEX, &index).await?;
        let source = "https://forge.example/acme/app";
        let expected = format!("linux/amd64 [abc,e] [{source}]\nlinux/arm64/v8 [m] [{source}]");
        assert_eq!(place.words(&digest).await?, expected);
    }
    Ok(())
}

#[tokio::test]
async fn dockers_own_types_say_the_same_and_what_is_no_image_says_nothing() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (_debian, _sandbox, places) = places(directory.path()).await?;
    let types =
        ("application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.container.image.v1+json");
    for place in &places {
        let config = json!({ "os": "linux", "architecture": "arm", "variant": "v7", "config": { "Labels": { REVISION: "abc" } } });
        let docker = place.image(types, &config, &json!({})).await?;
        assert_eq!(place.words(&docker).await?, "linux/arm/v7 [abc] []");
        let chart = (MANIFEST, "application/vnd.cncf.helm.config.v1+json");
        let chart = place.image(chart, &config, &json!({ REVISION: "abc" })).await?;
        assert_eq!(place.words(&chart).await?, "");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_of_another_type_than_it_should_be_counts_as_not_said() -> Result<()> {
    let sandbox = SandboxRegistry::start(Options::default()).await?;
    let place = Place::new(sandbox.host())?;
    for config in [
        json!({ "os": 7, "architecture": "amd64", "config": { "Labels": [REVISION] } }),
        json!({ "config": { "Labels": { REVISION: { "a": 1 } } } }),
        json!({ "config": "x" }),
        json!([]),
    ] {
        let image = place.image((MANIFEST, CONFIG), &config, &json!({ REVISION: 7 })).await?;
        assert_eq!(place.words(&image).await?, "? [] []", "{config}");
    }
    Ok(())
}

#[tokio::test]
async fn what_can_not_be_read_is_no_answer() -> Result<()> {
    let sandbox = SandboxRegistry::start(Options::default()).await?;
    let place = Place::new(sandbox.host())?;
    let refused = async |digest: &str| -> Result<String> {
        let error = place.inspect(digest).await?.err().context("it was read")?;
        assert!(matches!(error.fault(), Fault::Transient), "{error:?}");
        Ok(domain::fault::Chain(&error).to_string())
    };
    let image = place.linux("amd64", &Value::Null, &json!({})).await?;
    let many: Vec<Value> = (0..33).map(|_| entry(&image, "amd64", &json!({}))).collect();
    let index = |manifests: Value| json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
    let digest = place.manifest(INDEX, &index(json!(many))).await?;
    assert!(refused(&digest).await?.ends_with("an index has more than 32 images"));
    let absent = sha256(b"nothing");
    let digest = place.manifest(INDEX, &index(json!([entry(&absent, "amd64", &json!({}))]))).await;
    // A registry may refuse such an index by itself.
    if let Ok(digest) = digest {
        assert!(refused(&digest).await?.ends_with("is in the index and not in the registry"));
    }
    let large = json!({ "os": "linux", "architecture": "amd64", "x": "x".repeat(4 * 1024 * 1024) });
    let large = place.image((MANIFEST, CONFIG), &large, &json!({})).await?;
    assert!(refused(&large).await?.ends_with("the configuration of the image has more than 4194304 bytes"));
    Ok(())
}

#[tokio::test]
async fn what_the_harness_pushes_says_what_it_was_told_to_say() -> Result<()> {
    let sandbox = SandboxRegistry::start(Options::default()).await?;
    let place = Place::new(sandbox.host())?;
    let image = Image::default().label(REVISION, "abc").platform("linux/amd64").platform("linux/arm64");
    let digest: Digest = sandbox.push_image(NAME, "v1", &image)?;
    assert_eq!(place.words(digest.as_str()).await?, "linux/amd64 [abc] []\nlinux/arm64 [abc] []");
    Ok(())
}

#[tokio::test]
async fn a_registry_that_fails_is_no_answer() -> Result<()> {
    let sandbox = SandboxRegistry::start(Options::default()).await?;
    let place = Place::new(sandbox.host())?;
    let digest = sandbox.push_image(NAME, "v1", &Image::default())?;
    sandbox.shutdown().await;
    let error = place.inspect(digest.as_str()).await?.err().context("it was read")?;
    assert!(matches!(error.fault(), Fault::Transient), "{error:?}");
    Ok(())
}
