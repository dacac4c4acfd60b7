//! Who pushes messages of Pub/Sub.
//!
//! The rules: <https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions>. The token names the account that
//! the subscription pushes as. It lives for an hour and is sent with many messages, so that it says nothing of the body.

use chrono::{DateTime, Utc};
use domain::fault::Fault;
use identity::Verifier;
use serde::Deserialize;
use url::Url;

use crate::webhook::{
    Head, InvalidTrust, Refused, Unauthenticated, Verified, credential::behind, json::Object, trust::protected,
};

/// The spellings of Google's name as an issuer, both of which it uses
/// (<https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken>).
const ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];

/// Google's public keys, as the discovery document of that page has them.
const KEYS: &str = "https://www.googleapis.com/oauth2/v3/certs";

/// Who pushes messages of Pub/Sub, and for whom.
#[derive(Clone, Debug)]
pub struct PubSubSettings {
    /// What the tokens must be made for: the subscription's audience.
    pub audience: String,
    /// The service account that the subscription pushes as, by its address.
    pub service_account: String,
    /// The one subscription, as `projects/P/subscriptions/S`; any that pushes as the account when there is none.
    pub subscription: Option<String>,
    /// Where Google's keys are; at Google when there is none.
    pub keys_url: Option<Url>,
}

/// What verifies who pushes messages of Pub/Sub.
#[derive(Debug)]
pub struct PubSub {
    verifier: Box<Verifier>,
    audience: String,
    service_account: String,
    subscription: Option<String>,
}

/// The claims that say who it is.
#[derive(Deserialize)]
struct Claims {
    email: String,
    email_verified: bool,
}

fn google_keys() -> Url {
    Url::parse(KEYS).expect("the text is a URL")
}

impl PubSub {
    /// Takes the settings as they are; no keys are fetched before the first token.
    ///
    /// # Errors
    ///
    /// The keys would be fetched without protection, or can not be fetched from here.
    pub fn new(settings: PubSubSettings) -> Result<Self, InvalidTrust> {
        let PubSubSettings { audience, service_account, subscription, keys_url } = settings;
        let keys_url = keys_url.unwrap_or_else(google_keys);
        protected("keys_url", &keys_url)?;
        let issuers = ISSUERS.map(str::to_owned).to_vec();
        let verifier = Verifier::new(identity::Settings { issuers, audience: audience.clone(), keys_url })
            .map_err(|error| InvalidTrust::Client { what: "Google's keys", why: error.to_string() })?;
        Ok(Self { verifier: Box::new(verifier), audience, service_account, subscription })
    }

    /// What is set at the subscription, with its values.
    pub(in crate::webhook) fn hint(&self) -> String {
        format!("--push-auth-service-account={} --push-auth-token-audience={}", self.service_account, self.audience)
    }

    /// Verifies the one token of a request.
    pub(in crate::webhook) async fn admit(&self, head: &Head<'_>, now: DateTime<Utc>) -> Result<(), Refused> {
        let mut lines = head.lines("authorization");
        let line = lines.next().ok_or(Unauthenticated::Missing)?;
        if lines.next().is_some() {
            return Err(Unauthenticated::Several.into());
        }
        let token = behind("bearer", line).and_then(|token| std::str::from_utf8(token).ok());
        let token = token.ok_or(Unauthenticated::Wrong)?;
        let verified = self.verifier.verify::<Claims>(token, now).await.map_err(|error| match error.fault() {
            Fault::Transient | Fault::Away { .. } => {
                Refused::Unavailable("the keys of the token's issuer are not to be had")
            }
            Fault::Limited { .. } | Fault::Stale | Fault::Permanent => Refused::Token(error.to_string()),
        })?;
        let Claims { email, email_verified } = verified.claims;
        if email != self.service_account {
            // Any account of Google's can have a token made for our audience.
            return Err(Refused::Token("the token is of another account (email)".to_owned()));
        }
        if !email_verified {
            return Err(Refused::Token("the token's address is not verified (email_verified)".to_owned()));
        }
        Ok(())
    }

    /// Lets a body pass that comes by the subscription that is configured, if one is.
    pub(in crate::webhook) fn expects(&self, verified: &Verified<'_>) -> Result<(), Refused> {
        let Some(expected) = &self.subscription else { return Ok(()) };
        let named = Object::of_body(verified.body).ok().and_then(|body| body.hint("subscription"));
        match named {
            Some(named) if named == *expected => Ok(()),
            Some(_) => Err(Refused::Forbidden("the message comes by another subscription".to_owned())),
            None => Err(Refused::Forbidden(
                "the message does not name its subscription: turn payload unwrapping off, or take `subscription` away"
                    .to_owned(),
            )),
        }
    }
}
