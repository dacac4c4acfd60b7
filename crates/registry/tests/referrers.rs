//! What is attached to an image, asked of registries that know what refers to what and of those that do not.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result};
use domain::{
    fault::Fault,
    image::{Digest, Reference},
};
use oci_client::{
    Client,
    client::{ClientConfig, ClientProtocol},
};
use registry::{Access, Attestations, Credentials, Error, LARGEST_BUNDLE, Registries, Timeouts, Transport};
use sandbox::registry::{self as double, Image, Options, Referrers, SandboxRegistry, User};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::sigstore::{Build, MEDIA_TYPE, SigningKey};

const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(2), total: Duration::from_secs(5) };
const NAME: &str = "shop/app";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A registry with one image.
struct Scene {
    sandbox: SandboxRegistry,
    digest: Digest,
}

impl Scene {
    async fn set(referrers: Referrers) -> Result<Self> {
        Self::with(Options { referrers, ..Options::default() }).await
    }

    async fn with(options: Options) -> Result<Self> {
        let sandbox = SandboxRegistry::start(options).await?;
        let digest = sandbox.push_image(NAME, "v1", &Image::default())?;
        Ok(Self { sandbox, digest })
    }

    async fn find(&self) -> Result<Result<Attestations, Error>> {
        find(self.sandbox.host(), &self.digest, Credentials::Anonymous).await
    }

    /// Attaches an attestation that is not signed by anybody who counts.
    fn attach(&self) -> Result<Vec<u8>> {
        let bundle = SigningKey::generate()?.attest(&Build::new(self.digest.as_str(), &"0".repeat(40)))?;
        let bundle = bundle.to_string().into_bytes();
        self.sandbox.attach(NAME, &self.digest, &bundle)?;
        Ok(bundle)
    }

    /// The digest of the blob and the path where it is.
    fn blob(&self, bytes: &[u8]) -> String {
        format!("http://{}/v2/{NAME}/blobs/{}", self.sandbox.host(), sha256(bytes))
    }
}

async fn find(host: &str, digest: &Digest, credentials: Credentials) -> Result<Result<Attestations, Error>> {
    let access = Access { transport: Transport::Http, credentials, ..Access::default() };
    let registries = Registries::new(BTreeMap::from([(host.parse()?, access)]), TIMEOUTS)?;
    let reference = Reference { repository: format!("{host}/{NAME}").parse()?, tag: "v1".parse()? };
    Ok(registries.referrers(&reference, digest).await)
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// Pushes as another client does.
struct Pusher {
    client: Client,
    host: String,
}

impl Pusher {
    fn new(host: &str) -> Result<Self> {
        let config = ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() };
        Ok(Self { client: Client::try_from(config)?, host: host.to_owned() })
    }

    async fn blob(&self, bytes: &[u8]) -> Result<String> {
        let digest = sha256(bytes);
        let image = oci_client::Reference::with_tag(self.host.clone(), NAME.to_owned(), "x".to_owned());
        self.client.push_blob(&image, bytes.to_vec(), &digest).await?;
        Ok(digest)
    }

    async fn manifest(&self, tag: Option<String>, media_type: &str, content: &Value) -> Result<(String, usize)> {
        let bytes = content.to_string().into_bytes();
        let (digest, length) = (sha256(&bytes), bytes.len());
        let (host, name) = (self.host.clone(), NAME.to_owned());
        let image = match tag {
            Some(tag) => oci_client::Reference::with_tag(host, name, tag),
            None => oci_client::Reference::with_digest(host, name, digest.clone()),
        };
        self.client.push_manifest_raw(&image, bytes, media_type.parse()?).await?;
        Ok((digest, length))
    }

    /// Pushes something that refers to the digest; gives what an index says of it.
    async fn referrer(&self, subject: &str, artifact_type: &str, (layer, size): (&[u8], usize)) -> Result<Value> {
        let (config, layer) = (self.blob(b"{}").await?, self.blob(layer).await?);
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": artifact_type,
            "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2 },
            "layers": [{ "mediaType": artifact_type, "digest": layer, "size": size, "urls": [] }],
            "subject": { "mediaType": MANIFEST, "digest": subject, "size": 1 },
        });
        let (digest, size) = self.manifest(None, MANIFEST, &manifest).await?;
        Ok(json!({ "mediaType": MANIFEST, "digest": digest, "size": size, "artifactType": artifact_type }))
    }
}

#[tokio::test]
async fn bundles_are_found_whether_the_registry_knows_of_them_or_not() -> Result<()> {
    for referrers in [Referrers::Api, Referrers::Tags] {
        let scene = Scene::set(referrers).await?;
        assert_eq!(scene.find().await??, Attestations::default());
        let mut expected = vec![scene.attach()?, scene.attach()?];
        let mut found = scene.find().await??;
        expected.sort();
        found.bundles.sort();
        assert_eq!(found, Attestations { bundles: expected, left_out: Vec::new() });
        let other = scene.sandbox.push_image(NAME, "v2", &Image::default().label("other", "yes"))?;
        let nothing = find(scene.sandbox.host(), &other, Credentials::Anonymous).await??;
        assert_eq!(nothing, Attestations::default());
    }
    Ok(())
}

#[tokio::test]
async fn what_is_attached_and_no_bundle_is_not_looked_at() -> Result<()> {
    let scene = Scene::set(Referrers::Api).await?;
    let pusher = Pusher::new(scene.sandbox.host())?;
    pusher.referrer(scene.digest.as_str(), "application/spdx+json", (b"sbom", 4)).await?;
    assert_eq!(scene.find().await??, Attestations::default());
    let bundle = scene.attach()?;
    assert_eq!(scene.find().await??.bundles, [bundle]);
    Ok(())
}

#[tokio::test]
async fn a_registry_may_say_in_several_ways_that_it_does_not_know() -> Result<()> {
    for status in [400, 404, 405, 406, 501] {
        let scene = Scene::set(Referrers::Tags).await?;
        let bundle = scene.attach()?;
        let path = format!("/v2/{NAME}/referrers/");
        scene.sandbox.add_fault(double::Fault::answer(&path, 9, status, &[]));
        assert_eq!(scene.find().await?.with_context(|| status.to_string())?.bundles, [bundle]);
    }
    Ok(())
}

#[tokio::test]
async fn what_could_not_be_asked_is_not_taken_for_nothing() -> Result<()> {
    let limited = Fault::Limited { retry_after: None };
    for (status, fault) in [(429, limited), (500, Fault::Transient), (503, Fault::Transient), (403, Fault::Permanent)] {
        for (referrers, place) in [
            (Referrers::Api, "referrers"),
            (Referrers::Tags, "manifests"),
            (Referrers::Api, "manifests"),
            (Referrers::Api, "blobs"),
        ] {
            let scene = Scene::set(referrers).await?;
            scene.attach()?;
            scene.sandbox.add_fault(double::Fault::answer(&format!("/v2/{NAME}/{place}/"), 9, status, &[]));
            let error = scene.find().await?.expect_err("it could not be asked");
            assert_eq!(error.fault(), fault, "{place} {status}: {error:?}");
            let expected = format!("looking for attestations of {}", scene.digest.short());
            assert_eq!(error.to_string(), expected);
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_can_not_be_had_is_left_out_and_said() -> Result<()> {
    let too_large = format!("a bundle has more than {LARGEST_BUNDLE} bytes");
    let large = vec![b'a'; usize::try_from(LARGEST_BUNDLE)? + 1];
    let scene = Scene::set(Referrers::Api).await?;
    scene.sandbox.attach(NAME, &scene.digest, &large)?;
    let bundle = scene.attach()?;
    let found = scene.find().await??;
    assert_eq!(found, Attestations { bundles: vec![bundle], left_out: vec![too_large.clone()] });

    let scene = Scene::set(Referrers::Api).await?;
    let pusher = Pusher::new(scene.sandbox.host())?;
    pusher.referrer(scene.digest.as_str(), MEDIA_TYPE, (&large, 1)).await?;
    assert_eq!(scene.find().await??.left_out, [too_large]);

    let scene = Scene::set(Referrers::Api).await?;
    let bundle = scene.attach()?;
    reqwest::Client::new().delete(scene.blob(&bundle)).send().await?.error_for_status()?;
    assert_eq!(scene.find().await??.left_out, ["a bundle is listed and not there"]);
    Ok(())
}

#[tokio::test]
async fn no_more_than_thirty_are_read() -> Result<()> {
    let scene = Scene::set(Referrers::Api).await?;
    for _ in 0..31 {
        scene.attach()?;
    }
    let found = scene.find().await??;
    assert_eq!((found.bundles.len(), found.left_out), (30, vec!["there are more than 30 attestations".to_owned()]));
    Ok(())
}

#[tokio::test]
async fn credentials_are_used_for_each_question() -> Result<()> {
    let user = User { name: "alice".to_owned(), password: "sesame".to_owned() };
    for referrers in [Referrers::Api, Referrers::Tags] {
        let scene = Scene::with(Options { user: Some(user.clone()), referrers, ..Options::default() }).await?;
        let bundle = scene.attach()?;
        let basic = |password: &str| Credentials::Basic { username: "alice".to_owned(), password: password.into() };
        let found = find(scene.sandbox.host(), &scene.digest, basic("sesame")).await??;
        assert_eq!(found.bundles, [bundle]);
        for bad in [basic("sesam"), Credentials::Anonymous] {
            let error = find(scene.sandbox.host(), &scene.digest, bad).await?.expect_err("it is denied");
            assert_eq!(error.fault(), Fault::Permanent, "{error:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_real_registry_without_the_question_has_the_index_at_a_tag() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let registry = testkit::DockerRegistry::start(directory.path(), "http://127.0.0.1:9/", "Bearer x").await?;
    let pusher = Pusher::new(registry.host())?;
    let subject = sha256(b"an image");
    let one = pusher.referrer(&subject, MEDIA_TYPE, (b"{}", 2)).await?;
    let other = pusher.referrer(&subject, "application/spdx+json", (b"sbom", 4)).await?;
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [other, one] });
    assert_eq!(find(registry.host(), &subject.parse()?, Credentials::Anonymous).await??, Attestations::default());
    pusher.manifest(Some(subject.replace(':', "-")), INDEX, &index).await?;
    let found = find(registry.host(), &subject.parse()?, Credentials::Anonymous).await??;
    assert_eq!(found, Attestations { bundles: vec![b"{}".to_vec()], left_out: Vec::new() });
    registry.stop().await
}

#[tokio::test]
async fn what_is_odd_in_an_index_keeps_nothing_good_from_being_found() -> Result<()> {
    let scene = Scene::set(Referrers::Tags).await?;
    let pusher = Pusher::new(scene.sandbox.host())?;
    let tag = scene.digest.as_str().replace(':', "-");
    let good = pusher.referrer(scene.digest.as_str(), MEDIA_TYPE, (b"{}", 2)).await?;
    for odd in [json!(7), json!({ "digest": good["digest"], "size": -1, "artifactType": MEDIA_TYPE })] {
        let content = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [odd, good] });
        let client = reqwest::Client::new();
        let url = format!("http://{}/v2/{NAME}/manifests/{tag}", scene.sandbox.host());
        let put = client.put(url).header("content-type", INDEX).body(content.to_string()).send().await?;
        // What is no descriptor at all is not even taken.
        let expected = if put.status().is_success() { vec![b"{}".to_vec()] } else { Vec::new() };
        assert_eq!(scene.find().await??.bundles, expected);
    }
    let image = json!({ "schemaVersion": 2, "mediaType": MANIFEST });
    pusher.manifest(Some(tag), MANIFEST, &image).await?;
    assert_eq!(scene.find().await??, Attestations::default());
    Ok(())
}
