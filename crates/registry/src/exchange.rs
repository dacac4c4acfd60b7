//! Trades credentials for a token, where a registry wants one
//! (<https://distribution.github.io/distribution/spec/auth/token/>).
//!
//! The client library does that too, and does not say with which status a token service failed; so that one that is down
//! would look like credentials that are wrong.

use std::{collections::BTreeMap, time::Duration};

use http::{StatusCode, header};
use oci_client::{errors::OciDistributionError, secrets::RegistryAuth};
use reqwest::Client;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

/// How long a token is used that does not say for how long: they are good for a minute at least.
const LIFE: u64 = 60;

/// How long before its end a token is not used any more.
const MARGIN: Duration = Duration::from_secs(15);

/// A token, and how long it is used.
pub(crate) struct Traded {
    pub(crate) token: SecretString,
    pub(crate) life: Duration,
}

#[derive(Deserialize)]
struct Answer {
    token: Option<SecretString>,
    access_token: Option<SecretString>,
    expires_in: Option<u64>,
}

/// Asks the registry at an address what it wants, and trades for a token of a scope; `None` where it wants none.
pub(crate) async fn trade(
    client: &Client,
    base: &str,
    scope: &str,
    auth: &RegistryAuth,
) -> Result<Option<Traded>, OciDistributionError> {
    let asked = client.get(format!("{base}/v2/")).send().await?;
    let challenge = asked.headers().get_all(header::WWW_AUTHENTICATE).iter();
    let Some(challenge) = challenge.filter_map(|value| value.to_str().ok()).find_map(challenge_of) else {
        return Ok(None);
    };
    let realm = challenge.get("realm").and_then(|realm| realm.parse::<Url>().ok());
    let Some(mut url) = realm.filter(|url| matches!(url.scheme(), "http" | "https")) else {
        let why = "the registry names no token service".to_owned();
        return Err(OciDistributionError::AuthenticationFailure(why));
    };
    {
        let mut query = url.query_pairs_mut();
        query.extend_pairs(challenge.get("service").map(|service| ("service", service)));
        query.append_pair("scope", scope);
    }
    let request = client.get(url.clone());
    let request = match auth {
        RegistryAuth::Basic(username, password) => request.basic_auth(username, Some(password)),
        RegistryAuth::Anonymous | RegistryAuth::Bearer(_) => request,
    };
    let answer = request.send().await?;
    let status = answer.status();
    match status {
        StatusCode::OK => {}
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            url.set_query(None);
            let message = "the token service failed".to_owned();
            return Err(OciDistributionError::ServerError { code: status.as_u16(), url: url.into(), message });
        }
        status => {
            return Err(OciDistributionError::AuthenticationFailure(format!("the token service answered {status}")));
        }
    }
    let odd = |what: &str| OciDistributionError::RegistryTokenDecodeError(what.to_owned());
    let answer: Answer =
        serde_json::from_slice(&answer.bytes().await?).map_err(|_has_secrets| odd("it is not JSON"))?;
    let token = answer.token.or(answer.access_token).ok_or_else(|| odd("it has no token"))?;
    let life = Duration::from_secs(answer.expires_in.unwrap_or(LIFE)).saturating_sub(MARGIN);
    Ok(Some(Traded { token, life }))
}

/// The parameters of a challenge for a bearer token, `Bearer realm="…",service="…"` (RFC 9110 section 11.6.1).
pub(crate) fn challenge_of(text: &str) -> Option<BTreeMap<String, String>> {
    let (scheme, rest) = text.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let mut parameters = BTreeMap::new();
    let mut rest = rest.trim();
    while let Some((name, after)) = rest.split_once('=') {
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        let name = name.trim_matches(|c: char| c == ',' || c.is_whitespace()).to_ascii_lowercase();
        parameters.insert(name, value.trim().to_owned());
        rest = after.trim_start_matches([',', ' ']);
    }
    Some(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_read_however_it_is_written() {
        let read = |text: &str| {
            challenge_of(text)
                .map(|all| all.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>())
        };
        let expected =
            Some(vec!["realm=https://t.example/token".to_owned(), "scope=a:b,c:d".to_owned(), "service=r".to_owned()]);
        for text in [
            r#"Bearer realm="https://t.example/token",service="r",scope="a:b,c:d""#,
            r#"bearer Realm="https://t.example/token", service=r, scope="a:b,c:d""#,
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        assert_eq!(read(r#"Basic realm="x""#), None);
        assert_eq!(read("Bearer"), None);
        assert_eq!(read(r#"Bearer realm="x"#), None);
        assert_eq!(read("Bearer nonsense"), Some(vec![]));
    }
}
