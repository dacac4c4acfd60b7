//! The attestations that are attached to an image in its registry.
//!
//! Whatever refers to an image is listed by the registry, or by an index at a tag that is named after the image's
//! digest where the registry does not know
//! (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers>). An attestation is a
//! manifest of the type of a Sigstore bundle, whose layers are bundles; `cosign` and `actions/attest` push such.
//! A bundle proves nothing here: it is fetched and handed on.

use domain::image::{Digest, Reference};
use oci_client::errors::OciDistributionError;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Error, Registries,
    error::{Refusal, refusal},
    question::{Question, Useless},
    resolve::absent_or,
};

/// The type of a Sigstore bundle, as an artifact and as a layer
/// (<https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md>).
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// What a registry is told that we read.
const MANIFESTS: [&str; 2] = ["application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json"];

/// Where a referring manifest says which kind of statement its bundle has.
const PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";

/// What the kinds of provenance begin with.
const PROVENANCE: &str = "https://slsa.dev/provenance/";

/// How many attestations are read: more than a few are rare, and somebody's doing.
const MOST: usize = 30;

/// The largest manifest of an attestation that is read, in bytes; one has some hundred.
const LARGEST_MANIFEST: u64 = 64 * 1024;

/// The largest bundle that is taken, in bytes. Those of provenance have about twelve thousand.
pub const LARGEST_BUNDLE: u64 = 4 * 1024 * 1024;

/// The attestations of a digest that a registry has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attestations {
    /// Their bundles, as JSON, to be verified; those that are said to be provenance first.
    pub bundles: Vec<Vec<u8>>,
    /// Of those that could not be had, and will not be by asking again, why not: one sentence each. Where no bundle is
    /// good, a person may want to know.
    pub left_out: Vec<String>,
}

/// An index of what refers to an image.
#[derive(Deserialize)]
struct Index {
    /// Whoever may push a tag writes them, so that each is read by itself.
    #[serde(default)]
    manifests: Vec<Value>,
}

/// What refers to an image, as an index describes it.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Referrer {
    digest: String,
    #[serde(default)]
    size: u64,
    artifact_type: Option<String>,
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
}

/// A manifest of a bundle.
#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    media_type: String,
    digest: String,
    #[serde(default)]
    size: u64,
}

/// A question about what refers to an image.
struct Search<'a> {
    question: Question<'a>,
    digest: &'a Digest,
}

impl Registries {
    /// The attestations that are attached to the image of a digest in the repository of the reference, whoever signed
    /// them; none is not an error.
    ///
    /// One or two requests, and two for each attestation, of which at most thirty are read. Each answer may take as
    /// long as any.
    ///
    /// # Errors
    ///
    /// [`Error::Referrers`]: the registry did not say; [`Error::fault`] tells what that means.
    pub async fn referrers(&self, reference: &Reference, digest: &Digest) -> Result<Attestations, Error> {
        let wrap = |source| Error::Referrers { digest: digest.clone(), source: Box::new(source) };
        self.in_turn(reference, Box::pin(self.search(reference, digest))).await.map_err(wrap)
    }

    async fn search(&self, reference: &Reference, digest: &Digest) -> Result<Attestations, Error> {
        let mut search = Search { question: Question::new(self, reference).await?, digest };
        loop {
            match search.ask().await {
                Err(failure) if search.question.renew(&failure).await? => {}
                answer => return answer,
            }
        }
    }
}

impl Search<'_> {
    async fn ask(&self) -> Result<Attestations, Error> {
        let mut listed = self.listed().await?;
        if listed.is_empty() {
            // A registry that does not know answers as if there were nothing, and so does one that came to know after
            // somebody had attached something.
            listed = self.tagged().await?;
        }
        listed.retain(|one| one.artifact_type.as_deref() == Some(BUNDLE));
        listed.sort_by_key(|one| !one.is_provenance());
        let mut found = Attestations::default();
        if listed.len() > MOST {
            found.left_out.push(format!("there are more than {MOST} attestations"));
        }
        for one in listed.iter().take(MOST) {
            match self.layers(one).await? {
                Ok(layers) => self.take(&mut found, &layers).await?,
                Err(why) => found.left_out.push(why),
            }
        }
        Ok(found)
    }

    /// What the registry lists; nothing where it does not know that question.
    async fn listed(&self) -> Result<Vec<Referrer>, Error> {
        let Question { held, subject, .. } = &self.question;
        let theirs = self.question.by_digest(self.digest.as_str());
        let asking = Box::pin(held.client.pull_referrers(&theirs, Some(BUNDLE)));
        let answer = self.question.answer(&theirs, asking).await?;
        match answer {
            Ok(index) => Ok(index.manifests.into_iter().map(Referrer::from).collect()),
            Err(error) if is_unknown_question(&error) => Ok(Vec::new()),
            Err(error) => Ok(absent_or(subject, error)?.unwrap_or_default()),
        }
    }

    /// What is listed by the index at the tag that is named after the digest.
    async fn tagged(&self) -> Result<Vec<Referrer>, Error> {
        let theirs = self.question.by_tag(self.digest.as_str().replace(':', "-"));
        let Some(bytes) = self.question.manifest(&theirs, &MANIFESTS).await? else { return Ok(Vec::new()) };
        let index: Result<Index, _> = serde_json::from_slice(&bytes);
        let unreadable =
            |why: serde_json::Error| Error::Unreadable { subject: self.question.subject.clone(), why: why.to_string() };
        let manifests = index.map_err(unreadable)?.manifests;
        Ok(manifests.iter().filter_map(|one| Referrer::deserialize(one).ok()).collect())
    }

    /// The bundles in a manifest, or why it is left out.
    async fn layers(&self, referrer: &Referrer) -> Result<Result<Vec<Layer>, String>, Error> {
        if referrer.size > LARGEST_MANIFEST {
            return Ok(Err(format!("the manifest of an attestation has more than {LARGEST_MANIFEST} bytes")));
        }
        if referrer.digest.parse::<Digest>().is_err() {
            return Ok(Err("an attestation is listed without a digest".to_owned()));
        }
        let Some(bytes) = self.question.manifest(&self.question.by_digest(&referrer.digest), &MANIFESTS).await? else {
            return Ok(Err("an attestation is listed and not there".to_owned()));
        };
        let Ok(manifest) = serde_json::from_slice::<Manifest>(&bytes) else {
            return Ok(Err("the manifest of an attestation can not be read".to_owned()));
        };
        Ok(Ok(manifest.layers.into_iter().filter(|layer| layer.media_type == BUNDLE).collect()))
    }

    /// Takes the bundles. Where a layer says that it is elsewhere it is not looked for there.
    async fn take(&self, found: &mut Attestations, layers: &[Layer]) -> Result<(), Error> {
        if layers.is_empty() {
            found.left_out.push("an attestation has no bundle".to_owned());
        }
        for layer in layers.iter().take(MOST) {
            let bundle = if layer.size > LARGEST_BUNDLE {
                Err(Useless::TooLarge(LARGEST_BUNDLE))
            } else {
                self.question.blob(&layer.digest, LARGEST_BUNDLE).await?
            };
            match bundle {
                Ok(bundle) => found.bundles.push(bundle),
                Err(useless) => found.left_out.push(format!("a bundle {useless}")),
            }
        }
        Ok(())
    }
}

impl Referrer {
    fn is_provenance(&self) -> bool {
        self.annotations.get(PREDICATE_TYPE).is_some_and(|kind| kind.starts_with(PROVENANCE))
    }
}

impl From<oci_client::manifest::ImageIndexEntry> for Referrer {
    fn from(entry: oci_client::manifest::ImageIndexEntry) -> Self {
        Self {
            digest: entry.digest,
            size: entry.size.try_into().unwrap_or_default(),
            artifact_type: entry.artifact_type,
            annotations: entry.annotations.unwrap_or_default(),
        }
    }
}

/// Whether a registry does not know what refers to what; some say so otherwise than by 404. The tag is asked then.
fn is_unknown_question(error: &OciDistributionError) -> bool {
    if let OciDistributionError::ServerError { code, .. } = error {
        return matches!(code, 400 | 404 | 405 | 406 | 501);
    }
    let is_answer = matches!(
        error,
        OciDistributionError::RegistryError { .. }
            | OciDistributionError::SpecViolationError(_)
            | OciDistributionError::ManifestParsingError(_)
    );
    is_answer && matches!(refusal(error), Refusal::Absent | Refusal::Other)
}
