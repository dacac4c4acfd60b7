//! The published descriptions, and validators for what they describe.

mod surplus;

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use jsonschema::{Draft, Registry, Validator};
use serde_json::{Value, json};

/// A description of GitHub's as a JSON document with schemas in it.
#[derive(Debug)]
pub(crate) struct Description {
    pub(crate) document: Value,
    registry: Registry<'static>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// The operations that we use, and their schemas.
pub(crate) static OPERATIONS: LazyLock<Description> =
    LazyLock::new(|| Description::read(include_str!("../tests/fixtures/github/openapi.json")));

/// The webhooks that we take, and their schemas.
pub(crate) static WEBHOOKS: LazyLock<Description> =
    LazyLock::new(|| Description::read(include_str!("../tests/fixtures/github/webhooks.json")));

/// What the document is called inside.
const NAME: &str = "urn:github";

/// How many differences of one body are worth telling.
const MOST_TOLD: usize = 5;

impl Description {
    fn read(text: &str) -> Self {
        let mut document = serde_json::from_str(text).expect("the file in this crate is JSON, as tests show");
        correct(&mut document);
        let registry = Registry::new()
            .draft(Draft::Draft202012)
            .add(NAME, document.clone())
            .and_then(jsonschema::RegistryBuilder::prepare)
            .expect("the file in this crate refers only to itself, as tests show");
        Self { document, registry, validators: Mutex::default() }
    }

    /// The value that a pointer into the document leads to in the end, and the pointer of that.
    pub(crate) fn resolve(&self, pointer: &str) -> Option<(&Value, String)> {
        let value = self.document.pointer(pointer)?;
        match value.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#')) {
            Some(further) => self.resolve(further),
            None => Some((value, pointer.to_owned())),
        }
    }

    /// What the schema that a pointer leads to says against a value.
    pub(crate) fn complaints(&self, pointer: &str, value: &Value) -> Vec<String> {
        let validator = self.validator(pointer);
        let complaint = |error: jsonschema::ValidationError<'_>| {
            let said: String = error.to_string().chars().take(300).collect();
            format!("at `{}`: {said}", error.instance_path())
        };
        validator.iter_errors(value).take(MOST_TOLD).map(complaint).collect()
    }

    /// The places of keys of a value that the schema does not name.
    pub(crate) fn surplus(&self, pointer: &str, value: &Value) -> Vec<String> {
        surplus::keys(self, pointer, value)
    }

    fn validator(&self, pointer: &str) -> Arc<Validator> {
        let mut known = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(validator) = known.get(pointer) {
            return Arc::clone(validator);
        }
        let fragment = pointer.replace('{', "%7B").replace('}', "%7D");
        let built = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_registry(&self.registry)
            .should_validate_formats(true)
            .should_ignore_unknown_formats(true)
            // GitHub's own address of an App, `1+tagferry[bot]@users.noreply.github.com`, is none by RFC 5321.
            .with_format("email", |text: &str| text.contains('@'))
            .build(&json!({ "$ref": format!("{NAME}#{fragment}") }));
        let built = Arc::new(built.expect("a schema that the description has can be read"));
        known.insert(pointer.to_owned(), Arc::clone(&built));
        built
    }
}

/// Says what the description should: the words of an order to merge may be absent, as they are in the payloads that
/// Octokit's schemas of webhooks were made from
/// (<https://github.com/octokit/webhooks/blob/main/payload-schemas/api.github.com/common/auto-merge.schema.json>).
fn correct(schema: &mut Value) {
    match schema {
        Value::Array(list) => list.iter_mut().for_each(correct),
        Value::Object(object) => {
            if let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut)
                && ["enabled_by", "merge_method"].iter().all(|name| properties.contains_key(*name))
            {
                for name in ["commit_title", "commit_message"] {
                    properties.insert(name.to_owned(), json!({ "type": ["string", "null"] }));
                }
            }
            object.values_mut().for_each(correct);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
