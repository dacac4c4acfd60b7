//! Why a message, or a part of one, can not be used.

use std::str::Utf8Error;

/// Why a message, or a part of one, can not be used: one sentence for people.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("the body is not UTF-8 text: {0}")]
    NotText(Utf8Error),
    #[error("the body is empty")]
    Empty,
    #[error("the body is nested deeper than {most}")]
    Deep { most: usize },
    #[error("{what} is not JSON: {why}")]
    NotJson { what: String, why: serde_json::Error },
    #[error("{what} is not {expected}")]
    Wrong { what: String, expected: &'static str },
    #[error("{what}: {why}")]
    Part { what: &'static str, why: Box<Self> },
    #[error("{0} is missing")]
    Missing(String),
    #[error("{0} stands there twice")]
    Twice(String),
    #[error("{what} is not usable: {why}")]
    Name { what: String, why: String },
    #[error("the message does not say which registry it is from ({0}): set senders.<name>.registry")]
    Registry(&'static str),
    #[error("{0}")]
    Contradiction(&'static str),
}

impl Unusable {
    /// Something is there and is not what it should be.
    pub(super) fn not(what: &str, expected: &'static str) -> Self {
        Self::Wrong { what: what.to_owned(), expected }
    }
}
