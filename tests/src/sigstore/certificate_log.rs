//! A log of certificates (RFC 6962), and its promise that a certificate is in it.

use anyhow::{Context as _, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use rcgen::{CustomExtension, KeyPair, PublicKeyData as _, SigningKey as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use x509_cert::der::{Decode as _, Encode as _};

use super::der;

/// Where a certificate has the promises (RFC 6962 section 3.3).
const PROMISES: [u64; 10] = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];

/// The algorithm `ecdsa_secp256r1_sha256` (RFC 8446 section 4.2.3).
const ECDSA_WITH_SHA256: [u8; 2] = [4, 3];

const OCTET_STRING: u8 = 0x04;

/// The key of a log of certificates.
#[derive(Debug)]
pub(super) struct CertificateLog(KeyPair);

impl CertificateLog {
    pub(super) fn new() -> Result<Self> {
        Ok(Self(KeyPair::generate()?))
    }

    /// What a trust root says of it.
    pub(super) fn known_as(&self, valid: &Value) -> Value {
        let key = self.0.subject_public_key_info();
        json!({
            "baseUrl": "https://certificates.example",
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": STANDARD.encode(&key),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": valid,
            },
            "logId": { "keyId": STANDARD.encode(Sha256::digest(&key)) },
        })
    }

    /// The promise (section 3.2) that the certificate will be in the log, which is put into it then.
    pub(super) fn promise(&self, certificate: &[u8], issuer: &KeyPair, at: DateTime<Utc>) -> Result<CustomExtension> {
        let certified = x509_cert::Certificate::from_der(certificate)?.tbs_certificate().to_der()?;
        let timestamp = u64::try_from(at.timestamp_millis()).context("a time after 1970")?.to_be_bytes();
        let [_, length @ ..] = u32::try_from(certified.len())?.to_be_bytes();
        let issuer = Sha256::digest(issuer.subject_public_key_info());
        // Version 1, a time stamp of a certificate, its entry with its issuer, and no extensions.
        let signed = [&[0, 0], &timestamp[..], &[0, 1], &issuer, &length, &certified, &[0, 0]].concat();
        let log = Sha256::digest(self.0.subject_public_key_info());
        let signature = with_length(&self.0.sign(&signed)?)?;
        let promise = [&[0], &log[..], &timestamp, &[0, 0], &ECDSA_WITH_SHA256, &signature].concat();
        let list = with_length(&with_length(&promise)?)?;
        Ok(CustomExtension::from_oid_content(&PROMISES, der::value(OCTET_STRING, &[&list])))
    }
}

fn with_length(bytes: &[u8]) -> Result<Vec<u8>> {
    Ok([&u16::try_from(bytes.len())?.to_be_bytes()[..], bytes].concat())
}
