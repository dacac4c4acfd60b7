//! Google as a receiver of Pub/Sub's pushes meets it: identity tokens of service accounts
//! (<https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions>), and the keys to verify them with.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, jwk::Jwk};
use serde_json::{Value, json};

use super::Shelf;
use crate::{Error, key::AppKey};

/// What the keys are called.
const KEY_IDS: [&str; 2] = ["google-old", "google-new"];

/// Google, with two keys: it signs with either.
#[derive(Debug)]
pub struct Google {
    shelf: Shelf,
    keys: [AppKey; 2],
}

impl Google {
    /// Starts the server that has the keys.
    ///
    /// # Errors
    ///
    /// [`Error::Key`] when no keys can be made here, [`Error::Listen`] when there is no port.
    pub async fn start() -> Result<Self, Error> {
        let keys = [AppKey::generate()?, AppKey::generate()?];
        let mut set = Vec::new();
        for (key, id) in keys.iter().zip(KEY_IDS) {
            let mut jwk = Jwk::from_encoding_key(&private(key)?, Algorithm::RS256).map_err(|_unhelpful| Error::Key)?;
            jwk.common.key_id = Some(id.to_owned());
            set.push(jwk);
        }
        Ok(Self { shelf: Shelf::start(json!({ "keys": set }).to_string()).await?, keys })
    }

    /// Where its keys are.
    #[must_use]
    pub fn keys_url(&self) -> String {
        format!("{}/oauth2/v3/certs", self.shelf.url())
    }

    /// From now on the keys' address answers with this status.
    pub fn set_status(&self, status: u16) {
        self.shelf.set_status(status);
    }

    /// From now on these are its keys, in place of those that it signs with.
    pub fn set_keys(&self, set: &str) {
        self.shelf.set_text(set.to_owned());
    }

    /// How often it was asked for its keys.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.shelf.asked().len()
    }

    /// The claims of a token for this audience, of a service account, as they are when it is made.
    #[must_use]
    pub fn claims(audience: &str, email: &str, now: DateTime<Utc>) -> Value {
        json!({
            "iss": "https://accounts.google.com", "aud": audience, "azp": "113774264463038321964",
            "sub": "113774264463038321964", "email": email, "email_verified": true,
            "iat": now.timestamp(), "exp": now.timestamp() + 3600,
        })
    }

    /// A token with these claims, signed with its first key.
    ///
    /// # Errors
    ///
    /// [`Error::Key`]: nothing can be signed here.
    pub fn sign(&self, claims: &Value) -> Result<String, Error> {
        let [first, _] = &self.keys;
        token(KEY_IDS[0], first, claims)
    }

    /// The same with its second key.
    ///
    /// # Errors
    ///
    /// [`Error::Key`]: nothing can be signed here.
    pub fn sign_with_new_key(&self, claims: &Value) -> Result<String, Error> {
        let [_, second] = &self.keys;
        token(KEY_IDS[1], second, claims)
    }

    /// A token that names its first key and is signed with another.
    ///
    /// # Errors
    ///
    /// [`Error::Key`]: nothing can be signed here.
    pub fn forge(&self, claims: &Value) -> Result<String, Error> {
        let [_, second] = &self.keys;
        token(KEY_IDS[0], second, claims)
    }
}

fn private(key: &AppKey) -> Result<EncodingKey, Error> {
    EncodingKey::from_rsa_pem(key.private_pem.as_bytes()).map_err(|_unhelpful| Error::Key)
}

fn token(id: &str, key: &AppKey, claims: &Value) -> Result<String, Error> {
    let header = Header { kid: Some(id.to_owned()), ..Header::new(Algorithm::RS256) };
    encode(&header, claims, &private(key)?).map_err(|_unhelpful| Error::Key)
}
