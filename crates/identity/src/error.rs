//! Why a token proves nothing.

use domain::fault::Fault;

/// A token was not accepted. No variant holds any part of the token.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client that fetches keys could not be made.
    #[error("making the client that fetches keys")]
    Client(#[source] reqwest::Error),
    /// No issuer makes tokens as long.
    #[error("the token has {bytes} bytes; at most {limit} are read")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The longest that is read.
        limit: usize,
    },
    /// It is not a JSON Web Token in the compact form.
    #[error("this is no JSON Web Token")]
    Malformed,
    /// Its header names another algorithm than RS256: `none`, or one whose key anybody knows.
    #[error("the token is not signed with RS256")]
    Algorithm,
    /// Its header does not say which key signed it.
    #[error("the token does not name its key (kid)")]
    NoKeyId,
    /// The issuer has no such key, or not any more.
    #[error("the issuer has no key of that name (kid)")]
    UnknownKey,
    /// The signature is not the issuer's.
    #[error("the token's signature is wrong")]
    Signature,
    /// A claim that every token needs is missing, or of another type.
    #[error("the token's claims are not as expected: {0}")]
    Claims(String),
    /// Another issuer made it.
    #[error("the token is of another issuer (iss)")]
    Issuer,
    /// It was made for somebody else.
    #[error("the token was made for another audience (aud); expected {expected}")]
    Audience {
        /// What `aud` has to be.
        expected: String,
    },
    /// Its time is over.
    #[error("the token has expired (exp)")]
    Expired,
    /// Its time has not come, or its issuer's clock is far ahead of ours.
    #[error("the token is not valid yet (nbf, iat)")]
    NotYetValid,
    /// The issuer's keys could not be fetched, and none are kept.
    #[error("fetching the issuer's keys from {url}: {why}")]
    Keys {
        /// Where they are.
        url: String,
        /// What went wrong.
        why: String,
    },
}

impl Error {
    /// Whether it is worth trying again: only when the keys could not be had.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Keys { .. } => Fault::Transient,
            Self::Client(_)
            | Self::TooLong { .. }
            | Self::Malformed
            | Self::Algorithm
            | Self::NoKeyId
            | Self::UnknownKey
            | Self::Signature
            | Self::Claims(_)
            | Self::Issuer
            | Self::Audience { .. }
            | Self::Expired
            | Self::NotYetValid => Fault::Permanent,
        }
    }
}
