//! Whether an answer has what the document asks for, in the form that the schema says.

use std::collections::BTreeMap;

use apollo_compiler::{
    ExecutableDocument, Node, Schema,
    ast::Type,
    executable::{Field, Operation, Selection, SelectionSet},
    schema::ExtendedType,
};
use serde_json::Value;

/// How many hexadecimal digits an object of Git has.
const OID: usize = 40;

/// Walks an answer along the document.
struct Walk<'a> {
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    complaints: Vec<String>,
}

/// What is asked of an object: fields by the key of the answer.
#[derive(Default)]
struct Asked<'a> {
    fields: BTreeMap<&'a str, Vec<&'a Node<Field>>>,
    /// The keys that are asked whatever type the object has.
    always: Vec<&'a str>,
}

/// What GitHub would not answer to an operation.
pub(super) fn complaints(
    schema: &Schema,
    (document, operation): (&ExecutableDocument, &Operation),
    body: &Value,
) -> Vec<String> {
    let mut walk = Walk { schema, document, complaints: Vec::new() };
    let errors = body.get("errors");
    walk.errors(errors);
    match body.get("data") {
        None if errors.is_none() => walk.complain("", "there is neither data nor an error"),
        // The validation refuses with a code, and everybody else fails with a type.
        None if has_code(errors) => walk.complain("", "it refuses a document that GitHub understands"),
        None | Some(Value::Null) => {}
        Some(data) => walk.object("data", &[&operation.selection_set], data),
    }
    walk.complaints
}

fn has_code(errors: Option<&Value>) -> bool {
    let errors = errors.and_then(Value::as_array).into_iter().flatten();
    errors.into_iter().any(|error| error.pointer("/extensions/code").is_some())
}

impl<'a> Walk<'a> {
    fn complain(&mut self, at: &str, what: &str) {
        self.complaints.push(format!("answer at `{at}`: {what}"));
    }

    fn errors(&mut self, errors: Option<&Value>) {
        let Some(errors) = errors else { return };
        let list = errors.as_array().map(Vec::as_slice).unwrap_or_default();
        if list.is_empty() {
            self.complain("errors", "it is not a list of at least one");
        }
        for error in list {
            if !error.get("message").is_some_and(Value::is_string) {
                self.complain("errors", &format!("there is no message in {error}"));
            }
        }
    }

    fn object(&mut self, at: &str, selections: &[&'a SelectionSet], value: &Value) {
        let Some(object) = value.as_object() else {
            return self.complain(at, &format!("{value} is not an object"));
        };
        let mut asked = Asked::default();
        for selection in selections {
            self.collect(selection, true, &mut asked);
        }
        for key in &asked.always {
            if !object.contains_key(*key) {
                self.complain(at, &format!("`{key}` is missing"));
            }
        }
        for (key, value) in object {
            let at = format!("{at}.{key}");
            match asked.fields.get(key.as_str()) {
                None => self.complain(&at, "it was not asked for"),
                Some(fields) => {
                    let selections: Vec<&SelectionSet> = fields.iter().map(|field| &field.selection_set).collect();
                    let of = fields.first().map(|field| &field.definition.ty);
                    if let Some(of) = of {
                        self.value(&at, (of, &selections), value);
                    }
                }
            }
        }
    }

    fn collect(&self, selection: &'a SelectionSet, always: bool, asked: &mut Asked<'a>) {
        for item in &selection.selections {
            match item {
                Selection::Field(field) => {
                    let key = field.response_key().as_str();
                    asked.fields.entry(key).or_default().push(field);
                    // A directive may leave it out.
                    if always && field.directives.is_empty() {
                        asked.always.push(key);
                    }
                }
                Selection::InlineFragment(inline) => {
                    let about = inline.type_condition.as_ref().is_none_or(|name| self.covers(name, &selection.ty));
                    self.collect(&inline.selection_set, always && about && inline.directives.is_empty(), asked);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.document.fragments.get(&spread.fragment_name) {
                        let about = self.covers(fragment.type_condition(), &selection.ty);
                        self.collect(&fragment.selection_set, always && about && spread.directives.is_empty(), asked);
                    }
                }
            }
        }
    }

    /// Whether every object of a type is one of the condition.
    fn covers(&self, condition: &str, of: &str) -> bool {
        condition == of || self.schema.is_subtype(condition, of)
    }

    fn value(&mut self, at: &str, (of, selections): (&Type, &[&'a SelectionSet]), value: &Value) {
        if value.is_null() {
            if of.is_non_null() {
                self.complain(at, &format!("it is null, and the schema says {of}"));
            }
            return;
        }
        if of.is_list() {
            let Some(list) = value.as_array() else {
                return self.complain(at, &format!("{value} is not a list"));
            };
            for (index, one) in list.iter().enumerate() {
                self.value(&format!("{at}.{index}"), (of.item_type(), selections), one);
            }
            return;
        }
        let name = of.inner_named_type();
        match self.schema.types.get(name) {
            Some(ExtendedType::Enum(it)) => {
                if !value.as_str().is_some_and(|value| it.values.contains_key(value)) {
                    self.complain(at, &format!("{value} is no {name}"));
                }
            }
            Some(ExtendedType::Scalar(_)) | None => {
                if !is_scalar(name, value) {
                    self.complain(at, &format!("{value} is no {name}"));
                }
            }
            Some(_) => self.object(at, selections, value),
        }
    }
}

fn is_scalar(name: &str, value: &Value) -> bool {
    let text = value.as_str();
    match name {
        "Boolean" => value.is_boolean(),
        "Int" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        "Float" => value.is_number(),
        "GitObjectID" => {
            text.is_some_and(|text| text.len() == OID && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
        }
        "URI" => text.is_some_and(|text| url::Url::parse(text).is_ok()),
        "DateTime" => text.is_some_and(|text| text.ends_with('Z') && text.contains('T')),
        _ => text.is_some(),
    }
}
