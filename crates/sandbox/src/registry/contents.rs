//! What the registry holds.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use axum::body::Bytes;
use domain::image::{Digest, Tag};
use sha2::{Digest as _, Sha256, Sha512};

use super::route::Key;

/// All repositories, and the data that they share.
#[derive(Debug, Default)]
pub(super) struct Contents {
    repositories: BTreeMap<String, Repository>,
    data: HashMap<Digest, Bytes>,
    pub(super) uploads: HashMap<String, Upload>,
}

/// An upload that is not finished.
#[derive(Debug)]
pub(super) struct Upload {
    /// Where it is going.
    pub(super) repository: String,
    /// What arrived.
    pub(super) received: Vec<u8>,
}

/// A manifest as it was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) media_type: String,
    pub(super) digest: Digest,
    pub(super) bytes: Bytes,
}

#[derive(Debug, Default)]
struct Repository {
    blobs: BTreeSet<Digest>,
    manifests: BTreeMap<Digest, Manifest>,
    tags: BTreeMap<Tag, Digest>,
}

impl Contents {
    /// Keeps a blob whose digest was checked.
    pub(super) fn put_blob(&mut self, repository: &str, digest: &Digest, bytes: Bytes) {
        self.data.insert(digest.clone(), bytes);
        self.repository(repository).blobs.insert(digest.clone());
    }

    pub(super) fn blob(&self, repository: &str, digest: &Digest) -> Option<Bytes> {
        let known = self.repositories.get(repository)?.blobs.contains(digest);
        known.then(|| self.data.get(digest).cloned()).flatten()
    }

    /// Forgets a blob in one repository; tells whether it was there.
    pub(super) fn delete_blob(&mut self, repository: &str, digest: &Digest) -> bool {
        self.repositories.get_mut(repository).is_some_and(|repository| repository.blobs.remove(digest))
    }

    /// Makes a blob of one repository a blob of another; `None` when there is no such blob.
    pub(super) fn mount_blob(&mut self, digest: &Digest, from: &str, to: &str) -> Option<Bytes> {
        let bytes = self.blob(from, digest)?;
        self.put_blob(to, digest, bytes.clone());
        Some(bytes)
    }

    /// Keeps a manifest, and moves a tag to it.
    pub(super) fn put_manifest(&mut self, repository: &str, tag: Option<&Tag>, manifest: Manifest) {
        let repository = self.repository(repository);
        if let Some(tag) = tag {
            repository.tags.insert(tag.clone(), manifest.digest.clone());
        }
        repository.manifests.insert(manifest.digest.clone(), manifest);
    }

    pub(super) fn manifest(&self, repository: &str, key: &Key) -> Option<&Manifest> {
        let repository = self.repositories.get(repository)?;
        let digest = match key {
            Key::Tag(tag) => repository.tags.get(tag)?,
            Key::Digest(digest) => digest,
        };
        repository.manifests.get(digest)
    }

    /// All manifests of a repository, by digest.
    pub(super) fn manifests(&self, repository: &str) -> impl Iterator<Item = &Manifest> {
        self.repositories.get(repository).into_iter().flat_map(|repository| repository.manifests.values())
    }

    /// Forgets a tag, or a manifest with all its tags; those tags, or `None` when there is nothing to forget.
    pub(super) fn delete_manifest(&mut self, repository: &str, key: &Key) -> Option<Vec<Tag>> {
        let repository = self.repositories.get_mut(repository)?;
        match key {
            Key::Tag(tag) => repository.tags.remove(tag).map(|_digest| vec![tag.clone()]),
            Key::Digest(digest) => {
                repository.manifests.remove(digest)?;
                let (gone, left): (BTreeMap<_, _>, BTreeMap<_, _>) =
                    std::mem::take(&mut repository.tags).into_iter().partition(|(_tag, other)| other == digest);
                repository.tags = left;
                Some(gone.into_keys().collect())
            }
        }
    }

    /// The tags of a repository in order; `None` when there is no such repository.
    pub(super) fn tags(&self, repository: &str) -> Option<impl Iterator<Item = &Tag>> {
        Some(self.repositories.get(repository)?.tags.keys())
    }

    fn repository(&mut self, name: &str) -> &mut Repository {
        self.repositories.entry(name.to_owned()).or_default()
    }
}

/// The content address that registries use by default.
pub(super) fn digest(bytes: &[u8]) -> Digest {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
        .parse()
        .expect("64 lower-case hexadecimal digits are a digest")
}

/// Tells whether bytes have a digest, by its own algorithm.
pub(super) fn is_digest_of(digest: &Digest, bytes: &[u8]) -> bool {
    match digest.as_str().split_once(':') {
        Some(("sha256", digits)) => hex::encode(Sha256::digest(bytes)) == digits,
        Some(("sha512", digits)) => hex::encode(Sha512::digest(bytes)) == digits,
        _ => false,
    }
}
