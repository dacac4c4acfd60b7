//! How registries are reached: `registries`.

use std::collections::BTreeMap;

use domain::image::Host;
use registry::{Access, Credentials, Transport};
use serde::Deserialize;

use super::{Config, Error, SecretSource};

/// How a registry is reached.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistrySettings {
    /// What it is asked with; nothing when it is not given.
    pub credentials: Option<BasicSettings>,
    /// Whether it speaks HTTP without TLS, as one on loopback may.
    #[serde(default)]
    pub plain_http: bool,
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

impl Config {
    /// How each registry with settings is reached.
    ///
    /// # Errors
    ///
    /// A password is not where the configuration says.
    pub fn registries(&self) -> Result<BTreeMap<Host, Access>, Error> {
        self.registries
            .iter()
            .map(|(host, settings)| {
                let credentials = match &settings.credentials {
                    None => Credentials::Anonymous,
                    Some(BasicSettings { username, password }) => Credentials::Basic {
                        username: username.clone(),
                        password: password.read_for(&format!("registries.{host}.credentials.password"))?,
                    },
                };
                let transport = if settings.plain_http { Transport::Http } else { Transport::Https };
                Ok((host.clone(), Access { transport, credentials }))
            })
            .collect()
    }
}
