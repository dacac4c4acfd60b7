//! GitHub Actions as far as a receiver of identity tokens meets it: an issuer with its keys, and the address at which
//! a job asks for its token (<https://docs.github.com/en/actions/reference/security/oidc>).

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    routing::get,
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{control::Control, refusal::Refusal};

/// What the one key is called.
const KEY_ID: &str = "sandbox";

/// How long a token lives; GitHub's live about five minutes.
const LIFE: Duration = Duration::from_secs(300);

/// What a job would be, if there were jobs: the query of the address that it asks for its token.
#[derive(Debug, Deserialize)]
struct Job {
    audience: String,
    /// `acme/mandelbrot`
    repository: String,
    /// The commit that it runs on.
    sha: String,
    #[serde(rename = "ref", default = "Job::default_ref")]
    git_ref: String,
    #[serde(default = "Job::default_event")]
    event_name: String,
    #[serde(default = "Job::default_workflow")]
    workflow: String,
    /// The token's own number; a new one where none is given.
    jti: Option<String>,
}

impl Job {
    fn default_ref() -> String {
        "refs/heads/main".to_owned()
    }

    fn default_event() -> String {
        "push".to_owned()
    }

    fn default_workflow() -> String {
        ".github/workflows/release.yml".to_owned()
    }

    /// The claims, all of them texts but the times.
    fn claims(&self, issuer: &str, now: i64) -> Value {
        let Self { audience, repository, sha, git_ref, event_name, workflow, jti } = self;
        let owner = repository.split('/').next().unwrap_or_default();
        let number = |text: &str| text.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let token = jti.clone().unwrap_or_else(|| format!("{:016x}", fastrand::u64(..)));
        let life = i64::try_from(LIFE.as_secs()).unwrap_or_default();
        json!({
            "iss": issuer, "aud": audience, "sub": format!("repo:{repository}:ref:{git_ref}"), "jti": token,
            "iat": now, "nbf": now - 600, "exp": now + life,
            "repository": repository, "repository_id": number(repository).to_string(),
            "repository_owner": owner, "repository_owner_id": number(owner).to_string(),
            "ref": git_ref, "ref_type": "branch", "sha": sha, "event_name": event_name, "actor": owner,
            "workflow": workflow, "workflow_ref": format!("{repository}/{workflow}@{git_ref}"), "workflow_sha": sha,
            "run_id": "1", "run_number": "1", "run_attempt": "1", "runner_environment": "github-hosted",
        })
    }
}

/// The issuer's addresses.
pub(crate) fn router(control: Control) -> Router {
    Router::new()
        .route("/_actions/.well-known/openid-configuration", get(configuration))
        .route("/_actions/.well-known/jwks", get(keys))
        .route("/_actions/token", get(token))
        .with_state(Arc::new(control))
}

fn issuer(control: &Control) -> String {
    format!("{}/_actions", control.url())
}

fn key(control: &Control) -> Result<EncodingKey, Refusal> {
    let broken = |_why| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the sandbox's key can not be used");
    EncodingKey::from_rsa_pem(control.app_private_key().as_bytes()).map_err(broken)
}

async fn configuration(State(control): State<Arc<Control>>) -> Json<Value> {
    let issuer = issuer(&control);
    let keys = format!("{issuer}/.well-known/jwks");
    Json(json!({ "issuer": issuer, "jwks_uri": keys, "id_token_signing_alg_values_supported": ["RS256"] }))
}

async fn keys(State(control): State<Arc<Control>>) -> Result<Json<Value>, Refusal> {
    let broken = |_why| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the sandbox's key can not be used");
    let mut jwk = Jwk::from_encoding_key(&key(&control)?, Algorithm::RS256).map_err(broken)?;
    jwk.common.key_id = Some(KEY_ID.to_owned());
    Ok(Json(json!({ "keys": [jwk] })))
}

/// A runner has a bearer token of its own to ask with; any is good here.
async fn token(
    State(control): State<Arc<Control>>,
    headers: HeaderMap,
    Query(job): Query<Job>,
) -> Result<Json<Value>, Refusal> {
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !authorization.to_ascii_lowercase().starts_with("bearer ") {
        return Err(Refusal::unauthenticated("a job asks for its token with ACTIONS_ID_TOKEN_REQUEST_TOKEN"));
    }
    let header = Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::RS256) };
    let claims = job.claims(&issuer(&control), control.now().timestamp());
    let broken = |_why| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "the sandbox's key can not be used");
    let value = encode(&header, &claims, &key(&control)?).map_err(broken)?;
    Ok(Json(json!({ "value": value })))
}
