//! Asks what a tag is without reading it: one request, whose answer also says how much more may be asked.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use domain::image::Digest;
use http::{HeaderMap, StatusCode, header};
use oci_client::{errors::OciDistributionError, secrets::RegistryAuth};
use secrecy::{ExposeSecret as _, SecretString};
use tracing::warn;

use crate::{Error, question::Question, resolve::absent_or};

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
        let held = &self.held;
        let (token, was_kept) = match self.token(theirs).await {
            Ok(token) => token,
            Err(error) => return absent_or(self.reference, error).map(|_none: Option<()>| Headed::Absent),
        };
        let mut answer = self.send(theirs, token).await?;
        if answer.status() == StatusCode::UNAUTHORIZED && was_kept {
            held.forget_token(theirs.repository());
            let fresh = self.token(theirs).await;
            let (token, _) = match fresh {
                Ok(token) => token,
                Err(error) => return absent_or(self.reference, error).map(|_none: Option<()>| Headed::Absent),
            };
            answer = self.send(theirs, token).await?;
        }
        let (status, headers) = (answer.status(), answer.headers());
        self.mind(headers);
        match status {
            StatusCode::OK => Ok(digest(headers).map_or(Headed::Unclear, Headed::Digest)),
            StatusCode::NOT_FOUND => Ok(Headed::Absent),
            StatusCode::TOO_MANY_REQUESTS => {
                let retry_after = self.asker.pause.begin(wait(headers, Utc::now()), Instant::now());
                Err(Error::Limited { reference: self.reference.clone(), retry_after: Some(retry_after), source: None })
            }
            // A HEAD has no body that would tell more.
            _ => Ok(Headed::Unclear),
        }
    }

    async fn send(
        &self,
        theirs: &oci_client::Reference,
        token: Option<SecretString>,
    ) -> Result<reqwest::Response, Error> {
        let (base, tag) = (self.base(theirs), &self.reference.tag);
        let url = format!("{base}/v2/{}/manifests/{tag}", theirs.repository());
        let request = self.asker.bare().head(url).header(header::ACCEPT, TYPES);
        let request = match (token, &self.held.auth) {
            (Some(token), _) => request.bearer_auth(token.expose_secret()),
            (None, RegistryAuth::Basic(username, password)) => request.basic_auth(username, Some(password)),
            (None, RegistryAuth::Anonymous | RegistryAuth::Bearer(_)) => request,
        };
        request.send().await.map_err(|error| Error::Unavailable {
            reference: self.reference.clone(),
            source: Box::new(OciDistributionError::RequestError(error)),
        })
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
            let host = self.reference.repository.host();
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
