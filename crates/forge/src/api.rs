//! One request to the forge's REST or GraphQL interface: sent once, with a limit of time, and understood as far as
//! its status tells.
//!
//! `octocrab` is the transport. Its retries, its paging and its models are not used: they repeat what must not be
//! repeated, lose credentials and fail on values that GitHub adds.

use std::time::Duration;

use octocrab::Octocrab;
use reqwest::header::{ACCEPT, HeaderMap};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;

use crate::{Error, Timeouts, address::Address, limit};

/// The interfaces of one forge.
pub(crate) struct Api {
    octocrab: Octocrab,
    address: Address,
    timeout: Duration,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: Method,
    path: Path,
    body: Option<Value>,
    /// What is being done to what, as a message begins.
    pub(crate) doing: String,
    /// Which permission it needs, as a message ends.
    needs: &'static str,
}

/// An answer whose status says neither that we may not ask nor that the forge failed.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The HTTP status: 2xx, 404, 405, 409, 422 and the like.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: String,
}

#[derive(Clone, Copy, Debug)]
enum Method {
    Get,
    Post,
    Put,
    Patch,
}

#[derive(Clone, Debug)]
enum Path {
    Rest(String),
    GraphQl,
}

#[derive(Deserialize)]
struct Problem {
    message: String,
    #[serde(default)]
    errors: Vec<Value>,
}

impl Request {
    /// A read by REST.
    pub(crate) fn get(path: String, doing: String) -> Self {
        Self::new(Method::Get, Path::Rest(path), None, doing)
    }

    /// A POST by REST.
    pub(crate) fn post(path: String, body: Value, doing: String) -> Self {
        Self::new(Method::Post, Path::Rest(path), Some(body), doing)
    }

    /// A PUT by REST.
    pub(crate) fn put(path: String, body: Value, doing: String) -> Self {
        Self::new(Method::Put, Path::Rest(path), Some(body), doing)
    }

    /// A PATCH by REST.
    pub(crate) fn patch(path: String, body: Value, doing: String) -> Self {
        Self::new(Method::Patch, Path::Rest(path), Some(body), doing)
    }

    /// A document of GraphQL.
    pub(crate) fn graphql(body: Value, doing: String) -> Self {
        Self::new(Method::Post, Path::GraphQl, Some(body), doing)
    }

    /// The same, naming the permission that it needs beyond reading.
    pub(crate) fn needing(mut self, needs: &'static str) -> Self {
        self.needs = needs;
        self
    }

    fn new(method: Method, path: Path, body: Option<Value>, doing: String) -> Self {
        let needs = "it needs Metadata: read and Contents: read";
        Self { method, path, body, doing, needs }
    }

    /// The error that says so of this request.
    pub(crate) fn unavailable(&self, why: impl Into<String>) -> Error {
        Error::Unavailable { doing: self.doing.clone(), why: why.into(), source: None }
    }

    /// The error for the forge's own words.
    pub(crate) fn refused(&self, message: String) -> Error {
        Error::Refused { doing: self.doing.clone(), message }
    }

    /// The error for a missing permission.
    pub(crate) fn forbidden(&self, why: String) -> Error {
        Error::Forbidden { doing: self.doing.clone(), why, needs: self.needs }
    }
}

impl Answer {
    /// Whether it was done.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The forge's own words: the message and those of the single errors.
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
        parts.join("; ")
    }

    /// The body as what the request is answered with.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&'a self, request: &Request) -> Result<T, Error> {
        serde_json::from_str(&self.body)
            .map_err(|source| Error::Misunderstood { doing: request.doing.clone(), why: source.to_string() })
    }
}

impl Api {
    /// The interfaces at an address; nothing is sent yet.
    pub(crate) fn new(address: Address, timeouts: &Timeouts) -> Result<Self, Error> {
        // The client starts a task when it is built, which panics where no runtime is.
        if tokio::runtime::Handle::try_current().is_err() {
            let what = "a forge can only be made inside a Tokio runtime".to_owned();
            return Err(Error::Settings { what });
        }
        let unusable =
            |source: octocrab::Error| Error::Settings { what: format!("no client for {}: {source}", address.origin) };
        let octocrab = Octocrab::builder()
            .base_uri(address.origin.as_str())
            .map_err(unusable)?
            .set_connect_timeout(Some(timeouts.connect))
            .set_read_timeout(Some(timeouts.idle))
            .set_write_timeout(Some(timeouts.idle))
            .add_header(ACCEPT, "application/vnd.github+json".to_owned())
            .build()
            .map_err(unusable)?;
        Ok(Self { octocrab, address, timeout: timeouts.request })
    }

    /// Where the interfaces are.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Sends a request once.
    pub(crate) async fn send(&self, token: &SecretString, request: &Request) -> Result<Answer, Error> {
        let seconds = self.timeout.as_secs();
        tokio::time::timeout(self.timeout, Box::pin(self.exchange(token, request)))
            .await
            .unwrap_or_else(|_| Err(request.unavailable(format!("no answer within {seconds} seconds"))))
    }

    async fn exchange(&self, token: &SecretString, request: &Request) -> Result<Answer, Error> {
        let failed = |source: octocrab::Error| Error::Unavailable {
            doing: request.doing.clone(),
            why: "the forge could not be reached".to_owned(),
            source: Some(Box::new(source)),
        };
        let octocrab = self.octocrab.user_access_token(token.expose_secret()).map_err(failed)?;
        let path = match &request.path {
            Path::Rest(path) => format!("{}{path}", self.address.rest),
            Path::GraphQl => self.address.graphql.clone(),
        };
        let body = request.body.as_ref();
        let response = match request.method {
            Method::Get => octocrab._get(path).await,
            Method::Post => octocrab._post(path, body).await,
            Method::Put => octocrab._put(path, body).await,
            Method::Patch => octocrab._patch(path, body).await,
        }
        .map_err(failed)?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = octocrab.body_to_string(response).await.map_err(failed)?;
        judge(request, &headers, Answer { status, body })
    }
}

/// Sorts out the answers that mean the same whatever was asked.
fn judge(request: &Request, headers: &HeaderMap, answer: Answer) -> Result<Answer, Error> {
    match answer.status {
        301 | 302 | 307 | 308 => Err(request.refused("it was renamed or moved: use its new name".to_owned())),
        401 => Err(Error::Unauthorized { doing: request.doing.clone() }),
        403 | 429 => {
            let message = answer.message();
            Err(match limit::of(answer.status, headers, &message) {
                Some(retry_after) => Error::Limited { doing: request.doing.clone(), retry_after },
                None => request.forbidden(message),
            })
        }
        408 | 500.. => Err(request.unavailable(format!("the forge failed (HTTP {})", answer.status))),
        _ => Ok(answer),
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("address", &self.address).finish_non_exhaustive()
    }
}
