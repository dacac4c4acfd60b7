//! Who asks: the bearer tokens of the configuration.

use std::time::Instant;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tracing::warn;

use super::{State, error::Problem};
use crate::config::{ApiToken, Role};

/// The longest token that is looked at, in bytes.
const LONGEST_TOKEN: usize = 1024;

/// A caller who may read; taking it as an argument is what protects a route.
#[derive(Clone, Debug)]
pub(super) struct Viewer;

/// A caller who may have something done; taking it as an argument is what protects a route.
#[derive(Clone, Debug)]
pub(super) struct Releaser {
    /// The name of their token.
    pub(super) name: String,
}

impl FromRequestParts<State> for Viewer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let ApiToken { role: Role::Viewer | Role::Releaser | Role::Admin, .. } = authenticate(parts, state)?;
        Ok(Self)
    }
}

impl FromRequestParts<State> for Releaser {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let ApiToken { name, role, .. } = authenticate(parts, state)?;
        match role {
            Role::Releaser | Role::Admin => Ok(Self { name: name.clone() }),
            Role::Viewer => {
                Err(refused(state, Problem::forbidden("a token with the role releaser or admin is needed")))
            }
        }
    }
}

/// Whose token a request has.
fn authenticate<'s>(parts: &Parts, state: &'s State) -> Result<&'s ApiToken, Problem> {
    let token = token(parts, state);
    token.ok_or_else(|| refused(state, Problem::unauthenticated("a bearer token of api.tokens is needed")))
}

/// Says in the log that somebody was refused; seldom enough to fill no disk.
fn refused(state: &State, problem: Problem) -> Problem {
    if let Some(refused) = state.strangers().refuse(Instant::now()) {
        let refused_ever = state.strangers().counts().refused;
        warn!(refused, refused_ever, "a request was refused: {}", problem.detail());
    }
    problem
}

/// The one bearer token of a request; of several entries for it, one with the highest role. Every known token is
/// compared, in constant time.
fn token<'s>(parts: &Parts, state: &'s State) -> Option<&'s ApiToken> {
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let token = value.as_bytes().strip_prefix(b"Bearer ").filter(|token| token.len() <= LONGEST_TOKEN)?;
    let claimed: [u8; 32] = Sha256::digest(token).into();
    let mut found: Option<&ApiToken> = None;
    for token in state.tokens() {
        if bool::from(token.sha256.ct_eq(&claimed)) && found.is_none_or(|known| known.role < token.role) {
            found = Some(token);
        }
    }
    found
}
