//! How registries are reached: `registries`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use domain::image::Host;
use registry::{Access, Credentials, Transport};
use secrecy::SecretString;
use serde::Deserialize;

use super::{Config, CredentialSettings, Error, SecretSource};

/// How a registry is reached.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistrySettings {
    /// What it is asked with; nothing when it is not given.
    pub credentials: Option<CredentialSettings>,
    /// Whether it speaks HTTP without TLS, as one on loopback may.
    #[serde(default)]
    pub plain_http: bool,
    /// The file of certificates of authorities, in PEM, that are believed besides the system's.
    pub ca: Option<PathBuf>,
    /// The proxy that it is reached through.
    pub proxy: Option<ProxySetting>,
}

/// The address of a proxy, or where that is, as it may have a password in it.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "the address of a proxy was expected, or { env: NAME } or { file: PATH } where it has a password"
)]
pub enum ProxySetting {
    /// The address itself, without a password.
    Address(String),
    /// Where the address is.
    Secret(SecretSource),
}

impl ProxySetting {
    fn read(&self, host: &Host) -> Result<SecretString, Error> {
        let setting = format!("registries.{host}.proxy");
        match self {
            Self::Secret(source) => source.read_for(&setting),
            Self::Address(address) if address.contains('@') => Err(Error::Contradiction(format!(
                "{setting}: an address with a password is never written here: say where it is, as {{ env: NAME }} or {{ file: PATH }}"
            ))),
            Self::Address(address) => Ok(address.as_str().into()),
        }
    }
}

fn root(host: &Host, path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Ca { host: host.clone(), path: path.to_owned(), source })
}

impl Config {
    /// How each registry with settings is reached.
    ///
    /// # Errors
    ///
    /// A password or a certificate is not where the configuration says, or an identity needs more.
    pub fn registries(&self) -> Result<BTreeMap<Host, Access>, Error> {
        self.registries
            .iter()
            .map(|(host, settings)| {
                let credentials = match &settings.credentials {
                    None => Credentials::Anonymous,
                    Some(credentials) => credentials.credentials(host)?,
                };
                let transport = if settings.plain_http { Transport::Http } else { Transport::Https };
                let roots = settings.ca.as_ref().map(|path| root(host, path)).transpose()?.into_iter().collect();
                let proxy = settings.proxy.as_ref().map(|proxy| proxy.read(host)).transpose()?;
                Ok((host.clone(), Access { transport, credentials, roots, proxy, ..Access::default() }))
            })
            .collect()
    }
}
