//! The fields of trees and files, and lists of branches.

use serde_json::{Map, Value, json};

use super::{
    Problem,
    execute::{Execution, Resolved},
    node::{Node, text},
};
use crate::{
    git::{Kind, Oid, TreeEntry},
    world::{app::Access, repository::Key},
};

/// A file with more bytes is given only in part.
const LONGEST_TEXT: usize = 512_000;

impl Execution<'_> {
    /// What a commit has under a path.
    pub(super) fn file(&self, key: &Key, commit: &Oid, path: &str) -> Result<Resolved, Problem> {
        let repository = self.permitted(key, "contents", Access::Read)?;
        Ok(Resolved::optional(repository.git.entry(commit, path)?.map(|entry| tree_entry(key, &entry))))
    }

    /// The tree of a commit.
    pub(super) fn tree(&self, key: &Key, commit: &Oid) -> Result<Resolved, Problem> {
        let tree = self.permitted(key, "contents", Access::Read)?.git.commit(commit)?.map(|commit| commit.tree);
        Ok(Resolved::optional(tree.map(|tree| Node::Content(key.clone(), tree, Kind::Tree))))
    }

    /// What a field of a tree or file is.
    pub(super) fn content_field(&self, key: &Key, oid: &Oid, name: &str) -> Result<Resolved, Problem> {
        let repository = self.permitted(key, "contents", Access::Read)?;
        let value = match name {
            "id" => json!(format!("B_kwDOSB{:08x}:{oid}", repository.id)),
            "oid" => json!(oid),
            "entries" => {
                let entries = repository.git.entries(oid)?;
                return Ok(Resolved::List(entries.iter().map(|entry| tree_entry(key, entry)).collect()));
            }
            _ => blob_field(name, &repository.git.blob(oid)?.unwrap_or_default()),
        };
        Ok(Resolved::Leaf(value))
    }

    /// The branches whose reference begins so.
    pub(super) fn references(&self, key: &Key, arguments: &Map<String, Value>) -> Result<Resolved, Problem> {
        if !arguments.contains_key("first") && !arguments.contains_key("last") {
            let text = "You must provide a `first` or `last` value to properly paginate the `refs` connection.";
            return Err(Problem::typed("MISSING_PAGINATION_BOUNDARIES", text));
        }
        let repository = self.permitted(key, "contents", Access::Read)?;
        let prefix = text(arguments, "refPrefix");
        let part = text(arguments, "query");
        let named = repository.tips.keys().filter(|branch| branch.contains(part));
        let named = named.filter(|branch| format!("refs/heads/{branch}").starts_with(prefix));
        let nodes = named.map(|branch| Node::Reference(key.clone(), branch.clone())).collect();
        Ok(Resolved::Object(Node::connection("RefConnection", nodes, arguments)))
    }
}

fn tree_entry(key: &Key, entry: &TreeEntry) -> Node {
    let name = entry.path.rsplit('/').next().unwrap_or_default();
    let object = match entry.kind {
        Kind::Commit => None,
        Kind::Blob | Kind::Tree => Some(Node::Content(key.clone(), entry.oid.clone(), entry.kind)),
    };
    Node::Plain(
        "TreeEntry",
        vec![
            ("name", Resolved::Leaf(json!(name))),
            ("path", Resolved::Leaf(json!(entry.path))),
            ("mode", Resolved::Leaf(json!(entry.mode))),
            ("type", Resolved::Leaf(json!(entry.kind.as_str()))),
            ("oid", Resolved::Leaf(json!(entry.oid))),
            ("object", Resolved::optional(object)),
        ],
    )
}

/// GitHub takes what has a zero byte for no text, and gives no text that is not UTF-8.
fn blob_field(name: &str, bytes: &[u8]) -> Value {
    let text = std::str::from_utf8(bytes).ok().filter(|_| !bytes.contains(&0));
    match name {
        "byteSize" => json!(bytes.len()),
        "isBinary" => json!(text.is_none()),
        "isTruncated" => json!(bytes.len() > LONGEST_TEXT),
        _ => json!(text.map(|text| text.chars().take(LONGEST_TEXT).collect::<String>())),
    }
}
