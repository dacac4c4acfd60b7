//! Whose attestations are believed, and what those that were found come to.

use std::{collections::BTreeMap, path::PathBuf};

use attestation::{Claims, Key, LogProof, Roots, Signer, Trust};
use domain::{
    application::Name,
    evidence::{Attestations, Attested, AttestedBy, Examined},
    fault::Chain,
    image::Digest,
};
use tracing::{debug, error};

use crate::Error;

/// Whose attestations are believed.
#[derive(Debug)]
pub struct Attesters {
    /// Who issues the identity tokens of workflows, as a certificate names it.
    pub issuer: String,
    /// The trust roots, as `gh attestation trusted-root` writes them; they are read anew for each question, so that they
    /// can be replaced at any time. Those that come with the program where there is no file.
    pub trusted_root: Option<PathBuf>,
    /// When a proof of a transparency log is demanded.
    pub log: LogProof,
    /// For which applications keys sign, in place of workflows.
    pub keys: BTreeMap<Name, Vec<Key>>,
}

impl Attesters {
    /// Makes sure that the trust roots can be used.
    ///
    /// # Errors
    ///
    /// They can not be read, or are something else.
    pub fn check(&self) -> Result<(), Error> {
        self.roots().map(drop)
    }

    /// What the bundles that were found of a digest come to, for an application.
    ///
    /// # Errors
    ///
    /// The trust roots can not be read.
    pub(crate) fn examine(&self, application: &Name, digest: &Digest, found: Found) -> Result<Attestations, Error> {
        if found.bundles.is_empty() {
            return Ok(Attestations { examined: Vec::new(), left_out: found.left_out });
        }
        let roots = self.roots()?;
        let trust = match self.keys.get(application) {
            Some(keys) => Trust::Keys { keys: keys.clone(), logs: roots },
            None => Trust::Roots(roots),
        };
        let examined = found.bundles.iter().map(|bundle| self.judge(bundle, digest, &trust)).collect();
        Ok(Attestations { examined, left_out: found.left_out })
    }

    /// The trust roots as they are now.
    fn roots(&self) -> Result<Roots, Error> {
        let Some(path) = &self.trusted_root else { return Ok(Roots::embedded()?) };
        let text =
            std::fs::read(path).map_err(|source| Error::TrustedRoot { path: path.clone(), source: source.into() })?;
        Roots::parse(&text).map_err(|source| Error::TrustedRoot { path: path.clone(), source: source.into() })
    }

    fn judge(&self, bundle: &[u8], digest: &Digest, trust: &Trust) -> Examined {
        match attestation::verify(bundle, digest, trust, self.log) {
            Ok(claims) => Examined::Proven(attested(claims)),
            Err(why) if why.may_pass() => {
                error!(
                    image.digest = %digest, error = %Chain(&why),
                    "the trust root is too old for an attestation: replace attestations.trusted_root"
                );
                Examined::Unproven { why: why.to_string(), root_too_old: true }
            }
            Err(why) => {
                debug!(image.digest = %digest, error = %Chain(&why), "an attestation proves nothing");
                Examined::Unproven { why: why.to_string(), root_too_old: false }
            }
        }
    }
}

/// The bundles that were found of a digest.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) bundles: Vec<Vec<u8>>,
    /// Of those that can not be had, why not.
    pub(crate) left_out: Vec<String>,
}

/// What is compared of what was proven.
fn attested(claims: Claims) -> Attested {
    let signer = match claims.signer {
        Signer::Certificate { issuer, workflow, run_url, .. } => {
            AttestedBy::Workflow { issuer, address: workflow, run_url }
        }
        Signer::Key { .. } => AttestedBy::Key,
    };
    Attested {
        signer,
        predicate_type: claims.predicate_type,
        repository: claims.source.repository,
        repository_id: claims.source.repository_id,
        commit: claims.source.commit,
        reference: claims.source.reference,
    }
}
