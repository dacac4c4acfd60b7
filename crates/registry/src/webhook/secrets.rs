//! The secrets by which a sender is known.

use std::fmt;

use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha1::Sha1;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

use super::credential::Algorithm;

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

    /// Tells whether one of the secrets made that signature for the body; comparing takes as long whatever is wrong.
    pub(super) fn signed(&self, algorithm: Algorithm, unverified_body: &[u8], claimed: &[u8]) -> bool {
        let is_by = |secret: &SecretString| {
            let key = secret.expose_secret().as_bytes();
            match algorithm {
                Algorithm::Sha1 => Hmac::<Sha1>::new_from_slice(key)
                    .is_ok_and(|mac| mac.chain_update(unverified_body).verify_slice(claimed).is_ok()),
                Algorithm::Sha256 => Hmac::<Sha256>::new_from_slice(key)
                    .is_ok_and(|mac| mac.chain_update(unverified_body).verify_slice(claimed).is_ok()),
            }
        };
        self.0.iter().fold(false, |found, secret| found | is_by(secret))
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
