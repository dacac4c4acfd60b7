//! Keys that a value has and its schema does not know.
//!
//! The published schemas let every object have more keys than they name, so that a validator passes what GitHub never
//! says, and a client could come to rely on it.

use serde_json::Value;

use super::Description;

/// The keywords whose schemas are about the same value.
const ALTERNATIVES: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// The places of keys that no schema of the value names.
pub(super) fn keys(description: &Description, schema: &str, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(description, &[schema.to_owned()], ("", value), &mut found);
    found
}

fn walk(description: &Description, schemas: &[String], (at, value): (&str, &Value), found: &mut Vec<String>) {
    let mut about = Vec::new();
    schemas.iter().for_each(|schema| expand(description, schema, &mut about));
    let below = |keyword: &str| -> Vec<String> {
        let places = about.iter().map(|schema| format!("{schema}/{keyword}"));
        places.filter(|place| description.document.pointer(place).is_some_and(Value::is_object)).collect()
    };
    match value {
        Value::Array(list) => {
            let items = below("items");
            for (index, one) in list.iter().enumerate() {
                walk(description, &items, (&format!("{at}/{index}"), one), found);
            }
        }
        Value::Object(object) => {
            let is_open = below("properties").is_empty() || about.iter().any(|schema| is_map(description, schema));
            for (key, one) in object {
                let place = format!("{at}/{key}");
                let named = below(&format!("properties/{}", key.replace('~', "~0").replace('/', "~1")));
                if !named.is_empty() {
                    walk(description, &named, (&place, one), found);
                } else if !is_open {
                    found.push(place);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The schemas that a schema stands for.
fn expand(description: &Description, schema: &str, about: &mut Vec<String>) {
    let Some((resolved, at)) = description.resolve(schema) else { return };
    for keyword in ALTERNATIVES {
        let alternatives = resolved.get(keyword).and_then(Value::as_array).map_or(0, Vec::len);
        for index in 0..alternatives {
            expand(description, &format!("{at}/{keyword}/{index}"), about);
        }
    }
    about.push(at);
}

/// Whether the keys of an object are data.
fn is_map(description: &Description, schema: &str) -> bool {
    let more = description.document.pointer(schema).and_then(|schema| schema.get("additionalProperties"));
    more.is_some_and(|more| *more != Value::Bool(false))
}
