//! What a request is answered with, as far as that does not depend on what was asked.

use http_body_util::{BodyExt, LengthLimitError, Limited};
use reqwest::header::{HeaderMap, LINK};
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded;

use super::Request;
use crate::{Error, scrub::scrub};

/// The largest answer that is read, in bytes. The largest that are expected are files of a repository and attestations.
const LARGEST: usize = 32 * 1024 * 1024;

/// An answer whose status says neither that we may not ask nor that the forge failed.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The HTTP status: 2xx, 404, 405, 409, 422 and the like.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: String,
    /// Where the next page of a list begins, where there is one and its pages go by cursor.
    pub(crate) cursor: Option<String>,
}

#[derive(Deserialize)]
struct Problem {
    message: String,
    #[serde(default)]
    errors: Vec<Value>,
}

impl Answer {
    /// Whether it was done.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The forge's own words without anything secret: the message and those of the single errors.
    pub(crate) fn message(&self) -> String {
        let Ok(problem) = serde_json::from_str::<Problem>(&self.body) else {
            return format!("HTTP {}", self.status);
        };
        let errors = problem.errors.iter().map(|error| {
            let text = |key: &str| error.get(key).and_then(Value::as_str);
            match (text("message"), text("field"), text("code")) {
                (Some(message), _, _) => message.to_owned(),
                (None, Some(field), Some(code)) => format!("{field} {code}"),
                (None, _, _) => error.as_str().map_or_else(|| error.to_string(), str::to_owned),
            }
        });
        let parts: Vec<String> = std::iter::once(problem.message).chain(errors).collect();
        scrub(&parts.join("; "))
    }

    /// The body as what the request is answered with.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&'a self, request: &Request) -> Result<T, Error> {
        serde_json::from_str(&self.body).map_err(|source| Error::Misunderstood {
            doing: request.doing.clone(),
            // It may repeat a value of the body.
            why: scrub(&source.to_string()),
        })
    }
}

/// Reads a body to its end.
pub(super) async fn whole<B>(body: B, request: &Request) -> Result<String, Error>
where
    B: BodyExt,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let misunderstood = |why: String| Error::Misunderstood { doing: request.doing.clone(), why };
    let bytes = Limited::new(body, LARGEST).collect().await.map_err(|source| {
        if source.is::<LengthLimitError>() {
            return misunderstood(format!("it has more than {LARGEST} bytes"));
        }
        let why = "the forge could not be reached".to_owned();
        Error::Unavailable { doing: request.doing.clone(), why, source: Some(source) }
    })?;
    String::from_utf8(bytes.to_bytes().into()).map_err(|_not_text| misunderstood("it is not text".to_owned()))
}

/// Where the next page begins, from the link to it
/// (<https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api>).
///
/// Only the cursor is taken: a list is asked for where it was before, whatever address a link has.
pub(super) fn cursor(headers: &HeaderMap) -> Option<String> {
    let links = headers.get(LINK)?.to_str().ok()?;
    let next = links.split(',').find(|link| link.contains("rel=\"next\""))?;
    let address = next.split_once('<')?.1.split_once('>')?.0;
    let query = address.split_once('?')?.1;
    form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "after").map(|(_, after)| after.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(links: &str, expected: Option<&str>) {
        let headers = HeaderMap::from_iter([(LINK, links.parse().unwrap())]);
        assert_eq!(cursor(&headers).as_deref(), expected, "{links}");
    }

    #[test]
    fn the_cursor_is_that_of_the_link_to_the_next_page() {
        check(
            r#"<https://x/y?per_page=2&after=a%2Bb&q=1>; rel="next", <https://x/y?before=c>; rel="prev""#,
            Some("a+b"),
        );
        check(r#"<https://x/y?before=c>; rel="prev""#, None);
        check(r#"<https://x/y?page=2>; rel="next""#, None);
        check(r#"rel="next""#, None);
        assert_eq!(cursor(&HeaderMap::new()), None);
    }
}
