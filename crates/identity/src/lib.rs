//! Proves who sent a token: OpenID Connect identity tokens, their keys fetched, kept and rotated.
//!
//! GitHub Actions and Google's Pub/Sub show who they are with a token that their issuer has signed. A [`Verifier`]
//! knows one such issuer and the audience that tokens for us must name. What the claims beyond that mean is not
//! decided here: they are given to the caller in a type of its own.
//!
//! The rules are those of OpenID Connect Core 1.0 section 3.1.3.7 and RFC 8725, "JSON Web Token Best Current
//! Practices": the algorithm is ours and never the token's, issuer and audience must be the ones that are expected, and
//! times are checked with little leeway.
//!
//! Read the modules in this order:
//!
//! - `error`: why a token proves nothing.
//! - `token`: the checks of one token.
//! - `keys`: the issuer's public keys.

mod error;
mod keys;
mod token;

use chrono::{DateTime, Utc};
use reqwest::Client;
use serde::de::DeserializeOwned;
use url::Url;

pub use error::Error;
use keys::Keys;

/// The longest token that is looked at, in bytes; real ones have about 1,500.
const LONGEST_TOKEN: usize = 16 * 1024;

/// One issuer as it is expected.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The spellings of its name, any of which may be the claim `iss`.
    pub issuers: Vec<String>,
    /// What the claim `aud` must be: a name for us that no other receiver of such tokens has.
    pub audience: String,
    /// Where its public keys are, as a JSON Web Key Set (RFC 7517). It is the only address that is ever asked.
    pub keys_url: Url,
}

/// What verifies the tokens of one issuer.
#[derive(Debug)]
pub struct Verifier {
    settings: Settings,
    keys: Keys,
}

/// The claims of a token that is what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<C> {
    /// The claims that the caller asked for.
    pub claims: C,
    /// When the token ends; it may be shown again until then.
    pub expires_at: DateTime<Utc>,
}

impl Verifier {
    /// Makes the client that fetches keys; nothing is fetched before the first token.
    ///
    /// # Errors
    ///
    /// [`Error::Client`]: the system's certificates can not be read.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let client = Client::builder()
            .timeout(keys::TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(Error::Client)?;
        let keys = Keys::new(client, settings.keys_url.clone());
        Ok(Self { settings, keys })
    }

    /// Checks a token and reads its claims. May fetch the issuer's keys, at most once a minute.
    ///
    /// # Errors
    ///
    /// [`Error::Keys`] when the keys could not be had, which may pass; with any other the token proves nothing.
    pub async fn verify<C: DeserializeOwned>(
        &self,
        unverified: &str,
        now: DateTime<Utc>,
    ) -> Result<Verified<C>, Error> {
        if unverified.len() > LONGEST_TOKEN {
            return Err(Error::TooLong { bytes: unverified.len(), limit: LONGEST_TOKEN });
        }
        let kid = token::key_id(unverified)?;
        let key = self.keys.find(&kid, now).await?;
        token::verify(unverified, &key, &self.settings, now)
    }
}
