//! What the forge has that was attested of a digest: in the list, or in a store that is given no token.

use conformance::Watched;
use domain::{fault::Fault, forge::Repository, image::Digest};
use forge::{Attestations, Credentials, Error, Extra, Forge, Settings};
use sandbox::{Action, AppChange, Fault as Injected, Form, Match, NewRepository, Options};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::sigstore::{Build, SigningKey};

use crate::host::Host;

const SOURCE: &str = "acme/mandelbrot";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn digest(of: char) -> Digest {
    format!("sha256:{}", of.to_string().repeat(64)).parse().expect("it is a digest")
}

fn bundle(of: char, predicate_type: &str) -> anyhow::Result<Value> {
    let build = Build { predicate_type: predicate_type.to_owned(), ..Build::new(digest(of).as_str(), COMMIT) };
    SigningKey::generate()?.attest(&build)
}

fn provenance(of: char) -> anyhow::Result<Value> {
    bundle(of, "https://slsa.dev/provenance/v1")
}

fn read(found: &Attestations) -> anyhow::Result<Vec<Value>> {
    Ok(found.bundles.iter().map(|bundle| serde_json::from_slice(bundle)).collect::<Result<_, _>>()?)
}

/// A sandbox with a source repository, and a forge that speaks to it as an App that reads attestations.
struct Scene {
    sandbox: Watched,
    forge: Forge,
    repository: Repository,
    _directory: TempDir,
}

impl Scene {
    async fn set(prefix: &str) -> anyhow::Result<Self> {
        let sandbox = Watched::start(Options::default()).await?;
        sandbox.create_repository(NewRepository::with_files(SOURCE, [("main.rs", "x")])?).await?;
        let credentials =
            Credentials::App { id: sandbox.app().await?.id.to_string(), private_key: sandbox.app_private_key().into() };
        let directory = tempfile::tempdir()?;
        let api_url = format!("{}{prefix}", sandbox.url()).parse()?;
        let mut settings = Settings::new(api_url, credentials, directory.path().to_owned());
        settings.extras.push(Extra::Attestations);
        let forge = Forge::new(settings)?;
        Ok(Self { sandbox, forge, repository: SOURCE.parse()?, _directory: directory })
    }

    async fn find(&self, of: char) -> Result<Attestations, Error> {
        self.forge.attestations(&self.repository, &digest(of)).await
    }
}

#[tokio::test]
async fn bundles_are_found_in_the_list_and_in_the_store() -> anyhow::Result<()> {
    for prefix in ["", "/api/v3"] {
        let scene = Scene::set(prefix).await?;
        let (inline, stored) = (provenance('a')?, provenance('a')?);
        scene.sandbox.add_attestation(SOURCE, inline.clone(), Form::Inline).await?;
        scene.sandbox.add_attestation(SOURCE, bundle('a', "https://spdx.dev/Document")?, Form::Inline).await?;
        scene.sandbox.add_attestation(SOURCE, stored.clone(), Form::Url).await?;
        scene.sandbox.add_attestation(SOURCE, provenance('b')?, Form::Inline).await?;
        let found = scene.find('a').await?;
        assert_eq!(read(&found)?, [inline, stored]);
        assert_eq!(found.left_out, Vec::<String>::new());
        let store: Vec<_> =
            scene.sandbox.requests().into_iter().filter(|one| one.path.starts_with("/_attestations/")).collect();
        assert_eq!(store.len(), 1);
        assert!(store.iter().all(|one| !one.authorized), "the store gets no token: {store:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_digest_that_nothing_is_attested_of_has_none() -> anyhow::Result<()> {
    let scene = Scene::set("").await?;
    assert_eq!(scene.find('a').await?, Attestations::default());
    let long = format!("sha512:{}", "a".repeat(128)).parse()?;
    assert_eq!(scene.forge.attestations(&scene.repository, &long).await?, Attestations::default());
    let gone: Repository = "acme/gone".parse()?;
    assert!(scene.forge.attestations(&gone, &digest('a')).await.is_err());
    Ok(())
}

#[tokio::test]
async fn no_more_than_three_pages_are_read() -> anyhow::Result<()> {
    let scene = Scene::set("").await?;
    for _ in 0..31 {
        scene.sandbox.add_attestation(SOURCE, provenance('a')?, Form::Inline).await?;
    }
    let found = scene.find('a').await?;
    assert_eq!((found.bundles.len(), found.left_out.len()), (31, 0));
    for _ in 31..91 {
        scene.sandbox.add_attestation(SOURCE, provenance('a')?, Form::Inline).await?;
    }
    scene.sandbox.clear_requests();
    let found = scene.find('a').await?;
    assert_eq!((found.bundles.len(), found.left_out), (90, vec!["there are more than 90 attestations".to_owned()]));
    assert_eq!(scene.sandbox.requests().len(), 3);
    Ok(())
}

#[tokio::test]
async fn a_permission_that_is_missing_is_named() -> anyhow::Result<()> {
    let scene = Scene::set("").await?;
    let mut permissions = scene.sandbox.app().await?.permissions;
    permissions.remove("attestations");
    scene.sandbox.change_app(AppChange { permissions: Some(permissions), ..AppChange::default() }).await?;
    let error = scene.find('a').await.expect_err("it is forbidden");
    assert!(error.to_string().ends_with("it needs Attestations: read"), "{error}");
    assert_eq!(error.fault(), Fault::Permanent);
    Ok(())
}

#[tokio::test]
async fn a_store_that_fails_is_asked_again_another_time() -> anyhow::Result<()> {
    let scene = Scene::set("").await?;
    scene.sandbox.add_attestation(SOURCE, provenance('a')?, Form::Url).await?;
    for (action, why) in [
        (Action::answer(503, "x"), "failed (HTTP 503"),
        (Action::answer(403, "x"), "answers HTTP 403"),
        (Action::DropBefore, "could not be reached"),
    ] {
        let matching = Match { path: Some("/_attestations/".to_owned()), ..Match::default() };
        scene.sandbox.add_fault(Injected { matching, action });
        let error = scene.find('a').await.expect_err("the store fails");
        assert!(error.to_string().contains(why), "{error}");
        assert!(!error.to_string().contains("sig="), "the address is a secret: {error}");
        assert_eq!(error.fault(), Fault::Transient);
    }
    assert_eq!(scene.find('a').await?.bundles.len(), 1);
    Ok(())
}

/// What is found where the list has one row, and the store answers as scripted.
async fn find_row(host: &Host, row: Value) -> anyhow::Result<Attestations> {
    let line = format!("GET /repos/acme/app/attestations/{}?predicate_type=provenance&per_page=30", digest('a'));
    host.answer(&line, 200, &json!({ "attestations": [row] }))?;
    Ok(host.forge()?.attestations(&"acme/app".parse()?, &digest('a')).await?)
}

#[tokio::test]
async fn the_list_may_be_empty_or_hold_null() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let line = format!("GET /repos/acme/app/attestations/{}?predicate_type=provenance&per_page=30", digest('a'));
    host.answer(&line, 200, &json!({ "attestations": [] }))?;
    let found = host.forge()?.attestations(&"acme/app".parse()?, &digest('a')).await?;
    assert_eq!(found, Attestations::default());

    let expected = json!({ "mediaType": "x" });
    host.answer("GET /_store/1", 200, &expected)?;
    let url = host.url().join("/_store/1")?;
    let found = find_row(&host, json!({ "bundle": null, "bundle_url": url, "repository_id": 1 })).await?;
    assert_eq!(read(&found)?, [expected]);
    let tokens: Vec<String> = host.seen()?.into_iter().map(|one| one.authorization).collect();
    assert!(tokens.iter().any(String::is_empty) && tokens.len() == 3, "{tokens:?}");
    Ok(())
}

#[tokio::test]
async fn what_can_not_be_had_is_left_out_and_said() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let not_asked = "an attestation is at an address that is not asked";
    for url in ["http://store.example/x", "file:///etc/passwd", "https://a:b@store.example/", "nonsense"] {
        let found = find_row(&host, json!({ "bundle_url": url })).await?;
        assert_eq!((found.bundles.len(), found.left_out), (0, vec![not_asked.to_owned()]), "{url}");
    }
    let found = find_row(&host, json!({ "initiator": "user" })).await?;
    assert_eq!(found.left_out, ["an attestation came without its bundle"]);
    let large = json!({ "bundle": { "x": "a".repeat(forge::attestation::LARGEST_BUNDLE) } });
    assert_eq!(find_row(&host, large).await?.left_out, ["an attestation has more than 4194304 bytes"]);
    host.answer("GET /_store/1", 404, &json!({}))?;
    let found = find_row(&host, json!({ "bundle_url": host.url().join("/_store/1")? })).await?;
    assert_eq!(found.left_out, ["the store of attestations answers HTTP 404 Not Found"]);
    host.answer("GET /_store/1", 200, &json!("a".repeat(forge::attestation::LARGEST_BUNDLE)))?;
    let found = find_row(&host, json!({ "bundle_url": host.url().join("/_store/1")? })).await?;
    assert_eq!(found.left_out, ["an attestation has more than 4194304 bytes"]);
    Ok(())
}

#[tokio::test]
async fn a_store_sends_us_nowhere_that_is_not_safe() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let row = json!({ "bundle_url": host.url().join("/_store/1")? });
    host.answer_with("GET /_store/1", 302, &[("location", "/_store/2")], &json!({}))?;
    host.answer("GET /_store/2", 200, &json!({ "mediaType": "x" }))?;
    assert_eq!(find_row(&host, row.clone()).await?.bundles.len(), 1);
    for elsewhere in ["http://store.example/x", "ftp://127.0.0.1/x"] {
        host.answer_with("GET /_store/1", 302, &[("location", elsewhere)], &json!({}))?;
        let found = find_row(&host, row.clone()).await?;
        assert_eq!(found.left_out, ["the store of attestations answers HTTP 302 Found"], "{elsewhere}");
    }
    for _ in 0..5 {
        host.answer_with("GET /_store/1", 302, &[("location", "/_store/1")], &json!({}))?;
    }
    host.answer("GET /_store/1", 200, &json!({}))?;
    let found = find_row(&host, row).await?;
    assert_eq!(found.left_out, ["the store of attestations answers HTTP 302 Found"]);
    Ok(())
}
