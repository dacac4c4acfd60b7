//! Arguments as `kustomize edit set image` takes them.
//!
//! The grammar is `NAME[=NEW_NAME][:TAG][@DIGEST]`, with the first `=` between both halves and `*` in the second one
//! for what the entry says already (`kustomize/commands/edit/set/setimage.go`, `parse`, and
//! `api/pkg/util/image/image.go`, `Split`).

#[cfg(test)]
mod tests;

use std::str::FromStr;

use domain::application::{ImageName, InvalidImageName};

use crate::{
    change::{Change, Missing, NewName, Version},
    value::{InvalidValue, Value},
};

/// What one argument asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    image: ImageName,
    new_name: Part,
    version: (Part, Part),
}

/// What happens to that of which an argument says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unnamed {
    /// It stays; only a digest goes when the tag is set, as a new tag has no effect beside an old digest.
    Keep,
    /// It goes, as in Kustomize, which replaces the whole entry.
    Erase,
}

/// The text is not an argument of `kustomize edit set image`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidArgument {
    /// There is nothing to set.
    #[error("{0} names no change: write {0}:TAG, {0}@DIGEST, {0}=NEW_NAME, or {0}=NEW_NAME:TAG@DIGEST")]
    NoChange(String),
    /// The name is no literal name.
    #[error(transparent)]
    Name(#[from] InvalidImageName),
    /// One of the other parts can not stand in an entry.
    #[error(transparent)]
    Value(#[from] InvalidValue),
    /// A new tag beside the old digest: the digest decides which image runs.
    #[error("`@*` keeps the old digest, and the tag {0} has no effect beside it: leave `@*` out, or write the digest")]
    TagBesideOldDigest(String),
}

/// One of the three parts of the second half.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Unnamed,
    /// `*`
    Kept,
    /// Its separator without a text.
    Removed,
    Text(Value),
}

/// A reference cut at its separators; `None` where there is none.
struct Cut<'t> {
    name: &'t str,
    tag: Option<&'t str>,
    digest: Option<&'t str>,
}

impl Argument {
    /// The image whose entry is meant.
    #[must_use]
    pub fn image(&self) -> &ImageName {
        &self.image
    }

    /// The change that is asked for. A missing entry is appended, and `*` is nothing there.
    #[must_use]
    pub fn change(&self, unnamed: Unnamed) -> Change {
        let rest = |part: &Part| match (part, unnamed) {
            (Part::Unnamed, Unnamed::Keep) => Part::Kept,
            (Part::Unnamed, Unnamed::Erase) => Part::Removed,
            (Part::Kept | Part::Removed | Part::Text(_), _) => part.clone(),
        };
        let new_name = match rest(&self.new_name) {
            Part::Text(name) => NewName::Set(name),
            Part::Removed => NewName::Remove,
            Part::Kept | Part::Unnamed => NewName::Keep,
        };
        let (tag, digest) = &self.version;
        Change {
            image: self.image.clone(),
            new_name,
            version: version(rest(tag), rest(digest)),
            missing: Missing::Append,
        }
    }
}

impl FromStr for Argument {
    type Err = InvalidArgument;

    fn from_str(text: &str) -> Result<Self, InvalidArgument> {
        let (image, new_name, cut) = match text.split_once('=') {
            Some((image, rest)) => {
                let cut = cut(rest);
                (image, part(Some(cut.name))?, cut)
            }
            None => {
                let cut = cut(text);
                if cut.tag.is_none() && cut.digest.is_none() {
                    return Err(InvalidArgument::NoChange(text.to_owned()));
                }
                (cut.name, Part::Unnamed, cut)
            }
        };
        let version = (part(cut.tag)?, part(cut.digest)?);
        if let (Part::Text(tag), Part::Kept) = &version {
            return Err(InvalidArgument::TagBesideOldDigest(tag.to_string()));
        }
        Ok(Self { image: image.parse()?, new_name, version })
    }
}

/// Of a tag without a digest, the type says that an old digest goes.
fn version(tag: Part, digest: Part) -> Version {
    match (tag, digest) {
        (Part::Text(tag), Part::Text(digest)) => Version::TagAndDigest(tag, digest),
        (Part::Text(tag), _) => Version::Tag(tag),
        (Part::Removed, Part::Text(digest)) => Version::Digest(digest),
        (_, Part::Text(digest)) => Version::Pin(digest),
        (Part::Removed, Part::Removed) => Version::Remove,
        (Part::Removed, _) => Version::RemoveTag,
        (_, Part::Removed) => Version::Unpin,
        (Part::Kept | Part::Unnamed, Part::Kept | Part::Unnamed) => Version::Keep,
    }
}

fn part(text: Option<&str>) -> Result<Part, InvalidValue> {
    Ok(match text {
        None => Part::Unnamed,
        Some("") => Part::Removed,
        Some("*") => Part::Kept,
        Some(text) => Part::Text(text.parse()?),
    })
}

/// Cuts at the first `:` and the first `@` behind the first slash; before it they belong to a host.
fn cut(text: &str) -> Cut<'_> {
    let from = text.find('/').unwrap_or_default();
    let (host, path) = text.split_at_checked(from).unwrap_or(("", text));
    let (before, digest) = match path.split_once('@') {
        Some((before, digest)) => (before, Some(digest)),
        None => (path, None),
    };
    let (name, tag) = match before.split_once(':') {
        Some((name, tag)) => (name, Some(tag)),
        None => (before, None),
    };
    let name = text.get(..host.len() + name.len()).unwrap_or(text);
    Cut { name, tag, digest }
}
