//! As whom a registry is asked: `registries.HOST.credentials`.

use std::path::PathBuf;

use domain::image::Host;
use registry::{Aws, AwsAddresses, AwsSource, Azure, AzureSource, Credentials, Google, GoogleSource};
use serde::{Deserialize, Deserializer, de::Error as _};
use url::Url;

use super::{
    Error, SecretSource,
    environment::variable,
    fields::{parsed_option, text_or_map},
};

/// As whom a registry is asked.
#[derive(Debug)]
pub enum CredentialSettings {
    /// As a user with a password.
    Basic(BasicSettings),
    /// As Docker does, by the file in that place, or in its usual one.
    Docker(Option<PathBuf>),
    /// As a role at Amazon.
    Aws(AwsSettings),
    /// As an account at Google.
    Google(GoogleSettings),
    /// As an identity at Azure.
    Azure(AzureSettings),
}

/// A user name and where its password is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasicSettings {
    /// The user.
    pub username: String,
    /// The password.
    pub password: SecretSource,
}

/// What differs at Amazon from what the environment says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AwsSettings {
    /// The region, where the registry's host does not name it.
    pub region: Option<String>,
    /// The role, in place of `AWS_ROLE_ARN`.
    pub role_arn: Option<String>,
    /// The file of the token that the role is assumed with, in place of `AWS_WEB_IDENTITY_TOKEN_FILE`.
    pub token_file: Option<PathBuf>,
    /// Where the token service is.
    #[serde(deserialize_with = "parsed_option")]
    pub sts_url: Option<Url>,
    /// Where the registry's service is.
    #[serde(deserialize_with = "parsed_option")]
    pub ecr_url: Option<Url>,
    /// Where the metadata service is.
    #[serde(deserialize_with = "parsed_option")]
    pub metadata_url: Option<Url>,
}

/// What differs at Google from what the environment says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GoogleSettings {
    /// The file of an external account, in place of `GOOGLE_APPLICATION_CREDENTIALS`.
    pub external_account: Option<PathBuf>,
    /// Where the metadata server is.
    #[serde(deserialize_with = "parsed_option")]
    pub metadata_url: Option<Url>,
}

/// What differs at Azure from what the environment says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AzureSettings {
    /// The tenant, in place of `AZURE_TENANT_ID`.
    pub tenant: Option<String>,
    /// The client's number, in place of `AZURE_CLIENT_ID`.
    pub client: Option<String>,
    /// The file of the workload's token, in place of `AZURE_FEDERATED_TOKEN_FILE`.
    pub token_file: Option<PathBuf>,
    /// Where the directory is, in place of `AZURE_AUTHORITY_HOST`.
    #[serde(deserialize_with = "parsed_option")]
    pub authority_url: Option<Url>,
    /// Where the metadata service is.
    #[serde(deserialize_with = "parsed_option")]
    pub metadata_url: Option<Url>,
    /// Where the registry exchanges tokens.
    #[serde(deserialize_with = "parsed_option")]
    pub exchange_url: Option<Url>,
}

/// The forms that are maps.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Whole {
    username: Option<String>,
    password: Option<SecretSource>,
    docker: Option<PathBuf>,
    aws: Option<AwsSettings>,
    google: Option<GoogleSettings>,
    azure: Option<AzureSettings>,
}

/// What may stand there. What does stand there may be a secret, and is never repeated.
const FORMS: &str = "credentials are docker, aws, google, azure, { docker: PATH }, { aws: { … } }, { google: { … } }, \
                     { azure: { … } } or { username: …, password: { env: NAME } }";

impl<'de> Deserialize<'de> for CredentialSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let whole = text_or_map(deserializer, |text| match text {
            "docker" => Ok(Whole { docker: Some(PathBuf::new()), ..Whole::default() }),
            "aws" => Ok(Whole { aws: Some(AwsSettings::default()), ..Whole::default() }),
            "google" => Ok(Whole { google: Some(GoogleSettings::default()), ..Whole::default() }),
            "azure" => Ok(Whole { azure: Some(AzureSettings::default()), ..Whole::default() }),
            _ => Err(FORMS.to_owned()),
        })?;
        let Whole { username, password, docker, aws, google, azure } = whole;
        match (username, password, docker, aws, google, azure) {
            (Some(username), Some(password), None, None, None, None) => {
                Ok(Self::Basic(BasicSettings { username, password }))
            }
            (None, None, Some(path), None, None, None) => {
                Ok(Self::Docker(Some(path).filter(|path| !path.as_os_str().is_empty())))
            }
            (None, None, None, Some(aws), None, None) => Ok(Self::Aws(aws)),
            (None, None, None, None, Some(google), None) => Ok(Self::Google(google)),
            (None, None, None, None, None, Some(azure)) => Ok(Self::Azure(azure)),
            _ => Err(D::Error::custom(FORMS)),
        }
    }
}

impl CredentialSettings {
    /// As whom the registry is asked, with what the environment says.
    pub(super) fn credentials(&self, host: &Host) -> Result<Credentials, Error> {
        match self {
            Self::Basic(BasicSettings { username, password }) => Ok(Credentials::Basic {
                username: username.clone(),
                password: password.read_for(&format!("registries.{host}.credentials.password"))?,
            }),
            Self::Docker(path) => Ok(Credentials::Docker { config: path.clone().map_or_else(docker_file, Ok)? }),
            Self::Aws(aws) => Ok(Credentials::Aws(aws.aws())),
            Self::Google(google) => Ok(Credentials::Google(google.google())),
            Self::Azure(azure) => azure.azure(host).map(Credentials::Azure),
        }
    }
}

/// Docker's configuration, where Docker looks for it.
fn docker_file() -> Result<PathBuf, Error> {
    let directory = variable("DOCKER_CONFIG").map(PathBuf::from);
    let directory = directory.or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".docker")));
    directory
        .map(|directory| directory.join("config.json"))
        .ok_or_else(|| Error::Contradiction("neither DOCKER_CONFIG nor HOME is set: write { docker: PATH }".to_owned()))
}

impl AwsSettings {
    fn aws(&self) -> Aws {
        let region = self.region.clone();
        let addresses =
            AwsAddresses { sts: self.sts_url.clone(), ecr: self.ecr_url.clone(), metadata: self.metadata_url.clone() };
        Aws { region, source: self.source(), addresses }
    }

    /// In the order in which Amazon's own tools look.
    fn source(&self) -> AwsSource {
        let role_arn = self.role_arn.clone().or_else(|| variable("AWS_ROLE_ARN"));
        let token_file = self.token_file.clone().or_else(|| variable("AWS_WEB_IDENTITY_TOKEN_FILE").map(PathBuf::from));
        let named = self.role_arn.is_some() || self.token_file.is_some();
        let keys = (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"));
        if let (false, (Some(id), Some(secret))) = (named, keys) {
            let session = variable("AWS_SESSION_TOKEN").map(Into::into);
            return AwsSource::Keys { id, secret: secret.into(), session };
        }
        if let (Some(role_arn), Some(token_file)) = (role_arn, token_file) {
            return AwsSource::WebIdentity { role_arn, token_file };
        }
        let whole = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
        let below = || Some(format!("http://169.254.170.2{}", variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")?));
        match whole.or_else(below).and_then(|url| url.parse().ok()) {
            Some(url) => {
                let token_file = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").map(PathBuf::from);
                AwsSource::Container { url, token_file }
            }
            None => AwsSource::Instance,
        }
    }
}

impl GoogleSettings {
    fn google(&self) -> Google {
        let file =
            self.external_account.clone().or_else(|| variable("GOOGLE_APPLICATION_CREDENTIALS").map(PathBuf::from));
        let source = file.map_or(GoogleSource::Metadata, GoogleSource::ExternalAccount);
        Google { source, metadata: self.metadata_url.clone() }
    }
}

impl AzureSettings {
    fn azure(&self, host: &Host) -> Result<Azure, Error> {
        let client = self.client.clone().or_else(|| variable("AZURE_CLIENT_ID"));
        let tenant = self.tenant.clone().or_else(|| variable("AZURE_TENANT_ID"));
        let token_file = self.token_file.clone().or_else(|| variable("AZURE_FEDERATED_TOKEN_FILE").map(PathBuf::from));
        let source = match (token_file, tenant, client) {
            (Some(token_file), Some(tenant), Some(client)) => {
                AzureSource::WorkloadIdentity { tenant, client, token_file, authority: self.authority(host)? }
            }
            (Some(_), _, _) => {
                let setting = format!("registries.{host}.credentials.azure");
                return Err(Error::Contradiction(format!("{setting} needs tenant and client beside token_file")));
            }
            (None, _, client) => AzureSource::ManagedIdentity { client },
        };
        Ok(Azure { source, metadata: self.metadata_url.clone(), exchange: self.exchange_url.clone() })
    }

    fn authority(&self, host: &Host) -> Result<Url, Error> {
        if let Some(url) = &self.authority_url {
            return Ok(url.clone());
        }
        let text = variable("AZURE_AUTHORITY_HOST");
        let text = text.as_deref().unwrap_or("https://login.microsoftonline.com/");
        text.parse().map_err(|_illegal| {
            Error::Contradiction(format!(
                "AZURE_AUTHORITY_HOST is not an address (registries.{host}.credentials.azure)"
            ))
        })
    }
}
