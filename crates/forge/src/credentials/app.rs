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
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;
use tokio::sync::Mutex as AsyncMutex;

use super::{
    Access, Account, Bearer,
    permission::{self, Lacking, Permissions},
};
use crate::{
    Error, Extra,
    api::{Api, Request},
};

/// The statement is dated back by this much, so that a forge whose clock is behind ours takes it; GitHub's advice.
const BACKDATED: TimeDelta = TimeDelta::seconds(60);

/// How long the statement is valid: GitHub refuses more than ten minutes, and its clock may be ahead of ours.
const STATEMENT_LIFE: TimeDelta = TimeDelta::seconds(540);

/// A token is replaced this long before it ends: longer than any one operation takes.
const TOKEN_MARGIN: TimeDelta = TimeDelta::minutes(5);

/// What is known of an installation is looked up anew after this long: permissions are granted and taken away, and a
/// token is minted at most twice an hour for each repository.
const INSTALLATION_LIFE: TimeDelta = TimeDelta::minutes(10);

/// An App with what it knows of its installations.
pub(crate) struct App {
    issuer: Issuer,
    key: EncodingKey,
    extras: Vec<Extra>,
    statement: Mutex<Option<Kept>>,
    installations: Slots<Repository, Installation>,
    tokens: Slots<(Repository, Access), Token>,
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

/// An installation, as it was when we looked.
#[derive(Clone, Debug)]
struct Installation {
    id: u64,
    /// What it was granted, where the forge says so.
    granted: Option<Permissions>,
    until: DateTime<Utc>,
}

/// A token, and the installation that it is of.
#[derive(Clone, Debug)]
struct Token {
    kept: Kept,
    installation: u64,
}

/// `GET /repos/{owner}/{repo}/installation`.
#[derive(Deserialize)]
struct Found {
    id: u64,
    permissions: Option<Permissions>,
    #[serde(default)]
    events: Vec<String>,
}

#[derive(Deserialize)]
struct Minted {
    token: String,
    expires_at: String,
}

impl App {
    /// Checks the id and the key.
    pub(crate) fn new(id: &str, private_key: &SecretString, extras: &[Extra]) -> Result<Self, Error> {
        let id = id.trim();
        if id.is_empty() {
            let what = "the App's id is empty".to_owned();
            return Err(Error::Settings { what });
        }
        let issuer = id.parse().map_or_else(|_| Issuer::ClientId(id.to_owned()), Issuer::Number);
        let key = EncodingKey::from_rsa_pem(private_key.expose_secret().trim().as_bytes()).map_err(|_not_shown| {
            Error::Settings { what: "the App's private key is not an RSA key in PEM form".to_owned() }
        })?;
        Ok(Self {
            issuer,
            key,
            extras: extras.to_vec(),
            statement: Mutex::default(),
            installations: Slots::default(),
            tokens: Slots::default(),
        })
    }

    /// A token of the installation that may see the repository. One that may write is taken to read as well.
    pub(crate) async fn bearer(&self, api: &Api, repository: &Repository, access: Access) -> Result<Bearer, Error> {
        if access == Access::Read
            && let Some(bearer) = self.kept(repository, Access::Write).await
        {
            return Ok(bearer);
        }
        let slot = slot(&self.tokens, &(repository.clone(), access));
        let mut kept = slot.lock().await;
        if let Some(bearer) = kept.as_ref().and_then(|token| token.at(Utc::now())) {
            return Ok(bearer);
        }
        let token = self.replace(api, repository, access).await?;
        let bearer = Bearer { secret: token.kept.secret.clone(), account: Account::Installation(token.installation) };
        *kept = Some(token);
        Ok(bearer)
    }

    /// Forgets a token, unless it was replaced meanwhile, and what is known of the installation.
    pub(crate) async fn forget(&self, repository: &Repository, refused: &SecretString) {
        for access in [Access::Read, Access::Write] {
            let slot = slot(&self.tokens, &(repository.clone(), access));
            let mut token = slot.lock().await;
            let is_refused = |token: &Token| token.kept.secret.expose_secret() == refused.expose_secret();
            if token.as_ref().is_some_and(is_refused) {
                *token = None;
                forget_if(&self.installations, |known, _| known == repository);
            }
        }
    }

    /// The installation that a repository was last found in.
    pub(crate) fn account(&self, repository: &Repository) -> Option<Account> {
        let slot = slot(&self.installations, repository);
        let installation = slot.try_lock().ok()?;
        installation.as_ref().map(|installation| Account::Installation(installation.id))
    }

    /// Forgets an installation and its tokens. One that is just being minted is not kept.
    pub(crate) fn forget_installation(&self, id: u64) {
        forget_if(&self.installations, |_, installation| installation.id == id);
        forget_if(&self.tokens, |_, token| token.installation == id);
    }

    async fn kept(&self, repository: &Repository, access: Access) -> Option<Bearer> {
        let slot = slot(&self.tokens, &(repository.clone(), access));
        let token = slot.lock().await;
        token.as_ref().and_then(|token| token.at(Utc::now()))
    }

    /// A new token. What was known of the installation may have changed: then it is looked up once more.
    async fn replace(&self, api: &Api, repository: &Repository, access: Access) -> Result<Token, Error> {
        let slot = slot(&self.installations, repository);
        let mut known = slot.lock().await;
        if let Some(installation) = known.take_if(|installation| installation.until > Utc::now()) {
            match self.mint(api, (repository, access), &installation).await {
                Ok(token) => {
                    *known = Some(installation);
                    return Ok(token);
                }
                Err(Error::NotInstalled { .. } | Error::NotGranted { .. } | Error::Forbidden { .. }) => {}
                Err(other) => return Err(other),
            }
        }
        let installation = self.installation(api, repository).await?;
        let token = self.mint(api, (repository, access), &installation).await?;
        *known = Some(installation);
        Ok(token)
    }

    /// What the installation lacks, and which events it is told about.
    pub(crate) async fn survey(
        &self,
        api: &Api,
        repository: &Repository,
        access: Access,
    ) -> Result<(Vec<Lacking>, Vec<String>), Error> {
        let Found { permissions, events, .. } = self.find(api, repository).await?;
        Ok((permission::lacking(access, &self.extras, &permissions.unwrap_or_default()), events))
    }

    /// What the forge says to the App itself.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, api: &Api, request: &Request) -> Result<T, Error> {
        let answer = api.send(&self.statement(Utc::now())?, request).await?;
        if answer.status == 200 { answer.read(request) } else { Err(request.refused(answer.message())) }
    }

    async fn installation(&self, api: &Api, repository: &Repository) -> Result<Installation, Error> {
        let Found { id, permissions, .. } = self.find(api, repository).await?;
        Ok(Installation { id, granted: permissions, until: Utc::now() + INSTALLATION_LIFE })
    }

    async fn find(&self, api: &Api, repository: &Repository) -> Result<Found, Error> {
        let path = format!("/repos/{repository}/installation");
        let doing = format!("looking for the App's installation on {repository}");
        let request = Request::get(path, doing);
        let answer = api.send(&self.statement(Utc::now())?, &request).await?;
        match answer.status {
            200 => answer.read(&request),
            404 => Err(Error::NotInstalled { repository: repository.clone() }),
            _ => Err(request.refused(answer.message())),
        }
    }

    /// Asks for a token that is good for one repository and for what is done there.
    async fn mint(
        &self,
        api: &Api,
        (repository, access): (&Repository, Access),
        installation: &Installation,
    ) -> Result<Token, Error> {
        let not_granted = |permissions| Error::NotGranted { repository: repository.clone(), permissions };
        let permissions =
            permission::choose(access, &self.extras, installation.granted.as_ref()).map_err(not_granted)?;
        let path = format!("/app/installations/{}/access_tokens", installation.id);
        let doing = format!("asking for a token of the App's installation on {repository}");
        let body = json!({ "repositories": [repository.name()], "permissions": permissions });
        let request = Request::post(path, body, doing).needing("the installation may be suspended").unseen();
        let answer = api.send(&self.statement(Utc::now())?, &request).await?;
        match answer.status {
            201 => {
                let minted: Minted = answer.read(&request)?;
                let until = DateTime::parse_from_rfc3339(&minted.expires_at)
                    .ok()
                    .and_then(|end| end.to_utc().checked_sub_signed(TOKEN_MARGIN))
                    .ok_or_else(|| request.unavailable("the token has no end"))?;
                let kept = Kept { secret: minted.token.into(), until };
                Ok(Token { kept, installation: installation.id })
            }
            404 => Err(Error::NotInstalled { repository: repository.clone() }),
            422 if is_about_a_repository(&answer.message()) => {
                Err(Error::NotInstalled { repository: repository.clone() })
            }
            422 => Err(not_granted(permission::titles(access, &self.extras))),
            _ => Err(request.refused(answer.message())),
        }
    }

    /// The signed statement that we are the App; signing takes a millisecond, so it is kept.
    fn statement(&self, now: DateTime<Utc>) -> Result<Bearer, Error> {
        let secret = self.signed(now)?;
        Ok(Bearer { secret, account: Account::App })
    }

    fn signed(&self, now: DateTime<Utc>) -> Result<SecretString, Error> {
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

impl Token {
    /// What requests are authorised with, while it is to be used.
    fn at(&self, now: DateTime<Utc>) -> Option<Bearer> {
        let account = Account::Installation(self.installation);
        self.kept.at(now).map(|secret| Bearer { secret, account })
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

/// Takes what is so out of the slots, and what is just being found: who looks for it keeps it for himself.
fn forget_if<K: Eq + Hash, V>(slots: &Slots<K, V>, is_so: impl Fn(&K, &V) -> bool) {
    let mut slots = slots.lock().unwrap_or_else(PoisonError::into_inner);
    slots.retain(|key, slot| slot.try_lock().is_ok_and(|value| !value.as_ref().is_some_and(|value| is_so(key, value))));
}

/// Whether a token was refused because the installation may not see the repository (any more).
fn is_about_a_repository(message: &str) -> bool {
    message.to_lowercase().contains("repositor")
}

#[cfg(test)]
mod tests;
