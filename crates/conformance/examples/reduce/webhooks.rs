//! The webhooks that the sandbox sends, out of the `OpenAPI` description.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// The events that the sandbox sends.
const EVENTS: [&str; 19] = [
    "check-run-completed",
    "check-run-created",
    "merge-group-checks-requested",
    "merge-group-destroyed",
    "pull-request-auto-merge-disabled",
    "pull-request-auto-merge-enabled",
    "pull-request-closed",
    "pull-request-converted-to-draft",
    "pull-request-dequeued",
    "pull-request-edited",
    "pull-request-enqueued",
    "pull-request-labeled",
    "pull-request-opened",
    "pull-request-ready-for-review",
    "pull-request-reopened",
    "pull-request-synchronize",
    "pull-request-unlabeled",
    "push",
    "status",
];

/// What says nothing about values.
const PROSE: [&str; 6] = ["description", "example", "examples", "title", "deprecated", "externalDocs"];

const SCHEMAS: &str = "#/components/schemas/";

/// The description of the kept events, and the schemas that they lead to.
pub(crate) fn reduce(published: &str) -> Result<String, String> {
    let published: Value = serde_json::from_str(published).map_err(|error| error.to_string())?;
    let hooks = published.get("x-webhooks").and_then(Value::as_object).ok_or("there are no webhooks")?;
    let schemas = published.pointer("/components/schemas").and_then(Value::as_object).ok_or("there are no schemas")?;
    let body = "/post/requestBody/content/application~1json/schema";
    let kept: BTreeMap<&String, Value> = hooks
        .iter()
        .filter(|(name, _)| EVENTS.contains(&name.as_str()))
        .filter_map(|(name, hook)| Some((name, plain(hook.pointer(body)?))))
        .collect();
    let mut reached: BTreeMap<String, Value> = BTreeMap::new();
    let mut open: BTreeSet<String> = kept.values().flat_map(references).collect();
    while let Some(name) = open.pop_first() {
        let schema = plain(schemas.get(&name).ok_or_else(|| format!("there is no schema {name}"))?);
        open.extend(references(&schema).into_iter().filter(|it| *it != name && !reached.contains_key(it)));
        reached.insert(name, schema);
    }
    let info = json!({ "version": published.pointer("/info/version"), "license": published.pointer("/info/license") });
    let reduced = json!({ "info": info, "webhooks": kept, "components": { "schemas": reached } });
    Ok(format!("{reduced}\n"))
}

/// The schema without prose, and with `nullable` said as JSON Schema says it.
fn plain(schema: &Value) -> Value {
    match schema {
        Value::Array(list) => list.iter().map(plain).collect(),
        Value::Object(object) => plain_object(object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => schema.clone(),
    }
}

fn plain_object(object: &Map<String, Value>) -> Value {
    let is_said = |key: &str| !PROSE.contains(&key) && key != "nullable" && !key.starts_with("x-");
    let mut kept = Map::new();
    for (key, value) in object.iter().filter(|(key, _)| is_said(key)) {
        // A property may be called like a keyword.
        let value = match value.as_object() {
            Some(properties) if key == "properties" => {
                properties.iter().map(|(name, schema)| (name.clone(), plain(schema))).collect()
            }
            _ => plain(value),
        };
        kept.insert(key.clone(), value);
    }
    if object.get("nullable") != Some(&Value::Bool(true)) {
        return Value::Object(kept);
    }
    match kept.get("type").cloned() {
        Some(Value::String(of)) => {
            kept.insert("type".to_owned(), json!([of, "null"]));
            if let Some(values) = kept.get_mut("enum").and_then(Value::as_array_mut) {
                values.push(Value::Null);
            }
            Value::Object(kept)
        }
        _ => json!({ "anyOf": [kept, { "type": "null" }] }),
    }
}

fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Array(list) => list.iter().flat_map(references).collect(),
        Value::Object(object) => {
            let own = object.get("$ref").and_then(Value::as_str).and_then(|it| it.strip_prefix(SCHEMAS));
            own.map(str::to_owned).into_iter().chain(object.values().flat_map(references)).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}
