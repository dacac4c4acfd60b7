//! The issuer's public keys.
//!
//! An issuer changes its keys without notice, and signs with a new one before we have seen it. So an unknown key is
//! looked for once more, but not more often than once a minute, whoever sends tokens with invented keys. A set that was
//! fetched once is used until a newer one is there: an issuer that is down for an hour does not stop us.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{
    DecodingKey,
    jwk::{AlgorithmParameters, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse},
};
use reqwest::Client;
use tokio::sync::Mutex;
use tracing::warn;
use url::Url;

use crate::Error;

/// How long an answer may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// The largest set that is read, in bytes; GitHub's has about 8 KB.
const LARGEST: usize = 256 * 1024;

/// A set is fetched again after this time, so that a key that was withdrawn is forgotten.
const FRESH_FOR: TimeDelta = TimeDelta::hours(1);

/// The issuer is asked no more often than this.
const PAUSE: TimeDelta = TimeDelta::minutes(1);

/// The keys of one issuer. Whoever needs a new set waits for the one request that fetches it.
#[derive(Debug)]
pub(crate) struct Keys {
    client: Client,
    url: Url,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    set: Option<(JwkSet, DateTime<Utc>)>,
    asked_at: Option<DateTime<Utc>>,
    /// Why the last request failed.
    failure: Option<String>,
}

impl Keys {
    pub(crate) fn new(client: Client, url: Url) -> Self {
        Self { client, url, kept: Mutex::default() }
    }

    /// The key of that name.
    pub(crate) async fn find(&self, kid: &str, now: DateTime<Utc>) -> Result<DecodingKey, Error> {
        let mut kept = self.kept.lock().await;
        if kept.is_stale(now) || kept.find(kid).is_none() {
            self.refresh(&mut kept, now).await;
        }
        match (kept.find(kid), &kept.set, &kept.failure) {
            (Some(key), _, _) => key,
            (None, None, Some(why)) => Err(Error::Keys { url: self.url.to_string(), why: why.clone() }),
            (None, _, _) => Err(Error::UnknownKey),
        }
    }

    /// Fetches the set, unless it was asked for just now.
    async fn refresh(&self, kept: &mut Kept, now: DateTime<Utc>) {
        if kept.asked_at.is_some_and(|asked_at| asked_at <= now && now < asked_at + PAUSE) {
            return;
        }
        kept.asked_at = Some(now);
        match self.fetch().await {
            Ok(set) => {
                kept.set = Some((set, now));
                kept.failure = None;
            }
            Err(why) => {
                warn!(url = %self.url, why, "an issuer's keys could not be fetched");
                kept.failure = Some(why);
            }
        }
    }

    async fn fetch(&self) -> Result<JwkSet, String> {
        let mut response = self.client.get(self.url.clone()).send().await.map_err(|error| error.to_string())?;
        if !response.status().is_success() {
            return Err(format!("the answer is {}", response.status()));
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| error.to_string())? {
            body.extend_from_slice(&piece);
            if body.len() > LARGEST {
                return Err(format!("the answer has more than {LARGEST} bytes"));
            }
        }
        serde_json::from_slice(&body).map_err(|error| format!("the answer is no set of keys: {error}"))
    }
}

impl Kept {
    fn is_stale(&self, now: DateTime<Utc>) -> bool {
        self.set.as_ref().is_none_or(|(_, fetched_at)| now >= *fetched_at + FRESH_FOR)
    }

    /// A key of that name that signs with RS256; what else the set holds does not count.
    fn find(&self, kid: &str) -> Option<Result<DecodingKey, Error>> {
        let (set, _) = self.set.as_ref()?;
        let key = set.keys.iter().find(|key| key.common.key_id.as_deref() == Some(kid) && signs(key))?;
        Some(DecodingKey::from_jwk(key).map_err(|_unusable| Error::UnknownKey))
    }
}

fn signs(key: &Jwk) -> bool {
    let is_for_signatures =
        key.common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
    let is_for_rs256 = key.common.key_algorithm.is_none_or(|algorithm| algorithm == KeyAlgorithm::RS256);
    is_for_signatures && is_for_rs256 && matches!(key.algorithm, AlgorithmParameters::RSA(_))
}
