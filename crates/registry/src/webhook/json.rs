//! JSON as senders write it, read field by field.
//!
//! A message holds much that nobody needs to understand, in types that change from version to version: a field that is
//! not asked for is skipped unread. Derived structs are not used here, as they are also read from arrays, their fields
//! by position, and one field of the wrong type fails them as a whole.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::unusable::Unusable;

/// How deeply a body may be nested. Reading it here needs no stack, but a kept delivery is read again by tools that
/// recurse, and 128 is where `serde_json` itself stops.
const DEEPEST: usize = 128;

/// An object, whose fields know where they stand.
pub(super) struct Object<'a> {
    path: String,
    fields: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Object<'a> {
    /// The whole body.
    pub(super) fn of_body(body: &'a [u8]) -> Result<Self, Unusable> {
        Self::read(String::new(), text(body)?)
    }

    /// A part of the body that has no name, such as an element of a list: `what` says which.
    pub(super) fn of_part(what: &str, text: &'a str) -> Result<Self, Unusable> {
        Self::read(what.to_owned(), text)
    }

    fn read(path: String, text: &'a str) -> Result<Self, Unusable> {
        let what = || if path.is_empty() { "the body".to_owned() } else { path.clone() };
        if !text.starts_with('{') {
            return Err(Unusable::not(&what(), "a JSON object"));
        }
        let Fields(fields) =
            serde_json::from_str(text).map_err(|error| Unusable::NotJson { what: what(), why: error })?;
        Ok(Self { path, fields })
    }

    /// Whether there is such a field, whatever is in it.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(key, _)| key == name)
    }

    /// What is in a field; `None` when it is absent or null.
    pub(super) fn field(&self, name: &str) -> Result<Option<&'a RawValue>, Unusable> {
        let mut found = self.fields.iter().filter(|(key, _)| key == name);
        let value = found.next().map(|(_, value)| *value);
        if found.next().is_some() {
            return Err(Unusable::Twice(self.path_of(name)));
        }
        Ok(value.filter(|value| value.get() != "null"))
    }

    /// The object in a field.
    pub(super) fn object(&self, name: &str) -> Result<Self, Unusable> {
        self.optional_object(name)?.ok_or_else(|| self.missing(name))
    }

    /// The object in a field; `None` when it is absent or null.
    pub(super) fn optional_object(&self, name: &str) -> Result<Option<Self>, Unusable> {
        self.field(name)?.map(|value| Object::read(self.path_of(name), value.get())).transpose()
    }

    /// The text in a field.
    pub(super) fn string(&self, name: &str) -> Result<Cow<'a, str>, Unusable> {
        self.optional_string(name)?.ok_or_else(|| self.missing(name))
    }

    /// The text in a field; `None` when it is absent or null.
    pub(super) fn optional_string(&self, name: &str) -> Result<Option<Cow<'a, str>>, Unusable> {
        self.field(name)?
            .map(|value| string(value).ok_or_else(|| Unusable::not(&self.path_of(name), "a string")))
            .transpose()
    }

    /// The text in a field of which it does not matter what is wrong with it.
    pub(super) fn hint(&self, name: &str) -> Option<Cow<'a, str>> {
        self.optional_string(name).ok().flatten()
    }

    /// The list in a field; `None` when it is absent or null.
    pub(super) fn optional_list(&self, name: &str) -> Result<Option<Vec<&'a RawValue>>, Unusable> {
        self.field(name)?.map(|value| list(&self.path_of(name), value.get())).transpose()
    }

    /// A field as a person would write where it is.
    pub(super) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn missing(&self, name: &str) -> Unusable {
        Unusable::Missing(self.path_of(name))
    }
}

/// A body that may be parsed: text, not empty, not too deep.
pub(super) fn text(body: &[u8]) -> Result<&str, Unusable> {
    let text = std::str::from_utf8(body).map_err(Unusable::NotText)?.trim_ascii();
    if text.is_empty() {
        return Err(Unusable::Empty);
    }
    if depth(text) > DEEPEST {
        return Err(Unusable::Deep { most: DEEPEST });
    }
    Ok(text)
}

/// The elements of a list, unread.
pub(super) fn list<'a>(what: &str, text: &'a str) -> Result<Vec<&'a RawValue>, Unusable> {
    if !text.starts_with('[') {
        return Err(Unusable::not(what, "a list"));
    }
    serde_json::from_str(text).map_err(|why| Unusable::NotJson { what: what.to_owned(), why })
}

/// A value, if it is a string.
pub(super) fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str(value.get()).ok()
}

/// How deeply objects and arrays are nested, by brackets outside strings; good for text that is not JSON as well.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// The fields of an object, in order, with their repetitions.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(Key(key)) = entries.next_key()? {
            fields.push((key, entries.next_value()?));
        }
        Ok(Fields(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: std::fmt::Debug>(found: Result<T, Unusable>, expected: &str) {
        assert_eq!(found.err().map(|error| error.to_string()).as_deref(), Some(expected));
    }

    #[test]
    fn a_field_says_where_it_is_and_what_is_wrong_with_it() {
        let body = br#"{"a":{"s":1,"n":null,"l":"x","t":1,"t":2,"o":["s"]},"huge":1e999}"#;
        let object = Object::of_body(body).unwrap().object("a").unwrap();
        check(object.string("s"), "a.s is not a string");
        check(object.string("n"), "a.n is missing");
        check(object.string("m"), "a.m is missing");
        check(object.field("t"), "a.t stands there twice");
        check(object.optional_list("l"), "a.l is not a list");
        check(object.object("o").map(|_| ()), "a.o is not a JSON object");
        assert!(object.has("n") && !object.has("m"));
        assert_eq!((object.hint("s"), object.hint("l").as_deref()), (None, Some("x")));
        assert_eq!(object.optional_string("n").unwrap(), None);
    }

    #[test]
    fn a_body_that_is_no_object_says_so() {
        let read = |body: &'static [u8]| Object::of_body(body).map(|_| ());
        check(read(b" \n"), "the body is empty");
        check(read(b"\xff"), "the body is not UTF-8 text: invalid utf-8 sequence of 1 bytes from index 0");
        check(read(b"[{}]"), "the body is not a JSON object");
        check(read(b"{"), "the body is not JSON: EOF while parsing an object at line 1 column 1");
        check(read(br#"{"\ud800":1}"#), "the body is not JSON: unexpected end of hex escape at line 1 column 9");
        let deep = format!("{{\"a\":{}}}", "[".repeat(128));
        check(text(deep.as_bytes()), "the body is nested deeper than 128");
    }

    #[test]
    fn names_are_compared_as_they_are_meant() {
        let object = Object::of_body(br#"{"\u0061":"b\u0063"}"#).unwrap();
        assert_eq!(object.string("a").unwrap(), "bc");
    }
}
