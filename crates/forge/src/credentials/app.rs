//! A GitHub App: it proves itself with a signed statement, and is given a token by each of its installations
//! (<https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app>).

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::forge::Repository;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Mutex as AsyncMutex;

use crate::{
    Error,
    api::{Api, Request},
};

/// The statement is dated back by this much, so that a forge whose clock is behind ours takes it; GitHub's advice.
const BACKDATED: TimeDelta = TimeDelta::seconds(60);

/// How long the statement is valid: GitHub refuses more than ten minutes, and its clock may be ahead of ours.
const STATEMENT_LIFE: TimeDelta = TimeDelta::seconds(540);

/// A token is replaced this long before it ends: longer than any one operation takes.
const TOKEN_MARGIN: TimeDelta = TimeDelta::minutes(5);

/// An App with what it knows of its installations.
pub(crate) struct App {
    issuer: Issuer,
    key: EncodingKey,
    statement: Mutex<Option<Kept>>,
    installations: Slots<Repository, u64>,
    tokens: Slots<u64, Kept>,
}

/// A value per key, found once however many ask for it at the same time.
type Slots<K, V> = Mutex<HashMap<K, Arc<AsyncMutex<Option<V>>>>>;

/// A secret and when it is no longer to be used.
#[derive(Clone, Debug)]
struct Kept {
    secret: SecretString,
    until: DateTime<Utc>,
}

/// The App as its statement names it: by number, or by client id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Issuer {
    Number(u64),
    ClientId(String),
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Claims<'a> {
    iat: i64,
    exp: i64,
    iss: &'a Issuer,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
}

#[derive(Deserialize)]
struct Minted {
    token: String,
    expires_at: String,
}

impl App {
    /// Checks the id and the key.
    pub(crate) fn new(id: &str, private_key: &SecretString) -> Result<Self, Error> {
        let id = id.trim();
        if id.is_empty() {
            let what = "the App's id is empty".to_owned();
            return Err(Error::Settings { what });
        }
        let issuer = id.parse().map_or_else(|_| Issuer::ClientId(id.to_owned()), Issuer::Number);
        let key = EncodingKey::from_rsa_pem(private_key.expose_secret().trim().as_bytes()).map_err(|_not_shown| {
            Error::Settings { what: "the App's private key is not an RSA key in PEM form".to_owned() }
        })?;
        Ok(Self { issuer, key, statement: Mutex::default(), installations: Slots::default(), tokens: Slots::default() })
    }

    /// The token of the installation that may see the repository.
    pub(crate) async fn token(&self, api: &Api, repository: &Repository) -> Result<SecretString, Error> {
        let slot = slot(&self.installations, repository);
        let mut found = slot.lock().await;
        let installation = match *found {
            Some(installation) => installation,
            None => *found.insert(self.installation(api, repository).await?),
        };
        drop(found);
        let token = self.token_of(api, repository, installation).await;
        if matches!(token, Err(Error::NotInstalled { .. })) {
            // It was installed anew under another number, or not at all any more.
            *slot.lock().await = None;
        }
        token
    }

    /// Forgets a token, unless it was replaced meanwhile.
    pub(crate) async fn forget(&self, repository: &Repository, refused: &SecretString) {
        let slot_of_id = slot(&self.installations, repository);
        let Some(installation) = *slot_of_id.lock().await else {
            return;
        };
        let slot_of_token = slot(&self.tokens, &installation);
        let mut kept = slot_of_token.lock().await;
        let is_refused = |kept: &Kept| kept.secret.expose_secret() == refused.expose_secret();
        if kept.as_ref().is_some_and(is_refused) {
            *kept = None;
        }
    }

    async fn token_of(&self, api: &Api, repository: &Repository, installation: u64) -> Result<SecretString, Error> {
        let slot = slot(&self.tokens, &installation);
        let mut kept = slot.lock().await;
        if let Some(secret) = kept.as_ref().and_then(|kept| kept.at(Utc::now())) {
            return Ok(secret);
        }
        let minted = self.mint(api, repository, installation).await?;
        let secret = minted.secret.clone();
        *kept = Some(minted);
        Ok(secret)
    }

    async fn installation(&self, api: &Api, repository: &Repository) -> Result<u64, Error> {
        let path = format!("/repos/{repository}/installation");
        let doing = format!("looking for the App's installation on {repository}");
        let request = Request::get(path, doing);
        let answer = api.send(&self.statement(Utc::now())?, &request).await?;
        match answer.status {
            200 => Ok(answer.read::<Installation>(&request)?.id),
            404 => Err(Error::NotInstalled { repository: repository.clone() }),
            _ => Err(request.refused(answer.message())),
        }
    }

    async fn mint(&self, api: &Api, repository: &Repository, installation: u64) -> Result<Kept, Error> {
        let path = format!("/app/installations/{installation}/access_tokens");
        let doing = format!("asking for a token of the App's installation on {repository}");
        let request = Request::post(path, json!({}), doing).needing("the installation may be suspended");
        let answer = api.send(&self.statement(Utc::now())?, &request).await?;
        match answer.status {
            201 => {
                let minted: Minted = answer.read(&request)?;
                let until = DateTime::parse_from_rfc3339(&minted.expires_at)
                    .ok()
                    .and_then(|end| end.to_utc().checked_sub_signed(TOKEN_MARGIN))
                    .ok_or_else(|| request.unavailable("the token has no end"))?;
                Ok(Kept { secret: minted.token.into(), until })
            }
            404 => Err(Error::NotInstalled { repository: repository.clone() }),
            _ => Err(request.refused(answer.message())),
        }
    }

    /// The signed statement that we are the App; signing takes a millisecond, so it is kept.
    fn statement(&self, now: DateTime<Utc>) -> Result<SecretString, Error> {
        let mut statement = self.statement.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(secret) = statement.as_ref().and_then(|kept| kept.at(now)) {
            return Ok(secret);
        }
        let claims = self.claims(now);
        let signed = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &self.key)
            .map_err(|source| Error::Settings { what: format!("the App's private key can not sign ({source})") })?;
        let secret = SecretString::from(signed);
        let until = now + STATEMENT_LIFE - BACKDATED;
        *statement = Some(Kept { secret: secret.clone(), until });
        Ok(secret)
    }

    fn claims(&self, now: DateTime<Utc>) -> Claims<'_> {
        Claims { iat: (now - BACKDATED).timestamp(), exp: (now + STATEMENT_LIFE).timestamp(), iss: &self.issuer }
    }
}

impl Kept {
    /// The secret, while it is to be used.
    fn at(&self, now: DateTime<Utc>) -> Option<SecretString> {
        (now < self.until).then(|| self.secret.clone())
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

fn slot<K: Clone + Eq + Hash, V>(slots: &Slots<K, V>, key: &K) -> Arc<AsyncMutex<Option<V>>> {
    let mut slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(slots.entry(key.clone()).or_default())
}

#[cfg(test)]
mod tests;
