//! Identity tokens of workflow runs.

use anyhow::Result;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, jwk::JwkSet};
use reqwest::Method;
use serde_json::Value;

use crate::client::Forge;

#[tokio::test]
async fn a_job_gets_a_token_that_the_published_key_verifies() -> Result<()> {
    let forge = Forge::start().await?;
    let (_, configuration) = forge.get("/_actions/.well-known/openid-configuration").await?;
    let issuer = format!("{}/_actions", forge.sandbox.url());
    assert_eq!(configuration["issuer"], issuer);
    assert_eq!(configuration["jwks_uri"], format!("{issuer}/.well-known/jwks"));
    let (_, keys) = forge.get("/_actions/.well-known/jwks").await?;
    let keys: JwkSet = serde_json::from_value(keys)?;

    let job = "/_actions/token?audience=https://us.example&repository=acme/shop&sha=1f1f&ref=refs/heads/x&jti=7";
    let (status, answer) = forge.get(job).await?;
    assert_eq!(status, 200);
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&["https://us.example"]);
    validation.set_issuer(&[&issuer]);
    let token = answer["value"].as_str().unwrap_or_default();
    let claims = decode::<Value>(token, &DecodingKey::from_jwk(&keys.keys[0])?, &validation)?.claims;
    assert_eq!(claims["repository"], "acme/shop");
    assert_eq!(claims["workflow_ref"], "acme/shop/.github/workflows/release.yml@refs/heads/x");
    assert_eq!((&claims["event_name"], &claims["sha"], &claims["jti"]), (&"push".into(), &"1f1f".into(), &"7".into()));
    Ok(())
}

#[tokio::test]
async fn without_the_runners_own_token_there_is_none() -> Result<()> {
    let forge = Forge::start().await?;
    let url = format!("{}/_actions/token?audience=a&repository=acme/shop&sha=1f", forge.sandbox.url());
    assert_eq!(forge.http.request(Method::GET, url).send().await?.status().as_u16(), 401);
    assert_eq!(forge.get("/_actions/token?audience=a").await?.0, 400, "a job has a repository and a commit");
    Ok(())
}
