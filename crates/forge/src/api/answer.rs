//! What a request is answered with, as far as that does not depend on what was asked.

use serde::Deserialize;
use serde_json::Value;

use super::Request;
use crate::{Error, scrub::scrub};

/// An answer whose status says neither that we may not ask nor that the forge failed.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The HTTP status: 2xx, 404, 405, 409, 422 and the like.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: String,
}

#[derive(Deserialize)]
struct Problem {
    message: String,
    #[serde(default)]
    errors: Vec<Value>,
}

impl Answer {
    /// Whether it was done.
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The forge's own words without anything secret: the message and those of the single errors.
    pub(crate) fn message(&self) -> String {
        let Ok(problem) = serde_json::from_str::<Problem>(&self.body) else {
            return format!("HTTP {}", self.status);
        };
        let errors = problem.errors.iter().map(|error| {
            let text = |key: &str| error.get(key).and_then(Value::as_str);
            match (text("message"), text("field"), text("code")) {
                (Some(message), _, _) => message.to_owned(),
                (None, Some(field), Some(code)) => format!("{field} {code}"),
                (None, _, _) => error.as_str().map_or_else(|| error.to_string(), str::to_owned),
            }
        });
        let parts: Vec<String> = std::iter::once(problem.message).chain(errors).collect();
        scrub(&parts.join("; "))
    }

    /// The body as what the request is answered with.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&'a self, request: &Request) -> Result<T, Error> {
        serde_json::from_str(&self.body).map_err(|source| Error::Misunderstood {
            doing: request.doing.clone(),
            // It may repeat a value of the body.
            why: scrub(&source.to_string()),
        })
    }
}
