//! What of a request comes before its body.

use std::{borrow::Cow, fmt};

use http::HeaderMap;
use url::form_urlencoded;

/// The headers and the query of a request.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// What stands behind the `?` of its address, as it was sent; `None` when there is none.
    pub query: Option<&'a str>,
}

impl<'a> Head<'a> {
    /// The values of a header, line by line.
    pub(super) fn lines(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.headers.get_all(name).iter().map(http::HeaderValue::as_bytes)
    }

    /// The value of a header that is there once, and is text.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        let mut lines = self.lines(name);
        let line = lines.next().filter(|line| line.is_ascii())?;
        if lines.next().is_some() { None } else { std::str::from_utf8(line).ok() }
    }

    /// The media type of the body, in lower case and without parameters.
    pub(super) fn media_type(&self) -> String {
        let value = self.text("content-type").unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The values of a parameter of the address.
    pub(super) fn parameters(&self, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
        let pairs = form_urlencoded::parse(self.query.unwrap_or_default().as_bytes());
        pairs.filter(move |(key, _)| key == name).map(|(_, value)| value)
    }
}

impl fmt::Debug for Head<'_> {
    /// Only the names of headers: a value, or the query, may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head").field("headers", &self.headers.keys().collect::<Vec<_>>()).finish_non_exhaustive()
    }
}
