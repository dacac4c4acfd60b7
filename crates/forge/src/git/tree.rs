//! Reading files of a commit, and making a commit that changes some.

use std::path::Path;

use domain::commit::Commit;
use git2::{ErrorCode, FileMode, ObjectType, Oid, Signature, Time, Tree, build::TreeUpdateBuilder};

use super::{FileEdit, Files, NewCommit, store, store::Store};
use crate::Error;

/// The bits of a mode that say what an entry is (`git help fast-import`, "filemodify").
const FILE: i32 = 0o100_644;
const FILE_OF_GROUP: i32 = 0o100_664;
const EXECUTABLE: i32 = 0o100_755;
const LINK: i32 = 0o120_000;

/// The files of these names in each directory.
pub(super) fn read(
    store: &Store,
    tip: Commit,
    directories: &[String],
    names: &[String],
) -> Result<Vec<Option<Files>>, Error> {
    let commit = store.commit(tip)?;
    let root = commit.tree().map_err(|source| store.broken("reading a tree", source))?;
    directories.iter().map(|directory| read_directory(store, &root, directory, names)).collect()
}

/// A commit on top of another that changes some files.
pub(super) fn write(store: &Store, new: &NewCommit<'_>) -> Result<Commit, Error> {
    let broken = |source| store.broken("making a commit", source);
    let parent = store.commit(new.tip)?;
    let root = parent.tree().map_err(broken)?;
    let mut update = TreeUpdateBuilder::new();
    for file in new.files {
        let mode = mode(store, &root, file)?;
        let blob = store.git().blob(&file.bytes).map_err(broken)?;
        update.upsert(file.path.as_str(), blob, mode);
    }
    let tree = update.create_updated(store.git(), &root).map_err(broken)?;
    let tree = store.git().find_tree(tree).map_err(broken)?;
    let author = store.author();
    let time = Time::new(new.at.timestamp(), 0);
    let signature = Signature::new(&author.name, &author.email, &time).map_err(broken)?;
    let made = store.git().commit(None, &signature, &signature, new.message, &tree, &[&parent]).map_err(broken)?;
    store::commit(made).ok_or_else(|| broken(git2::Error::from_str("it has no name")))
}

fn read_directory(store: &Store, root: &Tree<'_>, directory: &str, names: &[String]) -> Result<Option<Files>, Error> {
    let found;
    let directory_tree = match directory.trim_matches('/') {
        "" | "." => root,
        path => {
            let Some(entry) = entry(store, root, path)? else {
                return Ok(None);
            };
            if entry.kind != ObjectType::Tree {
                return Err(wrong_kind(store, path, &entry, "a directory"));
            }
            found = tree(store, entry.id)?;
            &found
        }
    };
    let mut files = Vec::new();
    for name in names {
        let Some(entry) = entry(store, directory_tree, name)? else {
            continue;
        };
        if !entry.is_regular() {
            let path = format!("{}/{name}", directory.trim_matches('/'));
            return Err(wrong_kind(store, path.trim_start_matches('/'), &entry, "a regular file"));
        }
        let blob = store.git().find_blob(entry.id).map_err(|source| store.broken("reading a file", source))?;
        files.push((name.clone(), blob.content().to_vec()));
    }
    Ok(Some(files))
}

/// The mode that an edited file keeps; a new one is a regular file.
fn mode(store: &Store, root: &Tree<'_>, file: &FileEdit) -> Result<FileMode, Error> {
    let Some(entry) = entry(store, root, &file.path)? else {
        return Ok(FileMode::Blob);
    };
    match entry.mode {
        FILE => Ok(FileMode::Blob),
        FILE_OF_GROUP => Ok(FileMode::BlobGroupWritable),
        EXECUTABLE => Ok(FileMode::BlobExecutable),
        _ => Err(wrong_kind(store, &file.path, &entry, "a regular file")),
    }
}

/// What a tree has under a path.
struct Entry {
    id: Oid,
    kind: ObjectType,
    mode: i32,
}

impl Entry {
    fn is_regular(&self) -> bool {
        matches!(self.mode, FILE | FILE_OF_GROUP | EXECUTABLE)
    }

    fn what(&self) -> &'static str {
        match (self.mode, self.kind) {
            (LINK, _) => "a symbolic link",
            (_, ObjectType::Tree) => "a directory",
            (_, ObjectType::Commit) => "a submodule",
            (_, ObjectType::Blob) => "a file",
            (_, ObjectType::Any | ObjectType::Tag) => "something odd",
        }
    }
}

/// What is under a path; `None` when nothing is. What stands in the path instead of a directory counts as nothing
/// under it, except that a symbolic link is never followed.
fn entry(store: &Store, root: &Tree<'_>, path: &str) -> Result<Option<Entry>, Error> {
    match root.get_path(Path::new(path)) {
        Ok(entry) => Ok(Some(Entry {
            id: entry.id(),
            kind: entry.kind().unwrap_or(ObjectType::Any),
            mode: entry.filemode_raw(),
        })),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(source) => Err(store.broken("reading a tree", source)),
    }
}

fn tree(store: &Store, id: Oid) -> Result<Tree<'_>, Error> {
    store.git().find_tree(id).map_err(|source| store.broken("reading a tree", source))
}

fn wrong_kind(store: &Store, path: &str, entry: &Entry, wanted: &'static str) -> Error {
    Error::WrongKind { repository: store.repository().clone(), path: path.to_owned(), found: entry.what(), wanted }
}
