//! What is tried on every image of every file.

use kustomize::{Change, ImageName, Missing, NewName, Value, Version};

const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const TAG: &str = "v9.9.9-zz";
const REPOSITORY: &str = "registry.example/team/image";

/// Every operation on an entry that may be there.
pub(crate) fn on_entry(image: &ImageName) -> Vec<(&'static str, Change)> {
    let change =
        |version: Version| Change { image: image.clone(), new_name: NewName::Keep, version, missing: Missing::Refuse };
    let tag = || value(TAG);
    let digest = || value(DIGEST);
    vec![
        ("set tag", change(Version::Tag(tag()))),
        ("set tag 1.10", change(Version::Tag(value("1.10")))),
        ("set tag and digest", change(Version::TagAndDigest(tag(), digest()))),
        ("set digest", change(Version::Pin(digest()))),
        ("set digest, remove tag", change(Version::Digest(digest()))),
        ("remove digest", change(Version::Unpin)),
        ("remove tag and digest", change(Version::Remove)),
        ("set name", Change { new_name: NewName::Set(value(REPOSITORY)), ..change(Version::Keep) }),
        ("remove name", Change { new_name: NewName::Remove, ..change(Version::Keep) }),
    ]
}

/// An entry for an image that no file knows.
pub(crate) fn unknown() -> Change {
    Change {
        image: "tagferry-unknown".parse().unwrap_or_else(|error| panic!("{error}")),
        new_name: NewName::Keep,
        version: Version::Tag(value("1.10")),
        missing: Missing::Append,
    }
}

/// The way back: what undoes the change of an entry that said this before; `None` where a key came or went.
pub(crate) fn undo(change: &Change, before: &kustomize::Image) -> Option<Change> {
    let old = |text: &Option<String>| text.as_deref().map(value);
    let back = |new_name: NewName, version: Version| Some(Change { new_name, version, ..change.clone() });
    match (&change.new_name, &change.version) {
        (NewName::Set(_), Version::Keep) => back(NewName::Set(old(&before.new_name)?), Version::Keep),
        (NewName::Keep, Version::Tag(_)) if before.digest.is_none() => {
            back(NewName::Keep, Version::Tag(old(&before.new_tag)?))
        }
        (NewName::Keep, Version::TagAndDigest(..)) => {
            back(NewName::Keep, Version::TagAndDigest(old(&before.new_tag)?, old(&before.digest)?))
        }
        (NewName::Keep, Version::Pin(_)) => match old(&before.digest) {
            Some(digest) => back(NewName::Keep, Version::Pin(digest)),
            None => back(NewName::Keep, Version::Unpin),
        },
        _ => None,
    }
}

fn value(text: &str) -> Value {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}
