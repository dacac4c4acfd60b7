//! Amazon: a role that is lent to a workload or a machine, exchanged for a token of the registry.
//!
//! The token is a user with a password for all registries of an account in a region, for twelve hours
//! (<https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html>).

use std::path::PathBuf;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use domain::image::Host;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use super::{
    Login, LoginError, Web, read,
    sign::{Keys, Request, Scope, sign},
    web,
};

const STS: &str = "the security token service";
const ECR: &str = "the registry's service";
const METADATA: &str = "the metadata service";
const CONTAINER: &str = "the container's own service";

/// The kind of the only request to the registry's service.
const TARGET: &str = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
const JSON: &str = "application/x-amz-json-1.1";

/// Amazon's credentials.
#[derive(Clone, Debug)]
pub struct Aws {
    /// The region, where the registry's host does not name it.
    pub region: Option<String>,
    /// Where they come from.
    pub source: AwsSource,
    /// Where Amazon's services are.
    pub addresses: AwsAddresses,
}

/// Where Amazon's services are, where it is not where they usually are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AwsAddresses {
    /// In place of `https://sts.REGION.amazonaws.com`.
    pub sts: Option<Url>,
    /// In place of `https://api.ecr.REGION.amazonaws.com`.
    pub ecr: Option<Url>,
    /// In place of `http://169.254.169.254`.
    pub metadata: Option<Url>,
}

/// Where Amazon's credentials come from.
#[derive(Clone, Debug)]
pub enum AwsSource {
    /// From the token of a service account of Kubernetes, or of any other provider that the role trusts
    /// (<https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>).
    WebIdentity {
        /// The role.
        role_arn: String,
        /// The file of the token, which the cluster replaces from time to time.
        token_file: PathBuf,
    },
    /// From a service beside the container, as with EKS Pod Identity and ECS
    /// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>).
    Container {
        /// Where it is.
        url: Url,
        /// The file of what it wants to be shown.
        token_file: Option<PathBuf>,
    },
    /// From the machine, by the second version of its metadata service
    /// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>).
    Instance,
    /// Keys that do not change.
    Keys {
        /// Which ones.
        id: String,
        /// The secret.
        secret: SecretString,
        /// What goes with keys that are lent.
        session: Option<SecretString>,
    },
}

/// The keys in the words of the container's and the machine's service.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Lent {
    access_key_id: String,
    secret_access_key: SecretString,
    token: SecretString,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    authorization_data: Vec<Authorization>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Authorization {
    authorization_token: SecretString,
    /// Seconds since 1970, with a fraction.
    expires_at: serde_json::Number,
}

impl Aws {
    pub(super) async fn login(&self, host: &Host, web: &Web) -> Result<Login, LoginError> {
        let region = self.region(host)?;
        let keys = self.keys(&region, web).await?;
        let url = match &self.addresses.ecr {
            Some(url) => url.clone(),
            None => parse(&format!("https://api.ecr.{region}.{}", suffix(&region)))?,
        };
        let authority = match (url.host_str(), url.port()) {
            (Some(name), Some(port)) => format!("{name}:{port}"),
            (name, _) => name.unwrap_or_default().to_owned(),
        };
        let (body, headers) = (b"{}", [("content-type", JSON), ("x-amz-target", TARGET)]);
        let request = Request { method: "POST", host: &authority, path: "/", headers: &headers, body };
        let scope = Scope { region: &region, service: "ecr" };
        let added = sign(&request, &keys, &scope, Utc::now());
        let mut sending = web.far.post(web::below(&url, "/")).body(body.to_vec());
        for (name, value) in headers.iter().map(|(name, value)| (*name, (*value).to_owned())).chain(added) {
            sending = sending.header(name, value);
        }
        let answer: Answer = web::json(sending, (ECR, "authorization token")).await?;
        let none = LoginError::Answer { whom: ECR, what: "authorization token" };
        answer.authorization_data.first().and_then(Authorization::login).ok_or(none)
    }

    async fn keys(&self, region: &str, web: &Web) -> Result<Keys, LoginError> {
        match &self.source {
            AwsSource::Keys { id, secret, session } => {
                Ok(Keys { id: id.clone(), secret: secret.clone(), session: session.clone() })
            }
            AwsSource::WebIdentity { role_arn, token_file } => {
                let url = match &self.addresses.sts {
                    Some(url) => url.clone(),
                    None => parse(&format!("https://sts.{region}.{}", suffix(region)))?,
                };
                assume(role_arn, &SecretString::from(read(token_file)?), (url, web)).await
            }
            AwsSource::Container { url, token_file } => {
                let request = web.near.get(url.clone());
                let request = match token_file {
                    Some(file) => request.header("Authorization", read(file)?),
                    None => request,
                };
                Ok(web::json::<Lent>(request, (CONTAINER, "keys")).await?.into())
            }
            AwsSource::Instance => self.of_machine(web).await,
        }
    }

    async fn of_machine(&self, web: &Web) -> Result<Keys, LoginError> {
        let base = self.addresses.metadata.as_ref().map_or("http://169.254.169.254", Url::as_str);
        let at = |path: &str| format!("{}/latest/{path}", base.trim_end_matches('/'));
        let asking = web.near.put(at("api/token")).header("x-aws-ec2-metadata-token-ttl-seconds", "300");
        let session = web::text(asking, METADATA).await?;
        let get = |path: &str| web.near.get(at(path)).header("x-aws-ec2-metadata-token", session.trim());
        let roles = web::text(get("meta-data/iam/security-credentials/"), METADATA).await?;
        let role = roles.lines().next().filter(|role| !role.trim().is_empty());
        let role = role.ok_or(LoginError::Answer { whom: METADATA, what: "role of this machine" })?;
        let path = format!("meta-data/iam/security-credentials/{}", role.trim());
        Ok(web::json::<Lent>(get(&path), (METADATA, "keys")).await?.into())
    }

    /// The region in the name of the registry, `ACCOUNT.dkr.ecr.REGION.amazonaws.com`, unless another is set.
    fn region(&self, host: &Host) -> Result<String, LoginError> {
        if let Some(region) = &self.region {
            return Ok(region.clone());
        }
        let host = host.to_string();
        let region = host.split_once(".dkr.ecr.").or_else(|| host.split_once(".dkr.ecr-fips."));
        let region = region.and_then(|(_, rest)| rest.split_once('.')).map(|(region, _)| region.to_owned());
        region.ok_or_else(|| {
            LoginError::Setting(format!(
                "the name of {host} has no region of Amazon's in it: set credentials.aws.region"
            ))
        })
    }
}

/// What stands behind a region.
fn suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

/// Keys of a role for a token of somebody that it trusts; the request is not signed.
async fn assume(role_arn: &str, token: &SecretString, (url, web): (Url, &Web)) -> Result<Keys, LoginError> {
    let pairs = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleSessionName", "tagferry"),
        ("RoleArn", role_arn),
        ("WebIdentityToken", token.expose_secret()),
    ];
    let answer = web::text(web::form(web.far.post(web::below(&url, "/")), &pairs), STS).await?;
    // Three texts without markup in them, which is no reason for a library that reads XML.
    let text = |name: &'static str| {
        let (_, rest) = answer.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(text, _)| text.to_owned())
    };
    let missing = |what| LoginError::Answer { whom: STS, what };
    Ok(Keys {
        id: text("AccessKeyId").ok_or_else(|| missing("AccessKeyId"))?,
        secret: text("SecretAccessKey").ok_or_else(|| missing("SecretAccessKey"))?.into(),
        session: Some(text("SessionToken").ok_or_else(|| missing("SessionToken"))?.into()),
    })
}

fn parse(url: &str) -> Result<Url, LoginError> {
    url.parse().map_err(|_illegal| LoginError::Setting("credentials.aws.region is not a region".to_owned()))
}

impl From<Lent> for Keys {
    fn from(lent: Lent) -> Self {
        Self { id: lent.access_key_id, secret: lent.secret_access_key, session: Some(lent.token) }
    }
}

impl Authorization {
    fn login(&self) -> Option<Login> {
        let bytes = STANDARD.decode(self.authorization_token.expose_secret()).ok()?;
        let text = SecretString::from(String::from_utf8(bytes).ok()?);
        let (username, password) = text.expose_secret().split_once(':')?;
        let seconds = self.expires_at.to_string().split('.').next()?.parse().ok()?;
        let left = (DateTime::from_timestamp(seconds, 0)? - Utc::now()).to_std().unwrap_or_default();
        Some(Login { username: username.to_owned(), password: password.into(), life: left })
    }
}
