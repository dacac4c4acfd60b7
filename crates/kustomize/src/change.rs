//! What is asked for: an image by its name in the overlays, and what its entry shall say.

use domain::application::ImageName;

use crate::value::Value;

/// One change to one entry of `images:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which entry.
    pub image: ImageName,
    /// Where the image comes from.
    pub new_name: NewName,
    /// Which image it is.
    pub version: Version,
    /// What to do when there is no such entry.
    pub missing: Missing,
}

/// What happens to `newName`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewName {
    /// It stays as it is, there or not.
    Keep,
    /// It becomes this image repository.
    Set(Value),
    /// It goes, so that the manifests' own name counts.
    Remove,
}

/// What happens to `newTag` and `digest` together.
///
/// They are one choice since Kustomize writes both when both are there, and a cluster then pulls by the digest
/// alone: a new tag beside an old digest would keep the old image running. No variant can say that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// Both stay as they are.
    Keep,
    /// This tag; a digest that is there is removed.
    Tag(Value),
    /// This tag, pinned to this digest.
    TagAndDigest(Value, Value),
    /// This digest; a tag that is there is removed.
    Digest(Value),
    /// This digest beside whatever tag is there.
    Pin(Value),
    /// No digest; the tag stays as it is.
    Unpin,
    /// No tag; the digest stays as it is.
    RemoveTag,
    /// Neither, so that the manifests' own tag counts.
    Remove,
}

/// What to do when `images:` has no entry with the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Refuse: the overlay is not what was expected.
    Refuse,
    /// Append an entry in the list's own manner, and add `images:` if it is not there.
    Append,
}

/// What shall become of one key of the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted<'c> {
    Kept,
    Text(&'c str),
    Absent,
}

impl Change {
    /// The keys of the entry in the order in which people write them, each with what shall become of it.
    pub(crate) fn wanted(&self) -> [(&'static str, Wanted<'_>); 3] {
        let name = match &self.new_name {
            NewName::Keep => Wanted::Kept,
            NewName::Set(name) => Wanted::Text(name.as_str()),
            NewName::Remove => Wanted::Absent,
        };
        let (tag, digest) = match &self.version {
            Version::Keep => (Wanted::Kept, Wanted::Kept),
            Version::Tag(tag) => (Wanted::Text(tag.as_str()), Wanted::Absent),
            Version::TagAndDigest(tag, digest) => (Wanted::Text(tag.as_str()), Wanted::Text(digest.as_str())),
            Version::Digest(digest) => (Wanted::Absent, Wanted::Text(digest.as_str())),
            Version::Pin(digest) => (Wanted::Kept, Wanted::Text(digest.as_str())),
            Version::Unpin => (Wanted::Kept, Wanted::Absent),
            Version::RemoveTag => (Wanted::Absent, Wanted::Kept),
            Version::Remove => (Wanted::Absent, Wanted::Absent),
        };
        [("newName", name), ("newTag", tag), ("digest", digest)]
    }
}
