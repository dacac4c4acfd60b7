//! The checks of one token.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, errors::ErrorKind};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Error, Settings, Verified};

/// How far the issuer's clock may be from ours.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);

/// The claims that every token has, of the only types that are taken: an `aud` that is a list could name others
/// besides us.
#[derive(Deserialize)]
struct Registered {
    iss: String,
    aud: String,
    exp: i64,
    iat: i64,
    #[serde(default)]
    nbf: Option<i64>,
}

/// Which key the header names; the algorithm must be ours.
pub(crate) fn key_id(unverified: &str) -> Result<String, Error> {
    let header = decode_header(unverified).map_err(|error| {
        // An algorithm that the library does not know, `none` among them, is read as JSON that does not fit.
        let is_unknown =
            matches!(error.kind(), ErrorKind::Json(_) | ErrorKind::InvalidAlgorithmName | ErrorKind::InvalidAlgorithm);
        if is_unknown { Error::Algorithm } else { Error::Malformed }
    })?;
    if header.alg != Algorithm::RS256 {
        return Err(Error::Algorithm);
    }
    header.kid.filter(|kid| !kid.is_empty()).ok_or(Error::NoKeyId)
}

/// Checks the signature first, then who made it for whom and when, and reads the claims last.
pub(crate) fn verify<C: DeserializeOwned>(
    unverified: &str,
    key: &DecodingKey,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<Verified<C>, Error> {
    let mut validation = Validation::new(Algorithm::RS256);
    // Everything but the signature is checked below, by the time that is given and without the library's leniency.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let token = decode::<Value>(unverified, key, &validation).map_err(|error| {
        if matches!(error.kind(), ErrorKind::InvalidSignature) { Error::Signature } else { Error::Malformed }
    })?;
    let unfit = |error: serde_json::Error| Error::Claims(error.to_string());
    let registered = Registered::deserialize(&token.claims).map_err(unfit)?;
    let expires_at = check(&registered, settings, now)?;
    let claims = serde_json::from_value(token.claims).map_err(unfit)?;
    Ok(Verified { claims, expires_at })
}

fn check(registered: &Registered, settings: &Settings, now: DateTime<Utc>) -> Result<DateTime<Utc>, Error> {
    if !settings.issuers.contains(&registered.iss) {
        return Err(Error::Issuer);
    }
    if registered.aud != settings.audience {
        return Err(Error::Audience { expected: settings.audience.clone() });
    }
    let time = |seconds: i64, name: &str| {
        DateTime::from_timestamp(seconds, 0).ok_or_else(|| Error::Claims(format!("`{name}` is no time")))
    };
    let expires_at = time(registered.exp, "exp")?;
    if expires_at + LEEWAY <= now {
        return Err(Error::Expired);
    }
    for (begins, name) in [(Some(registered.iat), "iat"), (registered.nbf, "nbf")] {
        if let Some(begins) = begins
            && time(begins, name)? > now + LEEWAY
        {
            return Err(Error::NotYetValid);
        }
    }
    Ok(expires_at)
}
