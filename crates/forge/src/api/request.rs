//! A request to one of the interfaces, and the errors that it can end with.

use serde_json::Value;

use crate::{Error, credentials::Access, scrub::scrub};

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(super) method: Method,
    pub(super) path: Path,
    pub(super) body: Option<Value>,
    /// What is being done to what, as a message begins.
    pub(crate) doing: String,
    /// Which permission it needs, as a message ends.
    needs: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Put,
    Patch,
}

#[derive(Clone, Debug)]
pub(super) enum Path {
    Rest(String),
    GraphQl,
}

impl Request {
    /// A read by REST.
    pub(crate) fn get(path: String, doing: String) -> Self {
        Self::new(Method::Get, Path::Rest(path), None, doing)
    }

    /// A POST by REST.
    pub(crate) fn post(path: String, body: Value, doing: String) -> Self {
        Self::new(Method::Post, Path::Rest(path), Some(body), doing)
    }

    /// A PUT by REST.
    pub(crate) fn put(path: String, body: Value, doing: String) -> Self {
        Self::new(Method::Put, Path::Rest(path), Some(body), doing)
    }

    /// A PATCH by REST.
    pub(crate) fn patch(path: String, body: Value, doing: String) -> Self {
        Self::new(Method::Patch, Path::Rest(path), Some(body), doing)
    }

    /// A document of GraphQL.
    pub(crate) fn graphql(body: Value, doing: String) -> Self {
        Self::new(Method::Post, Path::GraphQl, Some(body), doing)
    }

    /// The same, naming the permission that it needs beyond reading.
    pub(crate) fn needing(mut self, needs: &'static str) -> Self {
        self.needs = needs;
        self
    }

    fn new(method: Method, path: Path, body: Option<Value>, doing: String) -> Self {
        let needs = "it needs Metadata: read and Contents: read";
        Self { method, path, body, doing, needs }
    }

    /// What a token must be good for. GraphQL is asked about pull requests only, which are in GitOps repositories.
    pub(crate) fn access(&self) -> Access {
        match self.method {
            Method::Get => Access::Read,
            Method::Post | Method::Put | Method::Patch => Access::Write,
        }
    }

    /// The error that says so of this request.
    pub(crate) fn unavailable(&self, why: impl Into<String>) -> Error {
        Error::Unavailable { doing: self.doing.clone(), why: why.into(), source: None }
    }

    /// The error for the forge's own words.
    pub(crate) fn refused(&self, message: impl AsRef<str>) -> Error {
        Error::Refused { doing: self.doing.clone(), message: scrub(message.as_ref()) }
    }

    /// The error for a missing permission.
    pub(crate) fn forbidden(&self, why: &str) -> Error {
        Error::Forbidden { doing: self.doing.clone(), why: scrub(why), needs: self.needs }
    }
}
