//! The documents that files and branches are asked for with: as long as what is asked for, with every name in a
//! variable, so that no name can be anything but a name.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

/// A document under construction.
#[derive(Debug, Default)]
pub(super) struct Draft {
    declared: String,
    /// The values of its variables.
    pub(super) values: Map<String, Value>,
}

/// What a commit has under some paths, by the aliases that they were asked for with.
pub(super) type Found = BTreeMap<String, Option<FoundEntry>>;

/// What is under a path.
#[derive(Debug, Deserialize)]
pub(super) struct FoundEntry {
    pub(super) mode: u32,
    pub(super) oid: Option<String>,
    pub(super) object: Option<Blob>,
}

/// The content of a file; all is absent of what is no file.
#[derive(Debug, Deserialize)]
pub(super) struct Blob {
    pub(super) oid: Option<String>,
    #[serde(rename = "isTruncated")]
    pub(super) is_truncated: Option<bool>,
    pub(super) text: Option<String>,
}

/// The commit that something points to.
#[derive(Debug, Deserialize)]
pub(super) struct Pointing<T> {
    pub(super) target: Option<T>,
}

impl Draft {
    /// Declares a variable.
    pub(super) fn declare(&mut self, name: &str, of: &str, value: impl Into<Value>) {
        self.declared.push_str(&format!("${name}: {of} "));
        self.values.insert(name.to_owned(), value.into());
    }

    /// Asks for what is under a path; the answer is under `alias`.
    pub(super) fn entry(&mut self, alias: &str, path: &str, fields: &str) -> String {
        self.declare(alias, "String!", path);
        format!("{alias}: file(path: ${alias}) {{ {fields} }} ")
    }

    /// The whole document, asking for this of a repository.
    pub(super) fn of_repository(&self, selection: &str) -> String {
        let declared = self.declared.trim_end();
        format!(
            "query($owner: String!, $name: String!, {declared}) {{ repository(owner: $owner, name: $name) {{ {selection} }} }}"
        )
    }
}
