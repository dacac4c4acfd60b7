//! Why a message is not taken, in terms of what its sender should do.

use super::Unauthenticated;

/// A message is not taken. No text has any part of a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nothing proves who sent it, or what does is wrong.
    #[error(transparent)]
    Unauthenticated(#[from] Unauthenticated),
    /// Its identity token proves nothing, or that it is somebody else.
    #[error("{0}")]
    Token(String),
    /// It is not from whom is configured, or not as they send it; it stays so however often it is sent.
    #[error("{0}")]
    Forbidden(String),
    /// It is its sender's, and asks for something that is not done.
    #[error("{0}")]
    Invalid(&'static str),
    /// What is needed to check it, or to do what it asks for, can not be had now. Why is in the log.
    #[error("{0}; try again")]
    Unavailable(&'static str),
}
