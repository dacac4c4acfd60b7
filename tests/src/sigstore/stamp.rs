//! An authority that says the time (RFC 3161).

use anyhow::Result;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use rcgen::{KeyPair, SigningKey as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use x509_cert::der::{Decode as _, Encode as _};

use super::{
    certificate::Authority,
    der::{integer, object, sequence, value},
};

/// 1.2.840.113549.1.7.2, `signedData`.
const SIGNED_DATA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// 1.2.840.113549.1.9.16.1.4, `TSTInfo`.
const TIME_STAMP: [u8; 11] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
/// 1.2.840.113549.1.9.3, `contentType`.
const CONTENT_TYPE: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
/// 1.2.840.113549.1.9.4, `messageDigest`.
const MESSAGE_DIGEST: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
/// 2.16.840.1.101.3.4.2.1, sha256.
const SHA256: [u8; 9] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// 1.2.840.10045.4.3.2, ecdsa-with-SHA256.
const ECDSA_WITH_SHA256: [u8; 8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
/// 1.3.6.1.4.1.57264.2, a policy.
const POLICY: [u8; 9] = [0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x02];

const SET: u8 = 0x31;
const OCTET_STRING: u8 = 0x04;
const GENERALIZED_TIME: u8 = 0x18;
const FIRST: u8 = 0xa0;

/// Who says the time.
#[derive(Debug)]
pub(super) struct Clock {
    authority: Authority,
    certificate: Vec<u8>,
    key: KeyPair,
}

impl Clock {
    pub(super) fn new(organization: &str, since: DateTime<Utc>) -> Result<Self> {
        let authority = Authority::new(organization, since)?;
        let key = KeyPair::generate()?;
        Ok(Self { certificate: authority.certify_clock(&key, since)?, authority, key })
    }

    /// What a trust root says of it.
    pub(super) fn known_as(&self, valid: &Value) -> Value {
        let chain = [&self.certificate[..], self.authority.der()];
        json!({
            "subject": { "organization": self.authority.organization(), "commonName": "clock" },
            "uri": "https://timestamp.example",
            "certChain": { "certificates": chain.map(|der| json!({ "rawBytes": STANDARD.encode(der) })) },
            "validFor": valid,
        })
    }

    /// The answer to a request to stamp these bytes.
    pub(super) fn stamp(&self, bytes: &[u8], at: DateTime<Utc>) -> Result<Vec<u8>> {
        let hash = sequence(&[&object(&SHA256)]);
        let info = sequence(&[
            &integer(1),
            &object(&POLICY),
            &sequence(&[&hash, &value(OCTET_STRING, &[&Sha256::digest(bytes)])]),
            &integer(7),
            &value(GENERALIZED_TIME, &[at.format("%Y%m%d%H%M%SZ").to_string().as_bytes()]),
        ]);
        let kind = sequence(&[&object(&CONTENT_TYPE), &value(SET, &[&object(&TIME_STAMP)])]);
        let digest = value(OCTET_STRING, &[&Sha256::digest(&info)]);
        let digest = sequence(&[&object(&MESSAGE_DIGEST), &value(SET, &[&digest])]);
        let attributes = [&kind[..], &digest];
        let signature = self.key.sign(&value(SET, &attributes))?;
        let signer = sequence(&[
            &integer(1),
            &self.name()?,
            &hash,
            &value(FIRST, &attributes),
            &sequence(&[&object(&ECDSA_WITH_SHA256)]),
            &value(OCTET_STRING, &[&signature]),
        ]);
        let content = value(FIRST, &[&value(OCTET_STRING, &[&info])]);
        let signed = sequence(&[
            &integer(3),
            &value(SET, &[&hash]),
            &sequence(&[&object(&TIME_STAMP), &content]),
            &value(SET, &[&signer]),
        ]);
        let token = sequence(&[&object(&SIGNED_DATA), &value(FIRST, &[&signed])]);
        Ok(sequence(&[&sequence(&[&integer(0)]), &token]))
    }

    /// The issuer and the number of the certificate, by which a signer is named.
    fn name(&self) -> Result<Vec<u8>> {
        let certificate = x509_cert::Certificate::from_der(&self.certificate)?;
        let said = certificate.tbs_certificate();
        Ok(sequence(&[&said.issuer().to_der()?, &said.serial_number().to_der()?]))
    }
}
