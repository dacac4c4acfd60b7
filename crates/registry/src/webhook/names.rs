//! The names of images, as messages have them.

use std::borrow::Cow;

use domain::image::{Digest, Host, Repository, Tag};

use super::unusable::Unusable;

/// An image as people write it, taken apart and still to be checked but for its host.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written<'a> {
    pub(super) host: Host,
    pub(super) name: &'a str,
    pub(super) tag: Option<&'a str>,
}

/// The tag in a field; `None` for a push by digest, which has no tag, an empty one, or the digest in its place.
///
/// So are the images of an index, signatures and other referrers pushed: nothing that anybody would release.
pub(super) fn tag(what: &str, text: Option<&str>) -> Result<Option<Tag>, Unusable> {
    match text {
        None | Some("") => Ok(None),
        Some(digest) if digest.parse::<Digest>().is_ok() => Ok(None),
        Some(tag) => {
            tag.parse().map(Some).map_err(|why| Unusable::Name { what: what.to_owned(), why: format!("{why}") })
        }
    }
}

/// The image repository of that name in a registry.
pub(super) fn repository(host: Host, what: &str, name: &str) -> Result<Repository, Unusable> {
    Repository::new(host, name).map_err(|why| Unusable::Name { what: what.to_owned(), why: why.to_string() })
}

/// What a message says that the tag points to: a hint, and one that is not a digest is none.
pub(super) fn digest(text: Option<Cow<'_, str>>) -> Option<Digest> {
    text?.parse().ok()
}

/// The registry that is configured, else the one that a message names in `field`.
pub(super) fn host(
    configured: Option<&Host>,
    field: &'static str,
    named: impl FnOnce() -> Option<Host>,
) -> Result<Host, Unusable> {
    configured.cloned().or_else(named).ok_or(Unusable::Registry(field))
}

/// The host of a URL as registries build them; anything unusual in it is refused rather than interpreted.
pub(super) fn host_of_url(url: &str) -> Option<Host> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let host = rest.split_once('/').map_or(rest, |(host, _path)| host);
    host.to_ascii_lowercase().parse().ok()
}

/// Takes `host/name`, `host/name:tag` or `host/name@digest` apart, a scheme in front forgiven.
///
/// What stands before the first slash is only taken for a host when it can be nothing else: `team/app` has none, and
/// nobody's default is put in its place.
pub(super) fn written(text: &str) -> Option<Written<'_>> {
    let text = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
    let (host, rest) = text.split_once('/')?;
    if !host.contains(['.', ':']) && host != "localhost" {
        return None;
    }
    let named = rest.split_once('@').map_or(rest, |(named, _digest)| named);
    let (name, tag) = match named.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (named, None),
    };
    Some(Written { host: host.parse().ok()?, name, tag })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_push_by_digest_has_no_tag() {
        let digest = format!("sha256:{}", "0f".repeat(32));
        for none in [None, Some(""), Some(digest.as_str())] {
            assert_eq!(tag("tag", none).unwrap(), None);
        }
        assert_eq!(tag("tag", Some("v1")).unwrap().unwrap().as_str(), "v1");
        let error = tag("data.tag", Some("v1@x")).unwrap_err().to_string();
        assert!(error.starts_with("data.tag is not usable: a tag is"), "{error}");
    }

    #[test]
    fn an_image_is_taken_apart_only_where_it_has_a_host() {
        let check = |text: &str, expected: Option<(&str, &str, Option<&str>)>| {
            let found = written(text);
            let found = found.as_ref().map(|one| (one.host.as_str(), one.name, one.tag));
            assert_eq!(found, expected, "{text}");
        };
        check("quay.io/a/b", Some(("quay.io", "a/b", None)));
        check("https://r.example:8443/a/b:v1", Some(("r.example:8443", "a/b", Some("v1"))));
        check("localhost/a@sha256:00", Some(("localhost", "a", None)));
        check("ghcr.io/a:", Some(("ghcr.io", "a", Some(""))));
        for none in ["a", "team/app", "quay.io", "u@quay.io/a", "quay.io:99999/a", "[::1]:5000/a", ""] {
            check(none, None);
        }
    }

    #[test]
    fn the_host_of_a_url_is_nothing_unusual() {
        let host = |url: &str| host_of_url(url).map(|host| host.to_string());
        assert_eq!(host("https://R.example:5000/v2/").as_deref(), Some("r.example:5000"));
        assert_eq!(host("http://r.example").as_deref(), Some("r.example"));
        for none in ["", "r.example/", "ftp://r.example/", "https:///", "https://u@r.example/", "https://r.example?/"] {
            assert_eq!(host(none), None, "{none}");
        }
    }
}
