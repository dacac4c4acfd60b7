//! The GraphQL interface: a document is checked against the schema first, and then walked over the world.
//!
//! As on GitHub, whatever is wrong with a document or a mutation is answered with status 200 and `errors`.

mod checks;
mod content;
mod execute;
mod fragments;
mod mutation;
mod node;
mod pull_request;
mod queue;
mod rules;
mod schema;
mod validate;
mod value;

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse as _, Response},
};
use graphql_parser::{
    Pos,
    query::{self, Definition, OperationDefinition, Selection, SelectionSet},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{refusal::Refusal, shared::Shared, world::World};

/// What is wrong with a document or one of its fields: an element of `errors`.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    kind: Option<&'static str>,
    message: String,
    extensions: Option<Value>,
}

/// The operation of a document that is to be executed, with what it refers to.
#[derive(Debug)]
struct Operation {
    kind: Kind,
    selection: SelectionSet<'static, String>,
    variables: Vec<query::VariableDefinition<'static, String>>,
    fragments: Vec<query::FragmentDefinition<'static, String>>,
    /// Those that no operation of the document uses, and where they are.
    unused_fragments: Vec<(String, Pos)>,
    /// The values of the variables.
    values: Map<String, Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Query,
    Mutation,
}

#[derive(Deserialize)]
struct Request {
    query: Option<String>,
    #[serde(default)]
    variables: Option<Map<String, Value>>,
    #[serde(default, rename = "operationName")]
    operation_name: Option<String>,
}

/// `POST /graphql`.
pub(crate) async fn answer(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let answered = shared.with(move |world| run(world, authorization.as_deref(), &body)).await;
    match answered {
        Ok(body) => Json(body).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

fn run(world: &mut World, authorization: Option<&str>, body: &[u8]) -> Result<Value, Refusal> {
    if authorization.is_none() {
        return Err(Refusal::unauthenticated("This endpoint requires you to be authenticated."));
    }
    let caller = world.authenticate(authorization)?;
    let request: Request = serde_json::from_slice(body).ok().ok_or_else(Refusal::bad_json)?;
    let text = request.query.as_deref().filter(|text| !text.trim().is_empty());
    let Some(text) = text else {
        return Ok(json!({ "errors": [{ "message": "A query attribute must be specified and must be a string." }] }));
    };
    let operation = match parse(text, request.operation_name.as_deref(), request.variables.unwrap_or_default()) {
        Ok(operation) => operation,
        Err(problem) => return Ok(json!({ "errors": [problem.at(&[], Pos::default())] })),
    };
    let errors = validate::validate(schema::schema(), &operation);
    if !errors.is_empty() {
        return Ok(json!({ "errors": errors }));
    }
    Ok(execute::execute(world, caller, &operation))
}

fn parse(text: &str, name: Option<&str>, values: Map<String, Value>) -> Result<Operation, Problem> {
    let document = graphql_parser::parse_query::<String>(text)
        .map_err(|error| Problem::new(format!("Parse error: {error}")))?
        .into_static();
    let (mut fragments, mut operations) = (Vec::new(), Vec::new());
    for definition in document.definitions {
        match definition {
            Definition::Fragment(fragment) => fragments.push(fragment),
            Definition::Operation(operation) => operations.push(parts(operation)),
        }
    }
    let unused_fragments = fragments::unused(&fragments, operations.iter().map(|parts| &parts.selection));
    let is_wanted = |parts: &Parts| name.is_none_or(|name| parts.name.as_deref() == Some(name));
    let mut wanted = operations.into_iter().filter(is_wanted);
    let Parts { kind, selection, variables, .. } =
        wanted.next().ok_or_else(|| Problem::new("No operation named as asked"))?;
    if wanted.next().is_some() {
        return Err(Problem::new("An operation name is required"));
    }
    Ok(Operation { kind, selection, variables, fragments, unused_fragments, values })
}

struct Parts {
    name: Option<String>,
    kind: Kind,
    selection: SelectionSet<'static, String>,
    variables: Vec<query::VariableDefinition<'static, String>>,
}

fn parts(operation: OperationDefinition<'static, String>) -> Parts {
    match operation {
        OperationDefinition::SelectionSet(selection) => {
            Parts { name: None, kind: Kind::Query, selection, variables: Vec::new() }
        }
        OperationDefinition::Query(query) => Parts {
            name: query.name,
            kind: Kind::Query,
            selection: query.selection_set,
            variables: query.variable_definitions,
        },
        OperationDefinition::Mutation(mutation) => Parts {
            name: mutation.name,
            kind: Kind::Mutation,
            selection: mutation.selection_set,
            variables: mutation.variable_definitions,
        },
        // GitHub has no subscriptions; the validation finds no type for them.
        OperationDefinition::Subscription(subscription) => Parts {
            name: subscription.name,
            kind: Kind::Query,
            selection: subscription.selection_set,
            variables: subscription.variable_definitions,
        },
    }
}

impl Operation {
    /// The type at the top.
    const fn root(&self) -> &'static str {
        match self.kind {
            Kind::Query => "Query",
            Kind::Mutation => "Mutation",
        }
    }

    /// A fragment by its name.
    fn fragment(&self, name: &str) -> Option<&query::FragmentDefinition<'static, String>> {
        self.fragments.iter().find(|fragment| fragment.name == name)
    }

    /// The fields that a selection asks of an object of a type, through all fragments that are about it.
    fn fields<'o>(
        &'o self,
        selection: &'o SelectionSet<'static, String>,
        is_about: &dyn Fn(&str) -> bool,
        into: &mut Vec<&'o query::Field<'static, String>>,
    ) {
        for item in &selection.items {
            match item {
                Selection::Field(field) => into.push(field),
                Selection::InlineFragment(inline) => {
                    let about = inline.type_condition.as_ref();
                    if about.is_none_or(|query::TypeCondition::On(name)| is_about(name)) {
                        self.fields(&inline.selection_set, is_about, into);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let known = self.fragment(&spread.fragment_name);
                    let known = known.filter(|fragment| {
                        let query::TypeCondition::On(name) = &fragment.type_condition;
                        is_about(name)
                    });
                    if let Some(fragment) = known {
                        self.fields(&fragment.selection_set, is_about, into);
                    }
                }
            }
        }
    }
}

impl Problem {
    /// A problem without a type.
    fn new(message: impl Into<String>) -> Self {
        Self { kind: None, message: message.into(), extensions: None }
    }

    /// A problem that the validation finds, with GitHub's code for it.
    fn invalid(message: impl Into<String>, extensions: Value) -> Self {
        Self { extensions: Some(extensions), ..Self::new(message) }
    }

    /// A problem with one of GitHub's types.
    fn typed(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind: Some(kind), ..Self::new(message) }
    }

    /// The element of `errors`.
    fn at(&self, path: &[Value], position: Pos) -> Value {
        let mut error = Map::new();
        if let Some(kind) = self.kind {
            error.insert("type".to_owned(), json!(kind));
        }
        if !path.is_empty() {
            error.insert("path".to_owned(), json!(path));
        }
        if let Some(extensions) = &self.extensions {
            error.insert("extensions".to_owned(), extensions.clone());
        }
        if position != Pos::default() {
            let location = json!([{ "line": position.line, "column": position.column }]);
            error.insert("locations".to_owned(), location);
        }
        error.insert("message".to_owned(), json!(self.message));
        Value::Object(error)
    }
}

impl From<Refusal> for Problem {
    /// What REST refuses with a status, GraphQL refuses with a type.
    fn from(refusal: Refusal) -> Self {
        let kind = match refusal.status {
            StatusCode::NOT_FOUND => "NOT_FOUND",
            StatusCode::FORBIDDEN => "FORBIDDEN",
            _ => "UNPROCESSABLE",
        };
        let inner = refusal.errors.iter().find_map(|error| error.get("message")?.as_str().map(str::to_owned));
        Self::typed(kind, inner.unwrap_or(refusal.message))
    }
}

impl From<crate::git::Error> for Problem {
    fn from(error: crate::git::Error) -> Self {
        Refusal::from(error).into()
    }
}
