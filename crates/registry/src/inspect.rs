//! What an image says of itself: its platforms, and which commit of which repository it was built from.
//!
//! A digest is that of an image or of an index of images, one for each platform
//! (<https://github.com/opencontainers/image-spec/blob/main/image-index.md>); Docker's formats say the same with other
//! types. What is said of the source may stand on the index, on its entry, on the manifest and in the configuration.

mod wire;

use std::collections::BTreeSet;

use domain::image::{Contents, Digest, Reference, Said};
use tracing::debug;

use crate::{Error, Registries, question::Question};
use wire::{Annotations, Config, Document, Entry, Image, Index};

/// The types that are asked for.
const TYPES: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// How many images of an index are looked at; those with the most have about twenty.
const MOST_IMAGES: usize = 32;

/// The largest manifest that is read, in bytes: what registries have to take
/// (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests>).
const LARGEST_MANIFEST: usize = 4 * 1024 * 1024;

/// The largest configuration of an image that is read, in bytes; one has some thousand.
const LARGEST_CONFIG: u64 = 4 * 1024 * 1024;

impl Registries {
    /// What is behind a digest in the repository of the reference; `None` when the registry does not have it.
    ///
    /// Two requests for each image and one for an index, of which at most 32 images are looked at. Attestations beside
    /// the images, and whatever else is no image, are passed over.
    ///
    /// # Errors
    ///
    /// [`Error::Inspection`]: the registry did not say, or something else than its digest is; [`Error::fault`] tells
    /// what that means. What it says can not be read for good where it is too large or not in the format.
    pub async fn inspect(&self, reference: &Reference, digest: &Digest) -> Result<Option<Contents>, Error> {
        let wrap = |source| Error::Inspection { digest: digest.clone(), source: Box::new(source) };
        let contents = self.in_turn(reference, Box::pin(self.look_into(reference, digest))).await;
        debug!(image.repository = %reference.repository, image.digest = %digest, "asked a registry what an image says");
        contents.map_err(wrap)
    }

    async fn look_into(&self, reference: &Reference, digest: &Digest) -> Result<Option<Contents>, Error> {
        let mut inspection = Inspection { question: Question::new(self, reference).await? };
        loop {
            match inspection.contents(digest).await {
                Err(failure) if inspection.question.renew(&failure).await? => {}
                answer => return answer,
            }
        }
    }
}

/// What was said of an image before it was looked at itself.
#[derive(Default)]
struct Before<'a> {
    index: Annotations,
    entry: Option<&'a Entry>,
}

struct Inspection<'a> {
    question: Question<'a>,
}

impl Inspection<'_> {
    async fn contents(&self, digest: &Digest) -> Result<Option<Contents>, Error> {
        let Some(document) = self.document(digest.as_str()).await? else { return Ok(None) };
        let images = match document {
            Document::Image(image) => self.image(&image, &Before::default()).await?.into_iter().collect(),
            Document::Index(index) => self.images(&index).await?,
        };
        Ok(Some(Contents { images }))
    }

    async fn images(&self, index: &Index) -> Result<Vec<Said>, Error> {
        let mut images = Vec::new();
        let entries: Vec<&Entry> = index.manifests.iter().filter(|entry| entry.may_be_image()).collect();
        if entries.len() > MOST_IMAGES {
            return Err(self.unreadable(format!("an index has more than {MOST_IMAGES} images")));
        }
        for entry in entries {
            // What an index names is there, or the image can not be run.
            let Some(document) = self.document(&entry.digest).await? else {
                return Err(self.unreadable(format!("{} is in the index and not in the registry", entry.digest)));
            };
            // An index within an index is nothing that a runtime would choose from.
            if let Document::Image(image) = document {
                let before = Before { index: index.annotations.clone(), entry: Some(entry) };
                images.extend(self.image(&image, &before).await?);
            }
        }
        Ok(images)
    }

    /// What an image says; `None` where it is something else, as a chart.
    async fn image(&self, image: &Image, before: &Before<'_>) -> Result<Option<Said>, Error> {
        let Some(digest) = image.config_digest() else { return Ok(None) };
        let config = match self.question.blob(digest, LARGEST_CONFIG).await? {
            Ok(bytes) => Config::read(&bytes).map_err(|why| self.unreadable(why))?,
            Err(useless) => return Err(self.unreadable(format!("the configuration of the image {useless}"))),
        };
        let entry = before.entry.map(|entry| &entry.annotations);
        let said: Vec<&Annotations> =
            [&before.index, &image.annotations, &config.labels].into_iter().chain(entry).collect();
        let all = |pick: fn(&Annotations) -> Option<&String>| -> BTreeSet<String> {
            said.iter().filter_map(|one| pick(one)).filter(|text| !text.trim().is_empty()).cloned().collect()
        };
        Ok(Some(Said {
            platform: before.entry.and_then(Entry::platform).or_else(|| config.platform()),
            revisions: all(|one| one.revision.as_ref()),
            sources: all(|one| one.source.as_ref()),
        }))
    }

    async fn document(&self, digest: &str) -> Result<Option<Document>, Error> {
        if digest.parse::<Digest>().is_err() {
            return Err(self.unreadable("an index names something without a digest".to_owned()));
        }
        let Some(bytes) = self.question.manifest(&self.question.by_digest(digest), &TYPES).await? else {
            return Ok(None);
        };
        if bytes.len() > LARGEST_MANIFEST {
            return Err(self.unreadable(format!("a manifest has more than {LARGEST_MANIFEST} bytes")));
        }
        Document::read(&bytes).map(Some).map_err(|why| self.unreadable(why))
    }

    fn unreadable(&self, why: String) -> Error {
        Error::Unreadable { subject: self.question.subject.clone(), why }
    }
}
