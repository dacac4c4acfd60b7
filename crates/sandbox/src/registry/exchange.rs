//! One request, read to its end, and how it is answered.

use std::collections::BTreeMap;

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, Method, StatusCode, header},
    response::Response,
};
use domain::image::Digest;
use serde::Serialize;

/// The header that names the content of an answer.
pub(super) const DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// A request whose body has arrived.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) method: Method,
    pub(super) query: BTreeMap<String, String>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) requester: Requester,
}

/// What a notification tells about the request that caused it. Most of it is what the client says.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Requester {
    pub(super) id: String,
    pub(super) addr: String,
    pub(super) host: String,
    pub(super) method: String,
    pub(super) useragent: String,
    /// The user who authenticated; not part of the notification's `request`.
    #[serde(skip)]
    pub(super) name: Option<String>,
}

impl Exchange {
    /// A header as text; `None` when it is missing or not text.
    pub(super) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Answers with content, or with its headers only when that was asked for.
    pub(super) fn content(&self, media_type: &str, digest: &Digest, bytes: Bytes) -> Response {
        let headers = [
            (header::CONTENT_TYPE, media_type.to_owned()),
            (header::CONTENT_LENGTH, bytes.len().to_string()),
            (header::ETAG, format!("\"{digest}\"")),
            (DIGEST, digest.to_string()),
        ];
        let body = if self.method == Method::HEAD { Body::empty() } else { Body::from(bytes) };
        answer(StatusCode::OK, headers, body)
    }
}

/// An answer with headers; one that is not legal, as a client's own media type may be, is left out.
pub(super) fn answer(
    status: StatusCode,
    headers: impl IntoIterator<Item = (HeaderName, String)>,
    body: Body,
) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, value) in headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// A random identifier in the form of a UUID of version 4 (RFC 9562, section 5.4).
pub(super) fn uuid() -> String {
    let random = (fastrand::u128(..) & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{random:032x}");
    let mut text = String::with_capacity(36);
    for (place, digit) in hex.chars().enumerate() {
        if matches!(place, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_has_the_form_of_a_uuid() {
        let id = uuid();
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
        assert_eq!(id.as_bytes()[14], b'4', "{id}");
        assert!(b"89ab".contains(&id.as_bytes()[19]), "{id}");
    }
}
