//! Writing commits without a checkout.

use std::collections::BTreeMap;

use super::{Bare, Error, Oid, Signature, run};

/// A commit to be written.
#[derive(Clone, Debug)]
pub(crate) struct NewCommit<'a> {
    pub(crate) tree: &'a Oid,
    pub(crate) parents: &'a [&'a Oid],
    pub(crate) message: &'a str,
    pub(crate) author: &'a Signature,
    pub(crate) committer: &'a Signature,
}

/// Which mode a file gets that was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Modes {
    /// The one that it had.
    Kept,
    /// That of a plain file.
    Plain,
}

/// A reference that is to be moved.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    pub(crate) name: String,
    /// Where it must be; `None`: it must not be there.
    pub(crate) before: Option<Oid>,
    /// Where it shall be; `None`: it shall not be there.
    pub(crate) after: Option<Oid>,
}

/// The name of the tree without a file, which every repository knows.
const EMPTY_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

impl Bare {
    /// Writes a commit object and gives its name.
    pub(crate) fn write_commit(&self, new: &NewCommit<'_>) -> Result<Oid, Error> {
        let mut command = self.command("commit-tree");
        command.arg(new.tree.as_str());
        for parent in new.parents {
            command.args(["-p", parent.as_str()]);
        }
        command
            .env("GIT_AUTHOR_NAME", &new.author.name)
            .env("GIT_AUTHOR_EMAIL", &new.author.email)
            .env("GIT_AUTHOR_DATE", format!("@{} +0000", new.author.when.timestamp()))
            .env("GIT_COMMITTER_NAME", &new.committer.name)
            .env("GIT_COMMITTER_EMAIL", &new.committer.email)
            .env("GIT_COMMITTER_DATE", format!("@{} +0000", new.committer.when.timestamp()));
        oid("commit-tree", &run("commit-tree", command, Some(new.message.as_bytes()))?)
    }

    /// The tree of `parent` with some files written (`Some`) or deleted (`None`).
    ///
    /// A new file is a plain one.
    pub(crate) fn write_tree(
        &self,
        parent: Option<&Oid>,
        files: &BTreeMap<String, Option<Vec<u8>>>,
        modes: Modes,
    ) -> Result<Oid, Error> {
        let modes = match (parent, modes) {
            (Some(parent), Modes::Kept) => self.modes(parent, files)?,
            (Some(_) | None, _) => BTreeMap::new(),
        };
        let mut listed = String::new();
        for (path, content) in files {
            let line = match content {
                Some(content) => {
                    let mode = modes.get(path).map_or("100644", String::as_str);
                    format!("{mode} {}\t{path}\0", self.write_blob(content)?)
                }
                None => format!("0 {}\t{path}\0", Oid::ZERO),
            };
            listed.push_str(&line);
        }
        self.tree_from_index(parent, &listed)
    }

    /// Moves references: all of them, or none.
    pub(crate) fn move_references(&self, moves: &[Move]) -> Result<(), Error> {
        let name = |oid: &Option<Oid>| oid.as_ref().map_or(Oid::ZERO, Oid::as_str).to_owned();
        let lines = moves.iter().map(|it| format!("update {}\0{}\0{}\0", it.name, name(&it.after), name(&it.before)));
        let mut command = self.command("update-ref");
        command.args(["--stdin", "-z"]);
        run("update-ref", command, Some(lines.collect::<String>().as_bytes())).map(drop)
    }

    /// A file's content at a commit; `None` when it is not there.
    pub(crate) fn read_file(&self, commit: &Oid, path: &str) -> Result<Option<String>, Error> {
        match self.ask("cat-file", &["blob", &format!("{commit}:{path}")]) {
            Ok(text) => Ok(Some(text)),
            Err(Error::Refused { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn modes(
        &self,
        commit: &Oid,
        files: &BTreeMap<String, Option<Vec<u8>>>,
    ) -> Result<BTreeMap<String, String>, Error> {
        let mut arguments = vec!["-z", "--format=%(objectmode) %(path)", commit.as_str(), "--"];
        arguments.extend(files.keys().map(String::as_str));
        let listed = self.ask("ls-tree", &arguments)?;
        let entries = listed.split('\0').filter_map(|entry| entry.split_once(' '));
        Ok(entries.map(|(mode, path)| (path.to_owned(), mode.to_owned())).collect())
    }

    fn write_blob(&self, content: &[u8]) -> Result<Oid, Error> {
        let mut command = self.command("hash-object");
        command.args(["-w", "--stdin"]);
        oid("hash-object", &run("hash-object", command, Some(content))?)
    }

    /// The index is a file of its own for each call, so that two calls never meet.
    fn tree_from_index(&self, parent: Option<&Oid>, listed: &str) -> Result<Oid, Error> {
        let index = self.directory().join(format!("index-{:016x}", fastrand::u64(..)));
        let step = |subcommand: &str, arguments: &[&str], input: Option<&[u8]>| {
            let mut command = self.command(subcommand);
            command.env("GIT_INDEX_FILE", &index).args(arguments);
            run(subcommand, command, input)
        };
        let written = step("read-tree", &[parent.map_or(EMPTY_TREE, Oid::as_str)], None)
            .and_then(|_| step("update-index", &["-z", "--index-info"], Some(listed.as_bytes())))
            .and_then(|_| step("write-tree", &[], None));
        if let Err(error) = std::fs::remove_file(&index)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "a temporary index stays behind");
        }
        oid("write-tree", &written?)
    }
}

fn oid(command: &str, printed: &str) -> Result<Oid, Error> {
    let unexpected = || Error::Unexpected { command: command.to_owned(), answer: printed.to_owned() };
    printed.trim().parse().ok().ok_or_else(unexpected)
}
