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
use crate::config::Role;

/// The longest token that is looked at, in bytes.
const LONGEST_TOKEN: usize = 1024;

/// A caller who may read; taking it as an argument is what protects a route.
#[derive(Clone, Debug)]
pub(super) struct Viewer;

impl FromRequestParts<State> for Viewer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        match role(parts, state) {
            Some(Role::Viewer | Role::Releaser | Role::Admin) => Ok(Self),
            None => {
                let problem = Problem::unauthenticated("a bearer token of api.tokens is needed");
                if let Some(refused) = state.strangers().refuse(Instant::now()) {
                    let refused_ever = state.strangers().counts().refused;
                    warn!(refused, refused_ever, "a request was refused: {}", problem.detail());
                }
                Err(problem)
            }
        }
    }
}

/// The role of the one bearer token of a request. Every known token is compared, in constant time.
fn role(parts: &Parts, state: &State) -> Option<Role> {
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    let token = value.as_bytes().strip_prefix(b"Bearer ").filter(|token| token.len() <= LONGEST_TOKEN)?;
    let claimed: [u8; 32] = Sha256::digest(token).into();
    let mut found = None;
    for token in state.tokens() {
        if bool::from(token.sha256.ct_eq(&claimed)) {
            found = found.max(Some(token.role));
        }
    }
    found
}
