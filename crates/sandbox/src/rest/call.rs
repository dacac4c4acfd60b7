//! A REST request and its answer.

use std::collections::BTreeMap;

use axum::{
    Json,
    body::Bytes,
    extract::Query,
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri,
        header::{ACCEPT, AUTHORIZATION, LINK, LOCATION},
    },
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{refusal::Refusal, world::repository::Repository};

/// A REST request.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The decoded parts of the path.
    pub(crate) segments: Vec<String>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) accept: String,
    pub(crate) authorization: Option<String>,
    body: Bytes,
}

/// The answer to a REST request.
#[derive(Debug)]
pub(crate) struct Answer {
    status: StatusCode,
    body: Body,
    headers: Vec<(HeaderName, String)>,
}

#[derive(Debug)]
enum Body {
    None,
    Json(Value),
    Text(String),
}

/// GitHub's sizes of a page
/// (<https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api>).
const DEFAULT_PAGE: usize = 30;
const LARGEST_PAGE: usize = 100;

impl Call {
    /// A request from its parts.
    pub(crate) fn new(method: Method, uri: &Uri, headers: &HeaderMap, body: Bytes) -> Self {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let query = Query::<BTreeMap<String, String>>::try_from_uri(uri);
        Self {
            method,
            segments: uri.path().split('/').filter(|part| !part.is_empty()).map(decode).collect(),
            query: query.map(|Query(query)| query).unwrap_or_default(),
            accept: text(ACCEPT).unwrap_or_default().to_owned(),
            authorization: text(AUTHORIZATION).map(str::to_owned),
            body,
        }
    }

    /// The body; an empty one is an empty object.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let bytes: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        let value: Value = serde_json::from_slice(bytes).ok().ok_or_else(Refusal::bad_json)?;
        serde_json::from_value(value).map_err(|error| Refusal::unprocessable(format!("Invalid request.\n\n{error}")))
    }

    /// The asked page of a list, with links to the other pages.
    ///
    /// As on GitHub, the links name the repository by its number and are absolute.
    pub(crate) fn page<T>(&self, repository: &Repository, url: &str, items: Vec<T>) -> (Vec<T>, Option<String>) {
        let size = self.query.get("per_page").and_then(|text| text.parse().ok()).unwrap_or(DEFAULT_PAGE);
        let size = size.clamp(1, LARGEST_PAGE);
        let page = self.query.get("page").and_then(|text| text.parse().ok()).unwrap_or(1).max(1);
        let last = items.len().div_ceil(size).max(1);
        let rest = self.segments.get(3..).unwrap_or_default().join("/");
        let others: Vec<_> = self
            .query
            .iter()
            .filter(|(name, _)| *name != "page")
            .map(|(name, value)| format!("{name}={value}&"))
            .collect();
        let link = |page: usize, relation: &str| {
            format!("<{url}/repositories/{}/{rest}?{}page={page}>; rel=\"{relation}\"", repository.id, others.concat())
        };
        let mut links = Vec::new();
        if page > 1 {
            links.extend([link(page - 1, "prev"), link(1, "first")]);
        }
        if page < last {
            links.extend([link(page + 1, "next"), link(last, "last")]);
        }
        let kept = items.into_iter().skip((page - 1).saturating_mul(size)).take(size).collect();
        (kept, (!links.is_empty()).then(|| links.join(", ")))
    }
}

impl Answer {
    /// 200 with an object.
    pub(crate) const fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body: Body::Json(body), headers: Vec::new() }
    }

    /// 201 with an object and, if it has one, its address.
    pub(crate) fn created(body: Value) -> Self {
        let location = body.get("url").and_then(Value::as_str).map(|url| (LOCATION, url.to_owned()));
        let headers = location.into_iter().collect();
        Self { status: StatusCode::CREATED, body: Body::Json(body), headers }
    }

    /// 202 with an empty object.
    pub(crate) fn accepted() -> Self {
        Self { status: StatusCode::ACCEPTED, ..Self::ok(Value::Object(serde_json::Map::new())) }
    }

    /// 204.
    pub(crate) const fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, body: Body::None, headers: Vec::new() }
    }

    /// 200 with plain text.
    pub(crate) const fn text(text: String) -> Self {
        Self { status: StatusCode::OK, body: Body::Text(text), headers: Vec::new() }
    }

    /// The same with links to other pages.
    pub(crate) fn linked(mut self, link: Option<String>) -> Self {
        self.headers.extend(link.map(|link| (LINK, link)));
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = match self.body {
            Body::None => self.status.into_response(),
            Body::Json(body) => (self.status, Json(body)).into_response(),
            Body::Text(text) => (self.status, text).into_response(),
        };
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// The number in a path; anything else does not exist.
pub(crate) fn number(segment: &str) -> Result<u64, Refusal> {
    segment.parse().ok().ok_or_else(Refusal::not_found)
}

/// Undoes percent-encoding; what is not encoded properly stays as it is.
pub(crate) fn decode(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let digits = (ahead.next().and_then(hex_value), ahead.next().and_then(hex_value));
        match (byte, digits) {
            (b'%', (Some(high), Some(low))) => {
                bytes.push(high * 16 + low);
                rest = ahead;
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex_value(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_and_what_is_no_code_stays() {
        assert_eq!(decode("a%2Fb"), "a/b");
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%4"), "%zz%4");
    }
}
