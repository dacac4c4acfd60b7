//! How those are asked who give out credentials.

use std::time::Duration;

use domain::excerpt::excerpt;
use reqwest::{Client, RequestBuilder, StatusCode, redirect::Policy};
use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;
use url::Url;

use super::LoginError;
use crate::access::{Access, Timeouts};

/// How long one of them may take: a machine's own service answers in milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// The largest answer that is read, in bytes; those with the longest tokens have some thousand.
const LARGEST: usize = 256 * 1024;

/// How many characters of a refusal are shown.
const SHOWN: usize = 200;

/// Clients for those on this machine, and for those that are reached as the registry is. None follows a redirect: it
/// would carry credentials elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Web {
    pub(crate) near: Client,
    pub(crate) far: Client,
}

impl Web {
    pub(crate) fn new(access: &Access, timeouts: Timeouts) -> Result<Self, reqwest::Error> {
        let builder = || {
            Client::builder()
                .user_agent(concat!("tagferry/", env!("CARGO_PKG_VERSION")))
                .redirect(Policy::none())
                .connect_timeout(timeouts.connect)
        };
        let near = builder().timeout(PATIENCE).no_proxy().build()?;
        // Whoever asks waits no longer than for one answer altogether.
        let mut far = builder();
        for root in &access.roots {
            far = far.add_root_certificate(reqwest::Certificate::from_pem(root)?);
        }
        if let Some(proxy) = &access.proxy {
            far = far.proxy(reqwest::Proxy::all(proxy.expose_secret())?);
        }
        Ok(Self { near, far: far.build()? })
    }
}

/// The answer to a request, as JSON.
pub(super) async fn json<T: DeserializeOwned>(
    request: RequestBuilder,
    (whom, what): (&'static str, &'static str),
) -> Result<T, LoginError> {
    serde_json::from_slice(&bytes(request, whom).await?).map_err(|_has_secrets| LoginError::Answer { whom, what })
}

/// The answer to a request, as text.
pub(super) async fn text(request: RequestBuilder, whom: &'static str) -> Result<String, LoginError> {
    Ok(String::from_utf8_lossy(&bytes(request, whom).await?).into_owned())
}

async fn bytes(request: RequestBuilder, whom: &'static str) -> Result<Vec<u8>, LoginError> {
    let unavailable = |error: reqwest::Error| {
        // The address may have a token in it.
        let why = domain::fault::Chain(&error.without_url()).to_string();
        LoginError::Unavailable { whom, why }
    };
    let mut answer = request.send().await.map_err(unavailable)?;
    let status = answer.status();
    let mut body = Vec::new();
    while let Some(more) = answer.chunk().await.map_err(unavailable)? {
        if body.len() + more.len() > LARGEST {
            return Err(LoginError::Unavailable { whom, why: format!("its answer has more than {LARGEST} bytes") });
        }
        body.extend_from_slice(&more);
    }
    if status.is_success() {
        return Ok(body);
    }
    if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::REQUEST_TIMEOUT {
        return Err(LoginError::Unavailable { whom, why: format!("it answered {status}") });
    }
    let why = excerpt(&String::from_utf8_lossy(&body)).chars().take(SHOWN).collect();
    Err(LoginError::Refused { whom, status: status.as_u16(), why })
}

/// A form as a body.
pub(super) fn form(request: RequestBuilder, pairs: &[(&str, &str)]) -> RequestBuilder {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    request.header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
}

/// An address below another.
pub(super) fn below(base: &Url, path: &str) -> String {
    format!("{}{path}", base.as_str().trim_end_matches('/'))
}
