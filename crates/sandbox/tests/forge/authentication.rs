//! Who is let in.

use std::time::Duration;

use anyhow::Result;
use reqwest::Method;
use sandbox::{AppChange, Options, TokenFormat};
use serde_json::{Value, json};

use crate::client::{Forge, REPOSITORY, read};

async fn with(forge: &Forge, token: &str, path: &str) -> Result<(u16, String)> {
    let url = format!("{}{path}", forge.sandbox.url());
    let (status, body) = read(forge.http.get(url).bearer_auth(token).send().await?).await?;
    Ok((status, body["message"].as_str().unwrap_or_default().to_owned()))
}

#[tokio::test]
async fn the_app_signs_by_number_by_text_or_by_client_id() -> Result<()> {
    let forge = Forge::start().await?;
    let client_id = forge.sandbox.app().await?.client_id;
    for issuer in [json!(1), json!("1"), json!(client_id)] {
        let mut claims = forge.claims();
        claims["iss"] = issuer.clone();
        assert_eq!(with(&forge, &forge.signature(&claims)?, "/app").await?.0, 200, "{issuer}");
    }
    Ok(())
}

#[tokio::test]
async fn a_signature_that_is_not_right_is_refused_with_the_reason() -> Result<()> {
    let forge = Forge::start().await?;
    let now = forge.sandbox.now().timestamp();
    for (field, value, status, message) in [
        ("exp", json!(now - 1), 401, "('exp') must be a numeric value representing the future"),
        ("exp", json!(now + 700), 401, "('exp') is too far in the future"),
        ("iat", json!(now + 60), 401, "('iat') must be an Integer"),
        ("iss", json!(2), 404, "Integration not found"),
    ] {
        let mut claims = forge.claims();
        claims[field] = value;
        let (got, said) = with(&forge, &forge.signature(&claims)?, "/app").await?;
        assert_eq!(got, status, "{said}");
        assert!(said.contains(message), "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn a_signature_with_another_key_is_refused() -> Result<()> {
    let forge = Forge::start().await?;
    let kept = tempfile::tempdir()?;
    let other = Forge::with(Options { data: Some(kept.path().to_owned()), ..Options::default() }).await?;
    assert_ne!(forge.sandbox.app_private_key(), other.sandbox.app_private_key());
    let (status, said) = with(&forge, &other.signature(&forge.claims())?, "/app").await?;
    assert_eq!((status, said.as_str()), (401, "A JSON web token could not be decoded"));
    Ok(())
}

#[tokio::test]
async fn nobody_and_somebody_unknown_are_told_apart() -> Result<()> {
    let forge = Forge::start().await?;
    let url = format!("{}/repos/{REPOSITORY}", forge.sandbox.url());
    let (status, body) = read(forge.http.get(url).send().await?).await?;
    assert_eq!((status, &body["message"]), (401, &json!("Requires authentication")));
    assert_eq!(body["status"], "401");
    let (status, said) = with(&forge, "ghp_unknown", &format!("/repos/{REPOSITORY}")).await?;
    assert_eq!((status, said.as_str()), (401, "Bad credentials"));
    Ok(())
}

#[tokio::test]
async fn a_token_has_the_form_that_was_chosen() -> Result<()> {
    let forge = Forge::start().await?;
    let long = forge.installation_token(json!({})).await?;
    let length = long["token"].as_str().map_or(0, str::len);
    assert!((500..540).contains(&length), "{length}");
    let options = Options { token_format: TokenFormat::Classic, ..Options::default() };
    let forge = Forge::with(options).await?;
    let classic = forge.installation_token(json!({})).await?;
    assert_eq!(classic["token"].as_str().map_or(0, str::len), 40);
    Ok(())
}

#[tokio::test]
async fn a_token_ends_after_an_hour_of_the_sandbox() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    assert_eq!(forge.get(&format!("/repos/{REPOSITORY}")).await?.0, 200);
    forge.sandbox.advance(Duration::from_secs(3599));
    assert_eq!(forge.get(&format!("/repos/{REPOSITORY}")).await?.0, 200);
    forge.sandbox.advance(Duration::from_secs(2));
    assert_eq!(forge.get(&format!("/repos/{REPOSITORY}")).await?.0, 401);
    // The sandbox's own time still makes good signatures.
    let forge = forge.into_app().await?;
    assert_eq!(forge.get(&format!("/repos/{REPOSITORY}")).await?.0, 200);
    Ok(())
}

#[tokio::test]
async fn tokens_expire_on_demand_and_are_revoked() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    forge.sandbox.expire_tokens().await?;
    assert_eq!(forge.get(&format!("/repos/{REPOSITORY}")).await?.0, 401);
    let forge = forge.into_app().await?;
    assert_eq!(forge.send(Method::DELETE, "/installation/token", Value::Null).await?.0, 204);
    assert_eq!(forge.get(&format!("/repos/{REPOSITORY}")).await?.0, 401);
    Ok(())
}

#[tokio::test]
async fn a_token_for_other_repositories_does_not_see_this_one() -> Result<()> {
    let mut forge = Forge::start().await?;
    forge.sandbox.create_repository(sandbox::NewRepository::with_files("acme/other", [])?).await?;
    let token = forge.installation_token(json!({ "repositories": ["other"] })).await?;
    assert_eq!(token["repository_selection"], "selected");
    forge.token = token["token"].as_str().unwrap_or_default().to_owned();
    assert_eq!(forge.get("/repos/acme/other").await?.0, 200);
    let (status, body) = forge.get(&format!("/repos/{REPOSITORY}")).await?;
    assert_eq!((status, &body["message"]), (404, &json!("Not Found")));
    Ok(())
}

#[tokio::test]
async fn a_token_without_a_permission_is_forbidden() -> Result<()> {
    let mut forge = Forge::start().await?;
    let token = forge.installation_token(json!({ "permissions": { "contents": "read" } })).await?;
    assert_eq!(token["permissions"], json!({ "contents": "read" }));
    forge.token = token["token"].as_str().unwrap_or_default().to_owned();
    let body = json!({ "title": "a", "head": "topic", "base": "main" });
    let (status, body) = forge.send(Method::POST, &format!("/repos/{REPOSITORY}/pulls"), body).await?;
    assert_eq!((status, &body["message"]), (403, &json!("Resource not accessible by integration")));
    // What the App itself was not granted can not be asked for.
    let change = AppChange {
        permissions: Some(std::iter::once(("metadata".to_owned(), "read".to_owned())).collect()),
        ..AppChange::default()
    };
    forge.sandbox.change_app(change).await?;
    assert!(forge.installation_token(json!({ "permissions": { "contents": "write" } })).await.is_err());
    Ok(())
}
