//! Where a secret is, and what it is there.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;

use super::{Error, environment};

/// Where a secret is: never in the configuration itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Place")]
pub enum SecretSource {
    /// In a variable of the environment.
    Environment(String),
    /// In a file; white space at its end does not belong to it.
    File(PathBuf),
}

/// Why a secret is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretUnavailable {
    /// The variable is not set, or is not text.
    #[error("the environment has no variable {0} with text in it")]
    NoVariable(String),
    /// The file can not be read.
    #[error("reading the secret in {}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is there and empty: anybody could know it.
    #[error("the secret in {0} is empty")]
    Empty(String),
    /// The list has no element.
    #[error("at least one secret is needed")]
    None,
}

/// The file's way to name the place of a secret.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    env: Option<String>,
    file: Option<PathBuf>,
}

impl TryFrom<Place> for SecretSource {
    type Error = &'static str;

    fn try_from(place: Place) -> Result<Self, &'static str> {
        match place {
            Place { env: Some(name), file: None } => Ok(Self::Environment(name)),
            Place { env: None, file: Some(path) } => Ok(Self::File(path)),
            Place { env: None, file: None } | Place { env: Some(_), file: Some(_) } => {
                Err("a secret is either { env: NAME } or { file: PATH }")
            }
        }
    }
}

impl SecretSource {
    /// The secret.
    ///
    /// # Errors
    ///
    /// It is not there, or empty.
    pub fn read(&self) -> Result<SecretString, SecretUnavailable> {
        let (text, place) = match self {
            Self::Environment(name) => {
                (environment::variable(name).ok_or_else(|| SecretUnavailable::NoVariable(name.clone()))?, name.clone())
            }
            Self::File(path) => (
                std::fs::read_to_string(path)
                    .map_err(|source| SecretUnavailable::Unreadable { path: path.clone(), source })?,
                path.display().to_string(),
            ),
        };
        match text.trim_end() {
            "" => Err(SecretUnavailable::Empty(place)),
            secret => Ok(SecretString::from(secret)),
        }
    }

    /// The secret that a setting names.
    pub(super) fn read_for(&self, setting: &str) -> Result<SecretString, Error> {
        self.read().map_err(|source| Error::Secret { setting: setting.to_owned(), source })
    }
}

/// All secrets of a list that may not be empty.
pub(super) fn read_all(sources: &[SecretSource], setting: &str) -> Result<Vec<SecretString>, Error> {
    if sources.is_empty() {
        return Err(Error::Secret { setting: setting.to_owned(), source: SecretUnavailable::None });
    }
    sources.iter().map(|source| source.read_for(setting)).collect()
}
