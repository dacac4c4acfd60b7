//! Asks what a tag is without reading it: one request, whose answer also says how much more may be asked.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use domain::image::Digest;
use http::{HeaderMap, StatusCode, header};
use reqwest::Client;
use tracing::warn;

use crate::{
    Error,
    question::{Question, pull},
    resolve::absent_or,
};

/// What is asked for, whichever it is.
const TYPES: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                     application/vnd.docker.distribution.manifest.list.v2+json, \
                     application/vnd.docker.distribution.manifest.v2+json";

/// What the answer to the question says.
pub(crate) enum Headed {
    /// The digest.
    Digest(Digest),
    /// There is no such tag, or no such repository.
    Absent,
    /// Something else, which the whole manifest or the error of another request tells.
    Unclear,
}

impl Question<'_> {
    /// Asks by HEAD, and keeps to what the registry says of its limits.
    pub(crate) async fn head(&self, theirs: &oci_client::Reference) -> Result<Headed, Error> {
        let url =
            format!("{}/v2/{}/manifests/{}", self.base(theirs), theirs.repository(), theirs.tag().unwrap_or_default());
        let request = |client: &Client| client.head(&url).header(header::ACCEPT, TYPES);
        let answer = match self.send(&pull(theirs), theirs, request).await {
            Ok(answer) => answer,
            Err(error) => return absent_or(&self.subject, error).map(|_none: Option<()>| Headed::Absent),
        };
        let (status, headers) = (answer.status(), answer.headers());
        self.mind(headers);
        match status {
            StatusCode::OK => Ok(digest(headers).map_or(Headed::Unclear, Headed::Digest)),
            StatusCode::NOT_FOUND => Ok(Headed::Absent),
            StatusCode::TOO_MANY_REQUESTS => Err(self.limited(headers)),
            // A HEAD has no body that would tell more.
            _ => Ok(Headed::Unclear),
        }
    }

    /// That the registry asks to be left alone, which is kept to from now on.
    pub(crate) fn limited(&self, headers: &HeaderMap) -> Error {
        let retry_after = self.asker.pause.begin(wait(headers, Utc::now()), Instant::now());
        Error::Limited { subject: self.subject.clone(), retry_after: Some(retry_after), source: None }
    }

    /// Says when few pulls are left, as Docker Hub tells: `76;w=21600`
    /// (<https://docs.docker.com/docker-hub/usage/pulls/#view-pull-rate-and-limit>).
    fn mind(&self, headers: &HeaderMap) {
        let number = |name: &str| -> Option<u64> {
            let value = headers.get(name)?.to_str().ok()?;
            value.split(';').next()?.trim().parse().ok()
        };
        let left = number("ratelimit-remaining");
        if let (Some(left), Some(limit)) = (left, number("ratelimit-limit"))
            && left.saturating_mul(10) < limit
        {
            let host = self.subject.repository().host();
            warn!(registry = %host, left, limit, "few pulls are left: see registries.{host}.credentials");
        }
    }
}

fn digest(headers: &HeaderMap) -> Option<Digest> {
    headers.get("docker-content-digest")?.to_str().ok()?.parse().ok()
}

/// How long the registry wants to be left alone: in seconds, or until a time
/// (RFC 9110 section 10.2.3).
fn wait(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(value).ok()?;
    Some((until.with_timezone(&Utc) - now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_in_seconds_or_until_a_time() {
        let now: DateTime<Utc> = "2026-11-26T12:00:00Z".parse().unwrap();
        let wait = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, value.parse().unwrap());
            wait(&headers, now)
        };
        assert_eq!(wait("120"), Some(Duration::from_secs(120)));
        assert_eq!(wait("Thu, 26 Nov 2026 12:00:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(wait("Thu, 26 Nov 2026 11:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("soon"), None);
    }
}
