//! Attestations of what was built from a repository.

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sandbox::Form;
use serde_json::{Value, json};

use crate::client::{Forge, REPOSITORY, read};

const DIGEST: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

fn bundle(predicate_type: &str) -> Value {
    let (algorithm, digits) = DIGEST.split_once(':').unwrap_or_default();
    let statement = json!({ "subject": [{ "digest": { algorithm: digits } }], "predicateType": predicate_type });
    json!({ "mediaType": "x", "dsseEnvelope": { "payload": STANDARD.encode(statement.to_string()) } })
}

fn shown(listed: &Value) -> Vec<Value> {
    listed["attestations"].as_array().cloned().unwrap_or_default()
}

#[tokio::test]
async fn an_attestation_is_found_by_what_it_is_about_and_by_its_kind() -> Result<()> {
    let forge = Forge::start().await?;
    let path = format!("/repos/{REPOSITORY}/attestations/{DIGEST}");
    assert_eq!(forge.get(&path).await?.0, 404);
    let (provenance, sbom) = (bundle("https://slsa.dev/provenance/v1"), bundle("https://spdx.dev/Document/v2.3"));
    for bundle in [&provenance, &sbom] {
        let url = format!("{}/_sim/repositories/{REPOSITORY}/attestations", forge.sandbox.url());
        let (status, _) = read(forge.http.post(url).json(&json!({ "bundle": bundle })).send().await?).await?;
        assert_eq!(status, 200);
    }
    let (status, all) = forge.get(&path).await?;
    assert_eq!((status, shown(&all).len()), (200, 2));
    for (kind, expected) in
        [("provenance", &provenance), ("sbom", &sbom), ("https://slsa.dev/provenance/v1", &provenance)]
    {
        let (_, listed) = forge.get(&format!("{path}?predicate_type={kind}")).await?;
        assert_eq!(shown(&listed).iter().map(|one| &one["bundle"]).collect::<Vec<_>>(), [expected], "{kind}");
    }
    assert_eq!(forge.get(&format!("{path}?predicate_type=release")).await?.0, 404);
    let error =
        forge.sandbox.add_attestation(REPOSITORY, json!({}), Form::Inline).await.expect_err("it has no statement");
    assert!(error.to_string().contains("Validation Failed"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_bundle_may_be_at_an_address_that_takes_no_credentials() -> Result<()> {
    let forge = Forge::start().await?;
    let bundle = bundle("https://slsa.dev/provenance/v1");
    forge.sandbox.add_attestation(REPOSITORY, bundle.clone(), Form::Url).await?;
    let (_, listed) = forge.get(&format!("/repos/{REPOSITORY}/attestations/{DIGEST}")).await?;
    let one = shown(&listed).first().cloned().context("one is there")?;
    assert_eq!(one.get("bundle"), None);
    let url = one["bundle_url"].as_str().context("an address")?;
    assert_eq!(forge.http.get(url).bearer_auth(&forge.token).send().await?.status().as_u16(), 400);
    let compressed = forge.http.get(url).send().await?.bytes().await?;
    let text = snap::raw::Decoder::new().decompress_vec(&compressed)?;
    assert_eq!(serde_json::from_slice::<Value>(&text)?, bundle);
    Ok(())
}

#[tokio::test]
async fn pages_of_attestations_go_by_a_cursor() -> Result<()> {
    let forge = Forge::start().await?;
    for _ in 0..5 {
        forge.sandbox.add_attestation(REPOSITORY, bundle("https://slsa.dev/provenance/v1"), Form::Url).await?;
    }
    let mut path = format!("/repos/{REPOSITORY}/attestations/{DIGEST}?per_page=2");
    let mut counts = Vec::new();
    loop {
        let response = forge.request(reqwest::Method::GET, &path).send().await?;
        let link = response.headers().get("link").and_then(|value| value.to_str().ok()).map(str::to_owned);
        counts.push(shown(&read(response).await?.1).len());
        let Some(link) = link else { break };
        let (address, relation) = link.split_once(">; ").context("a link")?;
        assert_eq!(relation, "rel=\"next\"");
        path = address.trim_start_matches('<').replace(&forge.sandbox.url(), "");
    }
    assert_eq!(counts, [2, 2, 1]);
    Ok(())
}
