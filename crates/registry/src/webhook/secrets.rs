//! The secrets by which a sender is known.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use subtle::{Choice, ConstantTimeEq as _};

/// The secrets of one sender, any of which is good: more than one while they are being rotated.
///
/// There is at least one, and none is empty: the empty secret would let everybody in.
#[derive(Clone)]
pub struct Secrets(Vec<SecretString>);

/// The secrets do not protect anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecrets {
    /// There is none.
    #[error("a sender needs at least one secret")]
    None,
    /// One of them has no characters.
    #[error("a secret is empty")]
    Empty,
}

/// The sender is not who it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unauthenticated {
    /// There is no credential.
    #[error("the request has no credential")]
    Missing,
    /// There is more than one, and a proxy may have checked another than we would.
    #[error("the request has more than one credential")]
    Several,
    /// It is not one of the secrets.
    #[error("the request's credential is wrong")]
    Wrong,
}

impl Secrets {
    /// Takes the secrets as they were read.
    ///
    /// # Errors
    ///
    /// There is none, or one of them is empty.
    pub fn new(secrets: Vec<SecretString>) -> Result<Self, InvalidSecrets> {
        if secrets.is_empty() {
            return Err(InvalidSecrets::None);
        }
        if secrets.iter().any(|one| one.expose_secret().is_empty()) {
            return Err(InvalidSecrets::Empty);
        }
        Ok(Self(secrets))
    }

    /// Tells whether the bytes are one of the secrets, all of it; how long that takes says nothing about which, or how
    /// much of it was right.
    pub(super) fn contain(&self, claimed: &[u8]) -> bool {
        self.0
            .iter()
            .fold(Choice::from(0), |found, secret| found | secret.expose_secret().as_bytes().ct_eq(claimed))
            .into()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} redacted)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(texts: &[&str]) -> Result<Secrets, InvalidSecrets> {
        Secrets::new(texts.iter().map(|text| (*text).into()).collect())
    }

    #[test]
    fn secrets_that_protect_nothing_are_refused() {
        assert_eq!(secrets(&[]).unwrap_err(), InvalidSecrets::None);
        assert_eq!(secrets(&["a", ""]).unwrap_err(), InvalidSecrets::Empty);
    }

    #[test]
    fn each_of_the_secrets_is_good_and_only_as_a_whole() {
        let both = secrets(&["Bearer old", "Bearer new"]).unwrap();
        assert!(both.contain(b"Bearer old") && both.contain(b"Bearer new"));
        for wrong in ["", "Bearer", "Bearer ol", "Bearer old ", "bearer old"] {
            assert!(!both.contain(wrong.as_bytes()), "{wrong} was taken");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let text = format!("{:?}", secrets(&["hush"]).unwrap());
        assert_eq!(text, "Secrets(1 redacted)");
    }
}
