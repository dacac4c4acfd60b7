//! Asks a service of the operator's own whether images may be released, as one that scans them.
//!
//! A gate is one HTTPS endpoint that is sent what is to be released and answers whether it may be: one that scans for
//! vulnerabilities, looks into an inventory, or asks people. The protocol is ours:
//!
//! ```text
//! POST /…  { "application": "mandelbrot", "source": "acme/mandelbrot", "commit": "8e35…",
//!            "images": [ { "target": "aws", "image": "registry.example.com/aws/mandelbrot:sha-8e35…",
//!                          "digest": "sha256:4f1c…" } ] }
//! 200      { "verdict": "pass" | "fail" | "pending", "reason": "no known vulnerability", "link": "https://…" }
//! ```
//!
//! Everything else is no answer: neither a pass nor a failure. Deliberately not here: what a verdict means for a
//! release, and scanning.

mod error;

use std::time::Duration;

use domain::{
    commit::Commit,
    evidence::{GateAnswer, GateVerdict},
    excerpt::excerpt,
    fault::Chain,
    release::Build,
};
use reqwest::{Client, StatusCode, redirect::Policy};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::{Host, Url};

pub use error::Error;

/// The largest answer that is read, in bytes.
const LARGEST: usize = 64 * 1024;

/// Where a gate is, and how it is asked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its address: over HTTPS, or on this machine.
    pub url: Url,
    /// What it is shown as a bearer token.
    pub token: Option<SecretString>,
    /// How long one answer may take.
    pub timeout: Duration,
}

/// A gate. Nothing is kept of what it answered.
#[derive(Debug)]
pub struct Gate {
    settings: Settings,
    client: Client,
}

/// What is to be released.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The application.
    pub application: &'a domain::application::Application,
    /// The commit.
    pub commit: Commit,
    /// The image of each target.
    pub images: &'a [&'a Build],
}

#[derive(Deserialize)]
struct Answer {
    verdict: String,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    link: Option<String>,
}

impl Gate {
    /// Makes the client; nothing is asked yet.
    ///
    /// # Errors
    ///
    /// [`Error::Address`]: the address is neither over HTTPS nor on this machine. [`Error::Client`]: the system's
    /// certificates can not be read.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        if settings.url.scheme() != "https" && !is_here(&settings.url) {
            return Err(Error::Address);
        }
        let client = Client::builder()
            .user_agent(concat!("tagferry/", env!("CARGO_PKG_VERSION")))
            .timeout(settings.timeout)
            .redirect(Policy::none())
            .build()
            .map_err(Error::Client)?;
        Ok(Self { settings, client })
    }

    /// Asks whether images may be released.
    ///
    /// # Errors
    ///
    /// It did not say; [`Error::fault`] tells what that means. It is never to be taken for an answer.
    pub async fn ask(&self, question: &Question<'_>) -> Result<GateAnswer, Error> {
        let mut request = self.client.post(self.settings.url.clone()).json(&written(question));
        if let Some(token) = &self.settings.token {
            request = request.bearer_auth(token.expose_secret());
        }
        let failed = |error: reqwest::Error| Error::Unavailable { why: Chain(&error.without_url()).to_string() };
        let mut answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(more) = answer.chunk().await.map_err(failed)? {
            if body.len() + more.len() > LARGEST {
                return Err(Error::Answer { why: format!("it has more than {LARGEST} bytes") });
            }
            body.extend_from_slice(&more);
        }
        match status {
            StatusCode::OK => read(&body),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
                Err(Error::Unavailable { why: format!("it answered {status}") })
            }
            status if status.is_server_error() => Err(Error::Unavailable { why: format!("it answered {status}") }),
            status => Err(Error::Refused { status: status.as_u16() }),
        }
    }
}

fn written(question: &Question<'_>) -> Value {
    let image = |build: &&Build| {
        json!({
            "target": build.target.as_str(),
            "image": build.reference.to_string(),
            "digest": build.digest.as_str(),
        })
    };
    json!({
        "application": question.application.name().as_str(),
        "source": question.application.source.repository.to_string(),
        "commit": question.commit.to_string(),
        "images": question.images.iter().map(image).collect::<Vec<_>>(),
    })
}

fn read(body: &[u8]) -> Result<GateAnswer, Error> {
    let answer: Answer = serde_json::from_slice(body).map_err(|why| Error::Answer { why: why.to_string() })?;
    let verdict = match answer.verdict.as_str() {
        "pass" => GateVerdict::Pass,
        "fail" => GateVerdict::Fail,
        "pending" => GateVerdict::Pending,
        other => {
            let other: String = excerpt(other).chars().take(40).collect();
            return Err(Error::Answer { why: format!("its verdict is {other:?}, not pass, fail or pending") });
        }
    };
    Ok(GateAnswer { verdict, reason: answer.reason.as_deref().map(excerpt).unwrap_or_default(), link: answer.link })
}

/// Whether an address is one of this machine, so that nobody listens on the way.
fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
