//! Where a secret is, and what it is there.

mod place;

use std::{fmt, ops::Deref, path::PathBuf};

use secrecy::SecretString;

use super::{Error, environment};

/// Where a secret is: never in the configuration itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// In a variable of the environment.
    Environment(String),
    /// In a file; white space at its end does not belong to it.
    File(PathBuf),
}

/// Where the secrets are of which any is good: several while one takes the other's place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretSources(Vec<SecretSource>);

/// Why a secret is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretUnavailable {
    /// The variable is not set, or is not text.
    #[error("the environment has no variable {} with text in it", Variable(.0))]
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

/// The name of a variable that is not there: shown where it is written as such names are, for otherwise it may be the
/// secret itself that somebody put in the name's place.
struct Variable<'a>(&'a str);

impl fmt::Display for Variable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.contains(|one: char| one.is_ascii_lowercase()) { "of that name" } else { self.0 })
    }
}

impl Deref for SecretSources {
    type Target = [SecretSource];

    fn deref(&self) -> &[SecretSource] {
        &self.0
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
