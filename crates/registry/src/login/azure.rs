//! Azure: the identity of a workload or a machine, exchanged for a token of the registry.
//!
//! A registry trades a token of the directory for a refresh token of its own, which is a password for a user that has no
//! name (<https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md>).

use std::{path::PathBuf, time::Duration};

use domain::image::Host;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use super::{Login, LoginError, Web, read, web};

const DIRECTORY: &str = "the directory";
const METADATA: &str = "the metadata service";
const REGISTRY: &str = "the registry";

/// What a token has to be for.
const RESOURCE: &str = "https://containerregistry.azure.net/";

/// The user without a name.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// How long a refresh token of a registry is used; it is good for three hours.
const LIFE: Duration = Duration::from_secs(60 * 60);

/// Azure's credentials.
#[derive(Clone, Debug)]
pub struct Azure {
    /// Where they come from.
    pub source: AzureSource,
    /// Where the metadata service is, in place of `http://169.254.169.254`.
    pub metadata: Option<Url>,
    /// Where the registry exchanges tokens, in place of `https://` and its own host.
    pub exchange: Option<Url>,
}

/// Where Azure's credentials come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AzureSource {
    /// From the token of a service account of Kubernetes
    /// (<https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow#third-case-access-token-request-with-a-federated-credential>).
    WorkloadIdentity {
        /// The tenant.
        tenant: String,
        /// The client's number.
        client: String,
        /// The file of the token, which the cluster replaces from time to time.
        token_file: PathBuf,
        /// Where the directory is, as `https://login.microsoftonline.com/`.
        authority: Url,
    },
    /// From the machine
    /// (<https://learn.microsoft.com/en-us/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>).
    ManagedIdentity {
        /// The client's number, where the machine has several identities.
        client: Option<String>,
    },
}

#[derive(Deserialize)]
struct Token {
    access_token: SecretString,
}

#[derive(Deserialize)]
struct Exchanged {
    refresh_token: SecretString,
}

impl Azure {
    pub(super) async fn login(&self, host: &Host, web: &Web) -> Result<Login, LoginError> {
        let token = match &self.source {
            AzureSource::WorkloadIdentity { tenant, client, token_file, authority } => {
                let assertion = SecretString::from(read(token_file)?);
                let pairs = [
                    ("grant_type", "client_credentials"),
                    ("client_id", client.as_str()),
                    ("scope", &format!("{RESOURCE}.default")),
                    ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                    ("client_assertion", assertion.expose_secret()),
                ];
                let url = web::below(authority, &format!("/{tenant}/oauth2/v2.0/token"));
                self::token(web::form(web.far.post(url), &pairs), DIRECTORY).await?
            }
            AzureSource::ManagedIdentity { client } => self.of_machine(client.as_deref(), web).await?,
        };
        let base = self.exchange.as_ref().map_or_else(|| format!("https://{host}"), ToString::to_string);
        let url = format!("{}/oauth2/exchange", base.trim_end_matches('/'));
        let service = host.to_string();
        let pairs = [("grant_type", "access_token"), ("service", &service), ("access_token", token.expose_secret())];
        let exchanged: Exchanged = web::json(web::form(web.far.post(url), &pairs), (REGISTRY, "refresh token")).await?;
        Ok(Login { username: NOBODY.to_owned(), password: exchanged.refresh_token, life: LIFE })
    }

    async fn of_machine(&self, client: Option<&str>, web: &Web) -> Result<SecretString, LoginError> {
        let base = self.metadata.as_ref().map_or("http://169.254.169.254", Url::as_str);
        let url = format!("{}/metadata/identity/oauth2/token?{}", base.trim_end_matches('/'), query(client));
        token(web.near.get(url).header("Metadata", "true"), METADATA).await
    }
}

fn query(client: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("api-version", "2018-02-01").append_pair("resource", RESOURCE);
    query.extend_pairs(client.map(|client| ("client_id", client))).finish()
}

async fn token(request: reqwest::RequestBuilder, whom: &'static str) -> Result<SecretString, LoginError> {
    let token: Token = web::json(request, (whom, "access token")).await?;
    Ok(token.access_token)
}
