//! What a path under `/v2/` names.
//!
//! A repository's name has slashes itself, so that the end of the path decides.

use domain::image::{Digest, Repository, Tag};

use super::refusal::Refusal;

/// A place in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// The registry itself.
    Base,
    /// The tags of a repository.
    Tags { repository: String },
    /// A manifest of a repository.
    Manifest { repository: String, key: Key },
    /// What refers to a manifest of a repository.
    Referrers { repository: String, digest: Digest },
    /// A blob of a repository.
    Blob { repository: String, digest: Digest },
    /// The place where uploads to a repository begin.
    Uploads { repository: String },
    /// An upload to a repository.
    Upload { repository: String, id: String },
}

/// How a manifest is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// By tag.
    Tag(Tag),
    /// By content.
    Digest(Digest),
}

/// Reads a path.
pub(super) fn route(path: &str) -> Result<Route, Refusal> {
    let path = match path.strip_prefix("/v2") {
        Some("" | "/") => return Ok(Route::Base),
        Some(rest) => rest.strip_prefix('/').ok_or(Refusal::NotFound)?,
        None => return Err(Refusal::NotFound),
    };
    let (parent, last) = path.rsplit_once('/').ok_or(Refusal::NotFound)?;
    if let (Some(name), "list") = (parent.strip_suffix("/tags"), last) {
        return Ok(Route::Tags { repository: repository(name)? });
    }
    if let Some(name) = parent.strip_suffix("/manifests") {
        return Ok(Route::Manifest { repository: repository(name)?, key: last.parse()? });
    }
    if let Some(name) = parent.strip_suffix("/referrers") {
        let digest = last.parse().map_err(|_invalid| Refusal::DigestInvalid)?;
        return Ok(Route::Referrers { repository: repository(name)?, digest });
    }
    if let Some(name) = parent.strip_suffix("/blobs/uploads") {
        let repository = repository(name)?;
        return Ok(match last {
            "" => Route::Uploads { repository },
            id => Route::Upload { repository, id: id.to_owned() },
        });
    }
    let name = parent.strip_suffix("/blobs").ok_or(Refusal::NotFound)?;
    let repository = repository(name)?;
    // Some clients leave the last slash of `…/blobs/uploads/` away.
    if last == "uploads" {
        return Ok(Route::Uploads { repository });
    }
    let digest = last.parse().map_err(|_invalid| Refusal::DigestInvalid)?;
    Ok(Route::Blob { repository, digest })
}

/// A name, if it is legal.
pub(super) fn repository(name: &str) -> Result<String, Refusal> {
    format!("sandbox/{name}")
        .parse::<Repository>()
        .map(|repository| repository.name().to_owned())
        .map_err(|_invalid| Refusal::NameInvalid)
}

impl std::str::FromStr for Key {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        if text.contains(':') {
            text.parse().map(Self::Digest).map_err(|_invalid| Refusal::DigestInvalid)
        } else {
            text.parse().map(Self::Tag).map_err(|_invalid| Refusal::TagInvalid)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_path_says_what_it_names() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let repository = || "a/blobs/b".to_owned();
        let blob = Route::Blob { repository: repository(), digest: digest.parse().unwrap() };
        let referrers = Route::Referrers { repository: repository(), digest: digest.parse().unwrap() };
        let upload = Route::Upload { repository: repository(), id: "x".to_owned() };
        let manifest = Route::Manifest { repository: repository(), key: Key::Tag("v1".parse().unwrap()) };
        for (path, expected) in [
            ("/v2", Ok(Route::Base)),
            ("/v2/", Ok(Route::Base)),
            ("/v2/a/blobs/b/tags/list", Ok(Route::Tags { repository: repository() })),
            (&format!("/v2/a/blobs/b/blobs/{digest}"), Ok(blob)),
            (&format!("/v2/a/blobs/b/referrers/{digest}"), Ok(referrers)),
            ("/v2/a/blobs/b/referrers/v1", Err(Refusal::DigestInvalid)),
            ("/v2/a/blobs/b/blobs/uploads/", Ok(Route::Uploads { repository: repository() })),
            ("/v2/a/blobs/b/blobs/uploads/x", Ok(upload)),
            ("/v2/a/blobs/b/manifests/v1", Ok(manifest)),
            ("/v2/A/manifests/v1", Err(Refusal::NameInvalid)),
            ("/v2/a/manifests/.v1", Err(Refusal::TagInvalid)),
            ("/v2/a/blobs/v1", Err(Refusal::DigestInvalid)),
            ("/v2/a/b", Err(Refusal::NotFound)),
            ("/v2x/a", Err(Refusal::NotFound)),
        ] {
            assert_eq!(route(path), expected, "{path}");
        }
    }
}
