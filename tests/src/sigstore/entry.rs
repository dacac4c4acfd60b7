//! A transparency log in the form of Rekor v1, and what it says of an entry.

use anyhow::Result;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// What the log calls itself.
const ORIGIN: &str = "log.example - 1";

/// The key of a log. Each entry is the second of two.
#[derive(Debug)]
pub(super) struct Log(KeyPair);

impl Log {
    pub(super) fn new() -> Result<Self> {
        Ok(Self(KeyPair::generate()?))
    }

    /// What a trust root says of it.
    pub(super) fn known_as(&self, valid: &Value) -> Value {
        json!({
            "baseUrl": "https://log.example",
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": STANDARD.encode(self.0.subject_public_key_info()),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": valid,
            },
            "logId": { "keyId": STANDARD.encode(self.id()) },
        })
    }

    /// The entry of a signature over the payload, made at that time, with what proves that it is in the log.
    pub(super) fn enter(
        &self,
        verifier: &str,
        signature: &[u8],
        (payload, at): (&[u8], DateTime<Utc>),
    ) -> Result<Value> {
        let hash = |bytes: &[u8]| json!({ "algorithm": "sha256", "value": hex::encode(Sha256::digest(bytes)) });
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": hash(b"nobody can make the same bytes again"),
                "payloadHash": hash(payload),
                "signatures": [{ "signature": STANDARD.encode(signature), "verifier": STANDARD.encode(verifier) }],
            },
        })
        .to_string();
        let before = leaf(b"the entry before");
        let root = node(&before, &leaf(body.as_bytes()));
        let promise = format!(
            r#"{{"body":"{}","integratedTime":{},"logID":"{}","logIndex":1}}"#,
            STANDARD.encode(&body),
            at.timestamp(),
            hex::encode(self.id())
        );
        Ok(json!({
            "logIndex": "1",
            "logId": { "keyId": STANDARD.encode(self.id()) },
            "kindVersion": { "kind": "dsse", "version": "0.0.1" },
            "integratedTime": at.timestamp().to_string(),
            "inclusionPromise": { "signedEntryTimestamp": STANDARD.encode(self.0.sign(promise.as_bytes())?) },
            "inclusionProof": {
                "logIndex": "1",
                "rootHash": STANDARD.encode(root),
                "treeSize": "2",
                "hashes": [STANDARD.encode(before)],
                "checkpoint": { "envelope": self.checkpoint(&root)? },
            },
            "canonicalizedBody": STANDARD.encode(&body),
        }))
    }

    /// The log's word that this is its root (<https://github.com/C2SP/C2SP/blob/main/tlog-checkpoint.md>).
    fn checkpoint(&self, root: &[u8]) -> Result<String> {
        let text = format!("{ORIGIN}\n2\n{}\n", STANDARD.encode(root));
        let [one, two, three, four, ..] = self.id();
        let signed = [&[one, two, three, four][..], &self.0.sign(text.as_bytes())?].concat();
        Ok(format!("{text}\n\u{2014} log.example {}\n", STANDARD.encode(signed)))
    }

    fn id(&self) -> [u8; 32] {
        Sha256::digest(self.0.subject_public_key_info()).into()
    }
}

/// The hash of a leaf (RFC 6962 section 2.1).
fn leaf(entry: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

/// The hash of two nodes (RFC 6962 section 2.1).
fn node(left: &[u8], right: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}
