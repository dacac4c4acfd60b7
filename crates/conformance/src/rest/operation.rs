//! Finding the operation that a request means.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{SAID_TWICE, members};
use crate::schemas::OPERATIONS;

/// An operation, with pointers to its schemas.
#[derive(Debug, Default)]
pub(crate) struct Operation {
    /// The path with names in place of what differs.
    pub(crate) template: String,
    /// What the path says for the template's parameters.
    pub(crate) captured: Vec<(String, String)>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<String>,
    pub(crate) needs_body: bool,
    /// The schema of each status; `None` where there is no body.
    pub(crate) answers: BTreeMap<u16, Option<String>>,
    /// All kinds of content that it answers.
    pub(crate) media: BTreeSet<String>,
}

/// A parameter in the path or the query.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) place: String,
    pub(crate) of: Option<String>,
    pub(crate) schema: String,
}

/// The parameters that may hold slashes, because names of branches do.
const WITH_SLASHES: [&str; 3] = ["ref", "branch", "basehead"];

impl Operation {
    /// The operation of the most literal path that fits.
    pub(crate) fn find(method: &str, path: &str) -> Option<Self> {
        let path = by_name(path);
        let method = method.to_ascii_lowercase();
        let fitting = members(OPERATIONS.document.get("paths"))
            .filter(|(_, operations)| operations.get(&method).is_some())
            .filter_map(|(template, _)| Some((template, capture(template, &path)?)));
        let literal = |template: &str| template.split('/').filter(|segment| !segment.starts_with('{')).count();
        let (template, captured) = fitting.max_by_key(|(template, _)| literal(template))?;
        let pointer = format!("/paths/{}/{method}", template.replace('/', "~1"));
        Some(Self { template: template.clone(), captured, ..Self::read(&pointer) })
    }

    /// Whether a client says this besides the path, where it is ignored.
    pub(crate) fn says_twice(&self, name: &str) -> bool {
        SAID_TWICE.iter().any(|(ending, said)| *said == name && self.template.ends_with(ending))
    }

    fn read(pointer: &str) -> Self {
        let mut operation = Self::default();
        let described = OPERATIONS.document.pointer(pointer);
        let parameters = described.and_then(|it| it.get("parameters")?.as_array()).map_or(0, Vec::len);
        for index in 0..parameters {
            operation.parameters.extend(Parameter::read(&format!("{pointer}/parameters/{index}")));
        }
        if let Some((body, at)) = OPERATIONS.resolve(&format!("{pointer}/requestBody")) {
            operation.needs_body = body.get("required") == Some(&Value::Bool(true));
            operation.body = schema_of(&at);
        }
        for (status, _) in members(described.and_then(|it| it.get("responses"))) {
            let Some((response, at)) = OPERATIONS.resolve(&format!("{pointer}/responses/{status}")) else { continue };
            operation.media.extend(members(response.get("content")).map(|(media, _)| media.clone()));
            if let Ok(status) = status.parse() {
                operation.answers.insert(status, schema_of(&at));
            }
        }
        operation
    }
}

impl Parameter {
    fn read(pointer: &str) -> Option<Self> {
        let (parameter, at) = OPERATIONS.resolve(pointer)?;
        let text = |name: &str| parameter.get(name).and_then(Value::as_str).map(str::to_owned);
        let of = parameter.pointer("/schema/type").and_then(Value::as_str).map(str::to_owned);
        Some(Self { name: text("name")?, place: text("in")?, of, schema: format!("{at}/schema") })
    }
}

/// The schema of a body in JSON.
fn schema_of(pointer: &str) -> Option<String> {
    let schema = format!("{pointer}/content/application~1json/schema");
    OPERATIONS.document.pointer(&schema).map(|_| schema)
}

/// GitHub links to pages by number, `/repositories/{id}/…`, which is not described.
fn by_name(path: &str) -> String {
    match path.strip_prefix("/repositories/").and_then(|rest| rest.split_once('/')) {
        Some((_, rest)) => format!("/repos/owner/name/{rest}"),
        None => path.strip_prefix("/api/v3").unwrap_or(path).to_owned(),
    }
}

/// What the path says for the parameters of a template; `None` when it does not fit.
fn capture(template: &str, path: &str) -> Option<Vec<(String, String)>> {
    let template: Vec<&str> = template.split('/').collect();
    let path: Vec<&str> = path.split('/').collect();
    capture_segments(&template, &path)
}

fn capture_segments(template: &[&str], path: &[&str]) -> Option<Vec<(String, String)>> {
    let Some((first, templates)) = template.split_first() else {
        return path.is_empty().then(Vec::new);
    };
    let Some(name) = first.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else {
        let (segment, rest) = path.split_first()?;
        return if segment == first { capture_segments(templates, rest) } else { None };
    };
    let most = if WITH_SLASHES.contains(&name) { path.len() } else { path.len().min(1) };
    (1..=most).rev().find_map(|count| {
        let (segments, rest) = path.split_at_checked(count)?;
        let mut captured = vec![(name.to_owned(), segments.join("/"))];
        captured.extend(capture_segments(templates, rest)?);
        Some(captured)
    })
}
