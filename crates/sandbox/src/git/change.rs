//! What two commits differ in.

use std::collections::BTreeMap;

use super::{Bare, Error, Oid};

/// A file that a branch changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileChange {
    pub(crate) path: String,
    /// `added`, `removed` or `modified`, as GitHub says it.
    pub(crate) status: &'static str,
    /// The content afterwards; before, when it is removed.
    pub(crate) blob: String,
    pub(crate) additions: u64,
    pub(crate) deletions: u64,
}

impl Bare {
    /// The files that a head changed since it left the base.
    pub(crate) fn changes(&self, base: &Oid, head: &Oid) -> Result<Vec<FileChange>, Error> {
        let range = format!("{base}...{head}");
        let printed = self.ask("diff", &["--raw", "--numstat", "--no-renames", "--abbrev=40", "-z", &range])?;
        Ok(parse(&printed))
    }
}

/// Each file has a record `:modes blobs letter`, a record with its path, and a record with the counts and its path.
fn parse(printed: &str) -> Vec<FileChange> {
    let mut changes: BTreeMap<&str, FileChange> = BTreeMap::new();
    let mut records = printed.split('\0');
    while let Some(record) = records.next() {
        if let Some(meta) = record.strip_prefix(':') {
            let words: Vec<&str> = meta.split(' ').collect();
            let (Some(path), [_, _, before, after, letter]) = (records.next(), words.as_slice()) else { break };
            let (status, blob) = match *letter {
                "A" => ("added", after),
                "D" => ("removed", before),
                _ => ("modified", after),
            };
            let blob = (*blob).to_owned();
            changes.insert(path, FileChange { path: path.to_owned(), status, blob, additions: 0, deletions: 0 });
            continue;
        }
        let mut counts = record.splitn(3, '\t');
        if let (Some(additions), Some(deletions), Some(path)) = (counts.next(), counts.next(), counts.next())
            && let Some(change) = changes.get_mut(path)
        {
            // A binary file has a dash in place of a count.
            (change.additions, change.deletions) = (additions.parse().unwrap_or(0), deletions.parse().unwrap_or(0));
        }
    }
    changes.into_values().collect()
}
