//! A request to one of the interfaces, and the errors that it can end with.

use serde_json::Value;

use crate::{
    Error,
    budget::{Priority, Purpose, Resource},
    credentials::{Access, Account},
    scrub::scrub,
};

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
    access: Access,
    priority: Priority,
    /// Whether it makes something that people see.
    makes: bool,
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

    /// The same, as a document of GraphQL for which a token is enough that may read.
    pub(crate) fn reading(mut self) -> Self {
        self.access = Access::Read;
        self
    }

    /// The same, as one that looks at what a token that may only read code does not see.
    pub(crate) fn looking_beyond_code(mut self) -> Self {
        self.access = Access::Write;
        self
    }

    /// The same, as a part of a new proposal, for which not everything is spent.
    pub(crate) fn proposing(mut self) -> Self {
        self.priority = Priority::Propose;
        self
    }

    /// The same, as one that makes nothing that people see, and is not paced like what does.
    pub(crate) fn unseen(mut self) -> Self {
        self.makes = false;
        self
    }

    fn new(method: Method, path: Path, body: Option<Value>, doing: String) -> Self {
        let needs = "it needs Metadata: read and Contents: read";
        let access = if method == Method::Get { Access::Read } else { Access::Write };
        Self { method, path, body, doing, needs, access, priority: Priority::Finish, makes: true }
    }

    /// What a token must be good for.
    pub(crate) fn access(&self) -> Access {
        self.access
    }

    /// Whether it only looks, so that it may be sent again whatever became of it.
    pub(crate) fn is_read(&self) -> bool {
        match self.path {
            Path::Rest(_) => self.method == Method::Get,
            Path::GraphQl => {
                let text = self.body.as_ref().and_then(|body| body.get("query")).and_then(Value::as_str);
                text.is_some_and(|text| text.trim_start().starts_with("query"))
            }
        }
    }

    /// Whether its answer may serve again. The App's own statements change too often for that.
    pub(super) fn may_be_kept(&self, account: Account) -> bool {
        self.method == Method::Get && account != Account::App
    }

    /// What has a limit for it.
    pub(crate) fn resource(&self) -> Resource {
        match self.path {
            Path::Rest(_) => Resource::Core,
            Path::GraphQl => Resource::GraphQl,
        }
    }

    /// What the budget has to know of it.
    pub(super) fn purpose(&self) -> Purpose {
        Purpose { resource: self.resource(), priority: self.priority, changes: self.makes && !self.is_read() }
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
