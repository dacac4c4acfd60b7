//! Attestations that a repository keeps of what was built from it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    refusal::Refusal,
    world::{World, repository::Key},
};

/// How a list shows a bundle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As it is.
    #[default]
    Inline,
    /// By the address of the compressed bundle.
    Url,
}

/// A bundle with what its statement says.
#[derive(Debug)]
pub(crate) struct Attestation {
    pub(crate) id: u64,
    /// What it is about, as `sha256:…`.
    pub(crate) digests: Vec<String>,
    pub(crate) predicate_type: String,
    pub(crate) bundle: Value,
    pub(crate) form: Form,
}

/// The parts of an in-toto statement that it is found by.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement {
    subject: Vec<Subject>,
    predicate_type: String,
}

#[derive(Deserialize)]
struct Subject {
    digest: std::collections::BTreeMap<String, String>,
}

impl World {
    /// Keeps an attestation; whether anybody signed it is not looked at, as on GitHub.
    pub(crate) fn attest(&mut self, key: &Key, bundle: Value, form: Form) -> Result<(), Refusal> {
        let statement = statement(&bundle).ok_or_else(|| Refusal::invalid_field("Attestation", "bundle"))?;
        let digests = statement.subject.into_iter().flat_map(|subject| subject.digest);
        let digests = digests.map(|(algorithm, digits)| format!("{algorithm}:{digits}")).collect();
        let id = self.fresh_id();
        let predicate_type = statement.predicate_type;
        let attestation = Attestation { id, digests, predicate_type, bundle, form };
        self.repository_mut(key)?.attestations.push(attestation);
        Ok(())
    }
}

impl Attestation {
    /// Whether it is of the kind that somebody asks for: a word of GitHub's, or the type itself.
    pub(crate) fn is(&self, kind: &str) -> bool {
        match kind {
            "provenance" => self.predicate_type.starts_with("https://slsa.dev/provenance/"),
            "release" => self.predicate_type.starts_with("https://in-toto.io/attestation/release/"),
            "sbom" => {
                ["https://spdx.dev/", "https://cyclonedx.org/"].iter().any(|it| self.predicate_type.starts_with(it))
            }
            other => self.predicate_type == other,
        }
    }
}

fn statement(bundle: &Value) -> Option<Statement> {
    let payload = bundle.pointer("/dsseEnvelope/payload")?.as_str()?;
    serde_json::from_slice(&STANDARD.decode(payload).ok()?).ok()
}
