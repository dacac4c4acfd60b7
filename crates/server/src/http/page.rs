//! Lists come in pages, newest first: `?limit=` and `?before=`, the `next` of the page before.

use std::str::FromStr;

use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::IntoParams;

use super::error::Problem;

/// How many a page has when the caller does not say.
const USUAL: u32 = 50;

/// How many a page has at most.
const MOST: u32 = 200;

/// The part of a list that is wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// How many are wanted, from 1 to 200; 50 when it is not said.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<String>,
    /// The `next` of the page before.
    #[param(value_type = Option<String>, pattern = "^[1-9][0-9]{0,17}$")]
    before: Option<String>,
}

/// The parameters of a request, as `T` has them; what can not be read is a problem of ours like any other.
#[derive(Debug)]
pub(super) struct Parameters<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(_unhelpful) => Err(Problem::parameter("query", "each parameter is given once, as name=value")),
        }
    }
}

impl Page {
    /// How many are wanted.
    pub(super) fn limit(&self) -> Result<u32, Problem> {
        match self.limit.as_ref().map_or(Some(USUAL), |text| text.parse().ok()) {
            Some(limit @ 1..=MOST) => Ok(limit),
            Some(_) | None => Err(Problem::parameter("limit", &format!("a number from 1 to {MOST} was expected"))),
        }
    }

    /// Where the page begins.
    pub(super) fn before<T: FromStr>(&self) -> Result<Option<T>, Problem> {
        match &self.before {
            None => Ok(None),
            Some(text) => match text.parse() {
                Ok(id) => Ok(Some(id)),
                Err(_unhelpful) => Err(Problem::parameter("before", "the `next` of an earlier page was expected")),
            },
        }
    }
}

/// What the next page begins before: the last of a full page.
pub(super) fn next<T>(rows: &[T], limit: u32, id: impl Fn(&T) -> String) -> Option<String> {
    let is_full = usize::try_from(limit).is_ok_and(|limit| rows.len() >= limit);
    rows.last().filter(|_| is_full).map(id)
}
