//! GraphQL, by the published schema: documents, the values of their variables, and answers.

mod answer;

use std::sync::LazyLock;

use apollo_compiler::{ExecutableDocument, Node, Schema, executable::Operation, request, validation::Valid};
use sandbox::{Answered, Exchange};
use serde_json::{Map, Value};

use crate::judge::{self, Verdict};

/// The part of GitHub's schema that the sandbox answers; the note beside it says how it is made.
pub const PUBLISHED: &str = include_str!("../tests/fixtures/github/schema.graphql");

static SCHEMA: LazyLock<Valid<Schema>> = LazyLock::new(|| {
    Schema::parse_and_validate(PUBLISHED, "schema.graphql").expect("the schema in this crate is valid, as tests show")
});

/// A document that GitHub understands, with the operation that is meant.
struct Understood {
    document: Valid<ExecutableDocument>,
    operation: Node<Operation>,
}

/// What GitHub would say against a request; empty for one that it understands.
#[must_use]
pub fn complaints(request: &Value) -> Vec<String> {
    understand(request).err().unwrap_or_default()
}

/// The name of the operation that an exchange asks for; `None` without one.
#[must_use]
pub fn name(exchange: &Exchange) -> Option<String> {
    let request: Value = serde_json::from_slice(&exchange.sent).ok()?;
    let named = understand(&request).ok()?.operation.name.as_ref()?.to_string();
    Some(named)
}

/// Judges a request, and the answer where the sandbox gave one.
#[must_use]
pub fn judge(sent: &[u8], answer: Option<&Answered>) -> Verdict {
    let request: Value = serde_json::from_slice(sent).unwrap_or_default();
    let understood = understand(&request);
    let Some(answer) = answer else {
        return Verdict { request: understood.err().unwrap_or_default(), ..Verdict::default() };
    };
    let body = judge::json(answer);
    let data = body.as_ref().and_then(|body| body.get("data"));
    let is_refused = answer.status >= 400 || data.is_none_or(Value::is_null);
    if answer.status != 200 {
        return Verdict { request: understood.err().unwrap_or_default(), answer: Vec::new(), is_refused };
    }
    let Some(body) = &body else {
        return Verdict { answer: vec!["the answer is not JSON".to_owned()], ..Verdict::default() };
    };
    let (wrong, answered) = match understood {
        Ok(understood) => {
            (Vec::new(), answer::complaints(&SCHEMA, (&understood.document, &understood.operation), body))
        }
        Err(wrong) => (wrong, Vec::new()),
    };
    Verdict { request: wrong, answer: answered, is_refused }
}

fn understand(request: &Value) -> Result<Understood, Vec<String>> {
    let text = request.get("query").and_then(Value::as_str).ok_or_else(|| vec!["there is no query".to_owned()])?;
    let document = ExecutableDocument::parse_and_validate(&SCHEMA, text, "document")
        .map_err(|wrong| wrong.errors.iter().map(|error| error.error.to_string()).collect::<Vec<_>>())?;
    let name = request.get("operationName").and_then(Value::as_str);
    let operation = document.operations.get(name).map_err(|error| vec![error.message().to_string()])?.clone();
    let none = Map::new();
    let values = match request.get("variables") {
        None | Some(Value::Null) => &none,
        Some(Value::Object(values)) => values,
        Some(other) => return Err(vec![format!("the variables are {other}")]),
    };
    let is_declared = |name: &str| operation.variables.iter().any(|variable| variable.name == name);
    if let Some(name) = values.keys().find(|name| !is_declared(name)) {
        return Err(vec![format!("the variable `{name}` is not declared")]);
    }
    let values = values.iter().map(|(name, value)| (name.as_str().into(), value.clone().into())).collect();
    request::coerce_variable_values(&SCHEMA, &operation, &values)
        .map_err(|error| vec![format!("the variables: {}", error.message())])?;
    Ok(Understood { document, operation })
}
