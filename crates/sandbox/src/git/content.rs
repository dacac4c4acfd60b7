//! Reading trees and files.

use super::{Bare, Error, Oid, run_raw};

/// What a tree has under a name.
#[derive(Clone, Debug)]
pub(crate) struct TreeEntry {
    /// The bits that say what it is.
    pub(crate) mode: u32,
    pub(crate) kind: Kind,
    pub(crate) oid: Oid,
    /// From the tree that was asked.
    pub(crate) path: String,
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Blob,
    Tree,
    /// A submodule's, which is in another repository.
    Commit,
}

const FORMAT: &str = "--format=%(objectmode) %(objecttype) %(objectname) %(path)";

impl Bare {
    /// What a tree, or a commit's tree, has at its top.
    pub(crate) fn entries(&self, tree: &Oid) -> Result<Vec<TreeEntry>, Error> {
        let listed = self.ask("ls-tree", &["-z", FORMAT, tree.as_str()])?;
        listed.split('\0').filter(|line| !line.is_empty()).map(parse).collect()
    }

    /// What a commit has under a path; symbolic links are not followed.
    pub(crate) fn entry(&self, commit: &Oid, path: &str) -> Result<Option<TreeEntry>, Error> {
        let path = path.trim_matches('/');
        if path.is_empty() {
            return Ok(None);
        }
        let listed = self.ask("ls-tree", &["-z", FORMAT, commit.as_str(), "--", path])?;
        let all: Result<Vec<TreeEntry>, Error> =
            listed.split('\0').filter(|line| !line.is_empty()).map(parse).collect();
        Ok(all?.into_iter().find(|entry| entry.path == path))
    }

    /// The bytes of a file; `None` when there is no such object.
    pub(crate) fn blob(&self, oid: &Oid) -> Result<Option<Vec<u8>>, Error> {
        let mut command = self.command("cat-file");
        command.args(["blob", oid.as_str()]);
        match run_raw("cat-file", command) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Kind {
    /// The word for it in Git.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Blob => "blob",
            Self::Tree => "tree",
            Self::Commit => "commit",
        }
    }
}

fn parse(line: &str) -> Result<TreeEntry, Error> {
    let unexpected = || Error::Unexpected { command: "ls-tree".to_owned(), answer: line.to_owned() };
    let mut words = line.splitn(4, ' ');
    let mut next = || words.next().ok_or_else(unexpected);
    let mode = u32::from_str_radix(next()?, 8).ok().ok_or_else(unexpected)?;
    let kind = match next()? {
        "blob" => Kind::Blob,
        "tree" => Kind::Tree,
        _ => Kind::Commit,
    };
    Ok(TreeEntry { mode, kind, oid: next()?.parse().ok().ok_or_else(unexpected)?, path: next()?.to_owned() })
}
