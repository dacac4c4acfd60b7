//! The GitHub App, its installations and its tokens, and who may do what.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    options::TokenFormat,
    refusal::Refusal,
    world::{
        World,
        repository::{Key, Repository},
    },
};

/// Permissions by name (`contents`), with `read` or `write`.
pub(crate) type Permissions = BTreeMap<String, String>;

/// The App that the forge knows.
pub(crate) struct App {
    pub(crate) id: u64,
    pub(crate) slug: String,
    /// Checks the App's signature.
    pub(crate) public_key: DecodingKey,
    pub(crate) token_format: TokenFormat,
    pub(crate) permissions: Permissions,
    /// The events that it is told about.
    pub(crate) events: BTreeSet<String>,
    /// The number of each owner's installation.
    pub(crate) installations: BTreeMap<String, u64>,
}

/// A token of an installation.
#[derive(Clone, Debug)]
pub(crate) struct InstallationToken {
    pub(crate) owner: String,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) permissions: Permissions,
    /// The repositories that it is for; `None` for all of the installation.
    pub(crate) repositories: Option<BTreeSet<Key>>,
}

/// Who is asking.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// The App itself, by its signature.
    App,
    /// The App where it is installed.
    Installation { token: String, grant: InstallationToken },
    /// A person, by a personal token.
    Person(String),
}

/// How much of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// GitHub accepts no App signature that lives longer
/// (<https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>).
const LONGEST_SIGNATURE: TimeDelta = TimeDelta::minutes(10);

/// The sandbox's time has whole seconds, so that an exact client may be ahead by one.
const ROUNDING: TimeDelta = TimeDelta::seconds(1);

/// How long a token of an installation lives on GitHub.
const TOKEN_LIFE: TimeDelta = TimeDelta::hours(1);

const NOT_A_SIGNATURE: &str = "A JSON web token could not be decoded";

#[derive(Deserialize)]
struct Claims {
    iss: Option<Value>,
    iat: Option<f64>,
    exp: Option<f64>,
}

impl App {
    /// The account name under which the App acts.
    pub(crate) fn login(&self) -> String {
        format!("{}[bot]", self.slug)
    }

    /// The identifier that newer Apps sign with in place of their number.
    pub(crate) fn client_id(&self) -> String {
        format!("Iv23sandbox{:09}", self.id)
    }

    /// Installs the App for an owner, if it is not yet.
    pub(crate) fn install_for(&mut self, owner: &str) {
        let next = self.id * 1000 + 1 + u64::try_from(self.installations.len()).unwrap_or(0);
        self.installations.entry(owner.to_ascii_lowercase()).or_insert(next);
    }

    /// The number of an owner's installation.
    pub(crate) fn installation_of(&self, owner: &str) -> Option<u64> {
        self.installations.get(&owner.to_ascii_lowercase()).copied()
    }

    fn verify(&self, signature: &str, now: DateTime<Utc>) -> Result<(), Refusal> {
        let claims = self.claims(signature).ok_or_else(|| Refusal::unauthenticated(NOT_A_SIGNATURE))?;
        let time = |seconds: f64| {
            let whole = format!("{seconds:.0}").parse().unwrap_or(i64::MAX);
            DateTime::from_timestamp(whole, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
        };
        let refused = |text: &str| Err(Refusal::unauthenticated(text));
        match claims.exp.map(time) {
            Some(exp) if exp > now + LONGEST_SIGNATURE + ROUNDING => {
                return refused("'Expiration time' claim ('exp') is too far in the future");
            }
            Some(exp) if exp > now => {}
            _ => {
                return refused(
                    "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
                );
            }
        }
        if claims.iat.map(time).is_none_or(|iat| iat > now + ROUNDING) {
            return refused(
                "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
            );
        }
        let issuer = claims.iss.map(|iss| iss.as_str().map_or_else(|| iss.to_string(), str::to_owned));
        match issuer {
            Some(issuer) if issuer == self.id.to_string() || issuer == self.client_id() => Ok(()),
            Some(_) => Err(Refusal::new(axum::http::StatusCode::NOT_FOUND, "Integration not found")),
            None => refused("'Issuer' claim ('iss') must be an Integer"),
        }
    }

    /// The claims of a signature made with the App's key. Times are judged by the sandbox's clock, not here.
    fn claims(&self, signature: &str) -> Option<Claims> {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        jsonwebtoken::decode(signature, &self.public_key, &validation).ok().map(|token| token.claims)
    }

    fn new_token(&self) -> String {
        let random = |length| iter::repeat_with(fastrand::alphanumeric).take(length).collect::<String>();
        match self.token_format {
            TokenFormat::Classic => format!("ghs_{}", random(36)),
            // The lengths of a small header, the claims, and an RSA signature of 256 bytes.
            TokenFormat::Stateless => {
                format!("ghs_{}_eyJ{}.eyJ{}.{}", self.id, random(33), random(127), random(342))
            }
        }
    }
}

impl World {
    /// Finds out who is asking from the value of the header `Authorization`.
    pub(crate) fn authenticate(&self, authorization: Option<&str>) -> Result<Caller, Refusal> {
        let bad = || Refusal::unauthenticated("Bad credentials");
        let Some(authorization) = authorization else {
            return Err(Refusal::unauthenticated("Requires authentication"));
        };
        let token = credential(authorization).ok_or_else(bad)?;
        if let Some(login) = self.personal_tokens.get(&token) {
            return Ok(Caller::Person(login.clone()));
        }
        if let Some(grant) = self.tokens.get(&token) {
            let grant = grant.clone();
            return if grant.expires_at > self.now() { Ok(Caller::Installation { token, grant }) } else { Err(bad()) };
        }
        if token.starts_with("ey") && token.matches('.').count() == 2 {
            self.app.verify(&token, self.now())?;
            return Ok(Caller::App);
        }
        Err(bad())
    }

    /// Makes a token for the owner of an installation.
    pub(crate) fn issue_token(
        &mut self,
        owner: &str,
        permissions: Permissions,
        repositories: Option<BTreeSet<Key>>,
    ) -> (String, InstallationToken) {
        let token = self.app.new_token();
        let expires_at = self.now() + TOKEN_LIFE;
        let grant = InstallationToken { owner: owner.to_owned(), expires_at, permissions, repositories };
        self.tokens.insert(token.clone(), grant.clone());
        (token, grant)
    }

    /// The account name of who is asking.
    pub(crate) fn login_of(&self, caller: &Caller) -> String {
        match caller {
            Caller::App | Caller::Installation { .. } => self.app.login(),
            Caller::Person(login) => login.clone(),
        }
    }

    /// A repository for somebody who needs a permission on it.
    pub(crate) fn permitted(
        &self,
        caller: &Caller,
        key: &Key,
        permission: &str,
        access: Access,
    ) -> Result<&Repository, Refusal> {
        let repository = self.repository(key)?;
        match caller {
            Caller::Person(_) => Ok(repository),
            Caller::App => Err(Refusal::not_accessible()),
            Caller::Installation { grant, .. } if !grant.covers(repository) => Err(Refusal::not_found()),
            Caller::Installation { grant, .. } if !grant.allows(permission, access) => Err(Refusal::not_accessible()),
            Caller::Installation { .. } => Ok(repository),
        }
    }
}

impl InstallationToken {
    /// Whether a repository is one of those that it is for.
    pub(crate) fn covers(&self, repository: &Repository) -> bool {
        repository.installed
            && repository.key.owner().eq_ignore_ascii_case(&self.owner)
            && self.repositories.as_ref().is_none_or(|keys| keys.contains(&repository.key))
    }

    fn allows(&self, permission: &str, access: Access) -> bool {
        match self.permissions.get(permission).map(String::as_str) {
            Some("write" | "admin") => true,
            Some(_) => access == Access::Read,
            None => permission == "metadata" && access == Access::Read,
        }
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("id", &self.id).field("slug", &self.slug).finish_non_exhaustive()
    }
}

/// The token in `Bearer …`, `token …`, or in the password of `Basic …` (GitHub also takes it as the user).
fn credential(authorization: &str) -> Option<String> {
    let (scheme, value) = authorization.split_once(' ')?;
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" | "token" => Some(value.trim().to_owned()),
        "basic" => {
            let decoded = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
            let (user, password) = decoded.split_once(':')?;
            Some(if password.is_empty() || password == "x-oauth-basic" { user } else { password }.to_owned())
        }
        _ => None,
    }
}
