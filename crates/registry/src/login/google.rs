//! Google: the account of a workload or a machine, or that which another cloud's identity stands for.
//!
//! An access token is a password for the user `oauth2accesstoken`
//! (<https://cloud.google.com/artifact-registry/docs/docker/authentication#token>).

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::{Login, LoginError, Web, read, web};

const METADATA: &str = "the metadata server";
const STS: &str = "the security token service";
const IAM: &str = "the service that lends accounts";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Google's credentials.
#[derive(Clone, Debug)]
pub struct Google {
    /// Where they come from.
    pub source: GoogleSource,
    /// Where the metadata server is, in place of `http://metadata.google.internal`.
    pub metadata: Option<Url>,
}

/// Where Google's credentials come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GoogleSource {
    /// From the metadata server of a machine or, with Workload Identity, of a cluster's node
    /// (<https://cloud.google.com/compute/docs/metadata/overview>).
    Metadata,
    /// From another provider's identity, as a file of the type `external_account` says
    /// (<https://google.aip.dev/auth/4117>).
    ExternalAccount(PathBuf),
}

#[derive(Deserialize)]
struct Token {
    access_token: SecretString,
    #[serde(default = "an_hour")]
    expires_in: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lent {
    access_token: SecretString,
    expire_time: DateTime<Utc>,
}

#[derive(Deserialize)]
struct External {
    #[serde(rename = "type")]
    kind: String,
    audience: String,
    subject_token_type: String,
    token_url: String,
    service_account_impersonation_url: Option<String>,
    credential_source: Source,
}

#[derive(Deserialize)]
struct Source {
    file: Option<PathBuf>,
    format: Option<Format>,
}

#[derive(Deserialize)]
struct Format {
    #[serde(rename = "type")]
    kind: String,
    subject_token_field_name: Option<String>,
}

const fn an_hour() -> u64 {
    3600
}

impl Google {
    pub(super) async fn login(&self, web: &Web) -> Result<Login, LoginError> {
        let token = match &self.source {
            GoogleSource::Metadata => self.of_machine(web).await?,
            GoogleSource::ExternalAccount(path) => External::read(path)?.token(path, web).await?,
        };
        let life = Duration::from_secs(token.expires_in);
        Ok(Login { username: "oauth2accesstoken".to_owned(), password: token.access_token, life })
    }

    async fn of_machine(&self, web: &Web) -> Result<Token, LoginError> {
        let base = self.metadata.as_ref().map_or("http://metadata.google.internal", Url::as_str);
        let path = "/computeMetadata/v1/instance/service-accounts/default/token";
        let url = format!("{}{path}", base.trim_end_matches('/'));
        web::json(web.near.get(url).header("Metadata-Flavor", "Google"), (METADATA, "access token")).await
    }
}

impl External {
    fn read(path: &Path) -> Result<Self, LoginError> {
        let contents = |why: &str| LoginError::Contents { path: path.to_path_buf(), why: why.to_owned() };
        let expected = "the configuration of an external account was expected";
        let external: Self = serde_json::from_str(&read(path)?).map_err(|_has_secrets| contents(expected))?;
        if external.kind == "external_account" { Ok(external) } else { Err(contents(expected)) }
    }

    async fn token(&self, path: &Path, web: &Web) -> Result<Token, LoginError> {
        let subject = self.subject(path)?;
        let pairs = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("audience", &self.audience),
            ("scope", SCOPE),
            ("subject_token_type", &self.subject_token_type),
            ("subject_token", subject.expose_secret()),
        ];
        let request = web::form(web.far.post(&self.token_url), &pairs);
        let token: Token = web::json(request, (STS, "access token")).await?;
        let Some(lender) = &self.service_account_impersonation_url else { return Ok(token) };
        let request = web
            .far
            .post(lender)
            .bearer_auth(token.access_token.expose_secret())
            .json(&json!({ "scope": [SCOPE], "lifetime": "3600s" }));
        let lent: Lent = web::json(request, (IAM, "access token")).await?;
        let left = (lent.expire_time - Utc::now()).to_std().unwrap_or_default();
        Ok(Token { access_token: lent.access_token, expires_in: left.as_secs() })
    }

    /// The other provider's token, which that replaces from time to time.
    fn subject(&self, path: &Path) -> Result<SecretString, LoginError> {
        let Some(file) = &self.credential_source.file else {
            let why = "only a credential_source with a file is understood".to_owned();
            return Err(LoginError::Contents { path: path.to_path_buf(), why });
        };
        let text = read(file)?;
        let Some(field) = self.credential_source.format.as_ref().filter(|format| format.kind == "json") else {
            return Ok(text.into());
        };
        let field = field.subject_token_field_name.as_deref().unwrap_or("access_token");
        let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let token = value.get(field).and_then(serde_json::Value::as_str);
        let why = || LoginError::Contents { path: file.clone(), why: format!("it has no {field}") };
        token.map(SecretString::from).ok_or_else(why)
    }
}
