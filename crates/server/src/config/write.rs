//! How releases are written: `github.write`, `github.author` and `github.signing`.

use serde::{Deserialize, Deserializer, de::Error as _};

use super::{Error, GitHubSettings, SecretSource};

/// How files are read and commits are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WriteSettings {
    /// By Git, with shallow clones in `server.data_dir`.
    #[default]
    Git,
    /// By GitHub's API, which makes the commits and signs them as its own.
    Api,
}

/// Who commits are by, where GitHub does not make them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorSettings {
    /// The name.
    #[serde(deserialize_with = "identity")]
    pub name: String,
    /// The address.
    #[serde(deserialize_with = "identity")]
    pub email: String,
}

/// What commits are signed with, where GitHub does not make them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningSettings {
    /// What kind of signature.
    pub format: SigningFormat,
    /// The private key.
    pub key: SecretSource,
}

/// What kind of signature commits get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SigningFormat {
    /// As `git commit -S` makes it with `gpg.format=ssh`.
    Ssh,
}

impl GitHubSettings {
    /// How releases are written, with the key to sign with.
    ///
    /// # Errors
    ///
    /// The key is not there, or there is one although GitHub signs.
    pub fn write(&self) -> Result<forge::Write, Error> {
        match (self.write, &self.signing) {
            (WriteSettings::Git, None) => Ok(forge::Write::Git(None)),
            (WriteSettings::Git, Some(SigningSettings { format: SigningFormat::Ssh, key })) => {
                Ok(forge::Write::Git(Some(forge::Signing::Ssh(key.read_for("github.signing.key")?))))
            }
            (WriteSettings::Api, None) => Ok(forge::Write::Api),
            (WriteSettings::Api, Some(_)) => Err(Error::Contradiction(
                "github.signing goes with github.write: git; with api GitHub signs the commits itself".to_owned(),
            )),
        }
    }

    /// Who commits are by.
    pub(crate) fn author(&self) -> forge::Author {
        self.author.as_ref().map_or_else(forge::Author::default, |author| forge::Author {
            name: author.name.clone(),
            email: author.email.clone(),
        })
    }
}

/// Reads what Git takes as a name or an address.
fn identity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let is_good = !text.trim().is_empty() && !text.contains(|one: char| one.is_control() || matches!(one, '<' | '>'));
    if is_good { Ok(text) } else { Err(D::Error::custom("text without < and > was expected")) }
}
