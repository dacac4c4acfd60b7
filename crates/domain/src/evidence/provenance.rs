//! Whether a signed attestation of the digest names the repository and the commit.

use std::collections::BTreeMap;

use super::{Evidence, Kind, Wait, grouped, join, revision::named};
use crate::{
    application::{Application, Demand},
    commit::Commit,
    image::Digest,
    release::{Build, newest},
};

/// What the types of provenance begin with (<https://slsa.dev/spec/v1.0/provenance>).
const PREDICATE: &str = "https://slsa.dev/provenance/";

/// Whose attestations count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Who issues the identity tokens of workflows, as a certificate names it:
    /// `https://token.actions.githubusercontent.com`.
    pub issuer: String,
    /// Where the forge's repositories are: `https://github.com`.
    pub address: String,
}

/// What was attested of a digest, by whoever.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attestations {
    /// What each attestation came to.
    pub examined: Vec<Examined>,
    /// Of those that can not be had, why not: one sentence each.
    pub left_out: Vec<String>,
}

/// What an attestation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Examined {
    /// Its signature is proven, and that it is about the digest.
    Proven(Attested),
    /// It proves nothing.
    Unproven {
        /// Why not, in a sentence.
        why: String,
        /// Whether a newer trust root may mend that.
        root_too_old: bool,
    },
}

/// What a proven attestation says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attested {
    /// Who signed.
    pub signer: AttestedBy,
    /// The kind of what it says, as `https://slsa.dev/provenance/v1`.
    pub predicate_type: String,
    /// The address of the repository that the image was built from.
    pub repository: Option<String>,
    /// The number of that repository at the forge.
    pub repository_id: Option<String>,
    /// The commit that it was built from.
    pub commit: Option<Commit>,
    /// What was checked out: `refs/heads/main`.
    pub reference: Option<String>,
}

/// Who signed an attestation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttestedBy {
    /// A workflow, as the certificate of its run says, which no step of it can choose.
    Workflow {
        /// Who issued its identity token.
        issuer: Option<String>,
        /// The workflow, with its reference, as an address.
        address: Option<String>,
        /// Where people read the run.
        run_url: Option<String>,
    },
    /// Whoever has a configured key; what is said of the source is then their word.
    Key,
}

impl Default for AttestedBy {
    fn default() -> Self {
        Self::Workflow { issuer: None, address: None, run_url: None }
    }
}

/// Passed where each target's digest has one attestation that says all that is asked for, among others.
///
/// While there is none it is waited for, since it is made after the image is pushed, and since whoever can push may
/// attach any number of others.
#[must_use]
pub fn provenance(
    application: &Application,
    commit: Commit,
    builds: &[Build],
    (attestations, origin): (&BTreeMap<Digest, Attestations>, &Origin),
    wait: Wait,
) -> Evidence {
    if application.verify.provenance.demand == Demand::Off {
        let seen = "attestations were not looked at: verify.provenance is off";
        return Evidence::skipped(Kind::Provenance, seen.to_owned());
    }
    let asked = Asked { application, commit, origin };
    let (mut good, mut missing) = (Vec::new(), Vec::new());
    for build in application.targets().iter().filter_map(|target| newest(builds, &target.name)) {
        match attestations.get(&build.digest).map_or_else(|| Err("no attestation".to_owned()), |all| asked.best(all)) {
            Ok(attested) => good.push(attested),
            Err(why) => missing.push((format!("{}: {why}", build.digest.short()), &build.target)),
        }
    }
    if !missing.is_empty() {
        let groups = grouped(&missing);
        let missing =
            groups.iter().map(|(what, targets)| format!("no provenance for {}: {what}", join(targets.iter())));
        return wait.pending(Kind::Provenance, &join(missing));
    }
    let mut signers: Vec<String> = good.iter().map(|one| one.signer.to_string()).collect();
    signers.dedup();
    let run = good.iter().find_map(|one| match &one.signer {
        AttestedBy::Workflow { run_url, .. } => run_url.as_ref(),
        AttestedBy::Key => None,
    });
    let seen = format!("the image was built from {}, as {} has signed", commit.short(), join(signers.iter()));
    Evidence::passed(Kind::Provenance, seen).at(run)
}

/// What an attestation is compared with.
struct Asked<'a> {
    application: &'a Application,
    commit: Commit,
    origin: &'a Origin,
}

impl Asked<'_> {
    /// An attestation that says all that is asked for; else why the one is not good that comes closest to it.
    fn best<'a>(&self, all: &'a Attestations) -> Result<&'a Attested, String> {
        let mut closest = (0, "no attestation".to_owned());
        let mut consider = |near: usize, why: String| {
            if near > closest.0 {
                closest = (near, why);
            }
        };
        if let Some(why) = all.left_out.first() {
            consider(1, why.clone());
        }
        for one in &all.examined {
            match one {
                Examined::Proven(attested) => match self.judge(attested) {
                    Ok(()) => return Ok(attested),
                    Err((near, why)) => consider(near, why),
                },
                // Whoever makes one up can have that said, but only a person with a newer root can tell.
                Examined::Unproven { why, root_too_old: true } => {
                    consider(100, format!("{why} (attestations.trusted_root)"));
                }
                Examined::Unproven { why, root_too_old: false } => consider(2, why.clone()),
            }
        }
        Err(closest.1)
    }

    /// The first that is not as asked for, with how far it came.
    fn judge(&self, said: &Attested) -> Result<(), (usize, String)> {
        let source = &self.application.source;
        if !said.predicate_type.starts_with(PREDICATE) {
            return Err((3, format!("the attestation is {}, not provenance", said.predicate_type)));
        }
        if let AttestedBy::Workflow { issuer, .. } = &said.signer
            && issuer.as_deref() != Some(self.origin.issuer.as_str())
        {
            let issuer = issuer.as_deref().unwrap_or("nobody");
            return Err((4, format!("the signer's identity is from {issuer}, not {}", self.origin.issuer)));
        }
        let repository = said.repository.as_deref();
        if !repository.is_some_and(|address| self.is_source(address)) {
            let other = repository.unwrap_or("no repository");
            return Err((5, format!("the attestation names {other}, not {}", source.repository)));
        }
        if let (Some(id), other) = (source.id, said.repository_id.as_deref())
            && other != Some(id.to_string().as_str())
        {
            let other = other.unwrap_or("none");
            return Err((
                6,
                format!("the attestation names a repository with the number {other}, not {id} (source.id)"),
            ));
        }
        if said.commit != Some(self.commit) {
            let other = said.commit.map_or_else(|| "no commit".to_owned(), |other| other.short());
            return Err((7, format!("the attestation names {other}, not {}", self.commit.short())));
        }
        self.judge_workflow(said)
    }

    fn judge_workflow(&self, said: &Attested) -> Result<(), (usize, String)> {
        let AttestedBy::Workflow { address, .. } = &said.signer else { return Ok(()) };
        if !said.reference.as_deref().is_some_and(|reference| self.allows(reference)) {
            let other = said.reference.as_deref().unwrap_or("something unsaid");
            let setting = "source.branches, verify.provenance.refs";
            return Err((8, format!("it was built on {other}, which is not allowed ({setting})")));
        }
        let allowed = &self.application.verify.provenance.workflows;
        let address = address.as_deref().unwrap_or_default();
        let path = address.strip_prefix(self.origin.address.as_str()).unwrap_or(address).trim_start_matches('/');
        let file = path.split_once('@').map_or(path, |(file, _)| file);
        if !allowed.is_empty() && !allowed.iter().any(|glob| glob.matches(path) || glob.matches(file)) {
            return Err((9, format!("the workflow {path} may not sign (verify.provenance.workflows)")));
        }
        Ok(())
    }

    /// Whether that may have been checked out.
    fn allows(&self, reference: &str) -> bool {
        let references = &self.application.verify.provenance.references;
        if !references.is_empty() {
            return references.iter().any(|glob| glob.matches(reference));
        }
        let branch = reference.strip_prefix("refs/heads/");
        branch.is_some_and(|branch| self.application.source.branches.iter().any(|glob| glob.matches(branch)))
    }

    /// Whether an address is that of the source repository at its forge.
    fn is_source(&self, address: &str) -> bool {
        let host = |address: &str| {
            address.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or_default().to_ascii_lowercase())
        };
        host(address) == host(&self.origin.address)
            && named(address).is_some_and(|named| named == self.application.source.repository)
    }
}

impl std::fmt::Display for AttestedBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Workflow { address, .. } => f.write_str(address.as_deref().unwrap_or("a workflow")),
            Self::Key => f.write_str("a configured key"),
        }
    }
}
