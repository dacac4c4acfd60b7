//! What proves that a message is its sender's, and how that is checked.
//!
//! A credential that is in the head of a request is checked before the body is read; a signature is one of the body,
//! and before that only its form is. Either way there is one credential: a request with two may have been let through
//! by a proxy for the other one.
//!
//! Two kinds prove themselves in ways of their own, which are in their own modules: by an identity token, and by a
//! signature inside the body.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use chrono::{DateTime, Utc};

use super::{Head, PubSub, Refused, Secrets, Topic, Trust, Verified};

/// What a kind of sender is known by.
#[derive(Clone, Copy, Debug)]
pub(super) enum Credential {
    /// The secret itself, in one of these places.
    Secret(&'static [Place]),
    /// A signature made with the secret.
    Signature(Signature),
    /// An identity token of Google's.
    Token,
    /// A signature of Amazon SNS, in the body.
    Certificate,
}

/// What is checked of one sender's requests, and with what.
#[derive(Debug)]
pub(super) enum Check {
    Secret(&'static [Place], Secrets),
    Signature(Signature, Secrets),
    Token(PubSub),
    Certificate(Topic),
}

/// Where in the head of a request a secret may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The entire value of this header; written in lower case.
    Header(&'static str),
    /// `Authorization`, behind `Bearer`.
    Bearer,
    /// `Authorization`, as the password behind `Basic`; the user's name is not looked at.
    Basic,
    /// The value of this parameter of the address.
    Query(&'static str),
}

/// A signature over the raw body: an HMAC (RFC 2104) in hexadecimal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signature {
    /// The header that has it: the first of these that is there.
    pub(super) headers: &'static [&'static str],
    /// What stands before the digits.
    pub(super) prefix: &'static str,
    /// The hash function.
    pub(super) algorithm: Algorithm,
}

/// The hash function of a signature.
#[derive(Clone, Copy, Debug)]
pub(super) enum Algorithm {
    /// Broken as a hash, and still good in an HMAC (RFC 6194 section 3.3).
    Sha1,
    /// What all newer senders use.
    Sha256,
}

/// The sender is not who it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unauthenticated {
    /// There is no credential.
    #[error("the request has no credential")]
    Missing,
    /// There is more than one, and a proxy may have checked another than we would.
    #[error("the request has more than one credential")]
    Several,
    /// It is not one of the secrets, or not made with one.
    #[error("the request's credential is wrong")]
    Wrong,
}

/// A request that may be read.
#[derive(Debug)]
pub enum Admitted<'s> {
    /// Its sender is known.
    Authenticated(Authenticated),
    /// It has a signature, which is still to be compared with the body.
    Signed(Signed<'s>),
    /// Its sender is known, and the body is still to name the subscription that is configured.
    Subscribed(Authenticated, &'s PubSub),
    /// What proves its sender is inside the body.
    Sealed(&'s Topic),
}

/// Proof that a request's sender is who it should be, had from its head alone: before its body is read.
#[derive(Debug)]
pub struct Authenticated(());

/// A signature as it was found in the head of a request; proof of nothing yet.
#[derive(Debug)]
pub struct Signed<'s> {
    secrets: &'s Secrets,
    algorithm: Algorithm,
    claimed: Vec<u8>,
}

impl Admitted<'_> {
    /// The body of the request, once it is proven whose it is at the time `now`. May fetch a certificate.
    ///
    /// # Errors
    ///
    /// It is not the sender's, or that can not be told now.
    pub async fn vouch_for<'b>(&self, unverified_body: &'b [u8], now: DateTime<Utc>) -> Result<Verified<'b>, Refused> {
        match self {
            Self::Authenticated(sender) => Ok(sender.vouch_for(unverified_body)),
            Self::Signed(signed) => Ok(signed.verify(unverified_body)?),
            Self::Subscribed(sender, pub_sub) => {
                let verified = sender.vouch_for(unverified_body);
                pub_sub.expects(&verified)?;
                Ok(verified)
            }
            Self::Sealed(topic) => topic.verify(unverified_body, now).await,
        }
    }
}

impl Authenticated {
    /// The body of the request whose sender this is.
    #[must_use]
    pub const fn vouch_for<'b>(&self, body: &'b [u8]) -> Verified<'b> {
        Verified { body }
    }
}

impl Signed<'_> {
    /// The body, if the signature is its own.
    ///
    /// # Errors
    ///
    /// None of the secrets made that signature for this body.
    pub fn verify<'b>(&self, unverified_body: &'b [u8]) -> Result<Verified<'b>, Unauthenticated> {
        if !self.secrets.signed(self.algorithm, unverified_body, &self.claimed) {
            return Err(Unauthenticated::Wrong);
        }
        Ok(Verified { body: unverified_body })
    }
}

impl Credential {
    /// The check with what a sender is known by; `None` where the two do not go together.
    pub(super) fn check(&self, trust: Trust) -> Option<Check> {
        match (*self, trust) {
            (Self::Secret(places), Trust::Secrets(secrets)) => Some(Check::Secret(places, secrets)),
            (Self::Signature(signature), Trust::Secrets(secrets)) => Some(Check::Signature(signature, secrets)),
            (Self::Token, Trust::PubSub(pub_sub)) => Some(Check::Token(pub_sub)),
            (Self::Certificate, Trust::Topic(topic)) => Some(Check::Certificate(topic)),
            (Self::Secret(_) | Self::Signature(_), Trust::PubSub(_) | Trust::Topic(_))
            | (Self::Token, Trust::Secrets(_) | Trust::Topic(_))
            | (Self::Certificate, Trust::Secrets(_) | Trust::PubSub(_)) => None,
        }
    }

    /// The parameter that the address is given in the first place, if the secret belongs there.
    pub(super) const fn parameter(&self) -> Option<&'static str> {
        match self {
            Self::Secret([Place::Query(name), ..]) => Some(name),
            Self::Secret(_) | Self::Signature(_) | Self::Token | Self::Certificate => None,
        }
    }
}

impl Check {
    /// Checks what can be checked without the body.
    pub(super) async fn admit(&self, head: &Head<'_>, now: DateTime<Utc>) -> Result<Admitted<'_>, Refused> {
        match self {
            Self::Secret(places, secrets) => Ok(Admitted::Authenticated(has_secret(places, secrets, head)?)),
            Self::Signature(signature, secrets) => {
                let claimed = signature.claimed(head)?;
                Ok(Admitted::Signed(Signed { secrets, algorithm: signature.algorithm, claimed }))
            }
            Self::Token(pub_sub) => {
                pub_sub.admit(head, now).await?;
                Ok(Admitted::Subscribed(Authenticated(()), pub_sub))
            }
            Self::Certificate(topic) => {
                topic.admit(head)?;
                Ok(Admitted::Sealed(topic))
            }
        }
    }
}

fn has_secret(places: &[Place], secrets: &Secrets, head: &Head<'_>) -> Result<Authenticated, Unauthenticated> {
    let mut claims = Vec::new();
    for (at, place) in places.iter().enumerate() {
        let earlier = places.iter().take(at).any(|other| other.source() == place.source());
        if !earlier {
            claims.extend(place.source().values(head).into_iter().map(|value| (place.source(), value)));
        }
    }
    let (source, claimed) = claims.first().ok_or(Unauthenticated::Missing)?;
    if claims.len() > 1 {
        return Err(Unauthenticated::Several);
    }
    let is_good = |place: &Place| place.source() == *source && place.holds(secrets, claimed);
    if places.iter().any(is_good) { Ok(Authenticated(())) } else { Err(Unauthenticated::Wrong) }
}

/// A header or a parameter; several places may be in one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Header(&'static str),
    Query(&'static str),
}

impl Source {
    fn values<'a>(self, head: &Head<'a>) -> Vec<Cow<'a, [u8]>> {
        match self {
            Self::Header(name) => head.lines(name).map(Cow::Borrowed).collect(),
            Self::Query(name) => {
                head.parameters(name).map(|value| Cow::Owned(value.into_owned().into_bytes())).collect()
            }
        }
    }
}

impl Place {
    const fn source(self) -> Source {
        match self {
            Self::Header(name) => Source::Header(name),
            Self::Bearer | Self::Basic => Source::Header("authorization"),
            Self::Query(name) => Source::Query(name),
        }
    }

    fn holds(self, secrets: &Secrets, claimed: &[u8]) -> bool {
        match self {
            Self::Header(_) | Self::Query(_) => secrets.contain(claimed),
            Self::Bearer => behind("bearer", claimed).is_some_and(|token| secrets.contain(token)),
            Self::Basic => password(claimed).is_some_and(|password| secrets.contain(&password)),
        }
    }
}

/// What stands behind an authentication scheme (RFC 9110 section 11.1: its case does not matter).
pub(super) fn behind<'a>(scheme: &str, value: &'a [u8]) -> Option<&'a [u8]> {
    let (start, rest) = value.split_at_checked(scheme.len())?;
    if start.eq_ignore_ascii_case(scheme.as_bytes()) { rest.strip_prefix(b" ") } else { None }
}

/// The password of HTTP Basic (RFC 7617): behind the first colon, as it may have more.
fn password(value: &[u8]) -> Option<Vec<u8>> {
    let pair = STANDARD.decode(behind("basic", value)?).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    pair.get(colon + 1..).map(<[u8]>::to_vec)
}

impl Signature {
    fn claimed(&self, head: &Head<'_>) -> Result<Vec<u8>, Unauthenticated> {
        let mut lines = self.headers.iter().map(|name| head.lines(name).collect::<Vec<_>>());
        let lines = lines.find(|lines| !lines.is_empty()).ok_or(Unauthenticated::Missing)?;
        let [line] = lines.as_slice() else { return Err(Unauthenticated::Several) };
        let digits = line.strip_prefix(self.prefix.as_bytes()).ok_or(Unauthenticated::Wrong)?;
        let claimed = hex::decode(digits).map_err(|_unhelpful| Unauthenticated::Wrong)?;
        if claimed.len() == self.algorithm.size_bytes() { Ok(claimed) } else { Err(Unauthenticated::Wrong) }
    }
}

impl Algorithm {
    const fn size_bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

#[cfg(test)]
mod tests;
