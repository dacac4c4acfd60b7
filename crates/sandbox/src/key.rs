//! The private key of the GitHub App.

use std::{io, path::Path, sync::OnceLock};

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonwebtoken::DecodingKey;

use crate::error::Error;

/// A key pair: the client signs with the private half, the forge verifies with the public one.
#[derive(Clone)]
pub(crate) struct AppKey {
    pub(crate) private_pem: String,
    pub(crate) public: DecodingKey,
}

/// The name of the key's file in the data directory.
pub(crate) const FILE: &str = "github-app.pem";

impl AppKey {
    /// The key of all sandboxes in this process that do not keep theirs: making one takes a while.
    pub(crate) fn of_process() -> Result<Self, Error> {
        static KEY: OnceLock<AppKey> = OnceLock::new();
        if let Some(key) = KEY.get() {
            return Ok(key.clone());
        }
        let key = Self::generate()?;
        Ok(KEY.get_or_init(|| key).clone())
    }

    /// The key in a file, which is written when it is not there.
    pub(crate) fn read_or_write(file: &Path) -> Result<Self, Error> {
        let failed = |source| Error::File { path: file.to_owned(), source };
        match std::fs::read_to_string(file) {
            Ok(pem) => Self::parse(pem).ok_or_else(|| {
                failed(io::Error::new(io::ErrorKind::InvalidData, "not an RSA private key in PEM form"))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = Self::generate()?;
                write_private(file, &key.private_pem).map_err(failed)?;
                Ok(key)
            }
            Err(error) => Err(failed(error)),
        }
    }

    pub(crate) fn generate() -> Result<Self, Error> {
        let pair = KeyPair::generate(KeySize::Rsa2048).ok().ok_or(Error::Key)?;
        let der: Pkcs8V1Der<'_> = pair.as_der().ok().ok_or(Error::Key)?;
        Ok(Self { private_pem: pem(der.as_ref()), public: public(&pair) })
    }

    fn parse(pem: String) -> Option<Self> {
        let encoded: String = pem.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
        let der = STANDARD.decode(encoded).ok()?;
        let pair = KeyPair::from_pkcs8(&der).or_else(|_| KeyPair::from_der(&der)).ok()?;
        Some(Self { private_pem: pem, public: public(&pair) })
    }
}

fn public(pair: &KeyPair) -> DecodingKey {
    DecodingKey::from_rsa_der(pair.public_key().as_ref())
}

fn pem(der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut text = "-----BEGIN PRIVATE KEY-----\n".to_owned();
    let mut rest = encoded.as_str();
    while let Some((line, more)) = rest.split_at_checked(64) {
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    if !rest.is_empty() {
        text.push_str(rest);
        text.push('\n');
    }
    text.push_str("-----END PRIVATE KEY-----\n");
    text
}

fn write_private(file: &Path, text: &str) -> io::Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(file)?.write_all(text.as_bytes())
}

impl std::fmt::Debug for AppKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AppKey").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_key_is_the_same_at_the_next_start() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(FILE);
        let first = AppKey::read_or_write(&file).unwrap();
        let second = AppKey::read_or_write(&file).unwrap();
        assert_eq!(first.private_pem, second.private_pem);
        jsonwebtoken::EncodingKey::from_rsa_pem(first.private_pem.as_bytes()).unwrap();
    }
}
