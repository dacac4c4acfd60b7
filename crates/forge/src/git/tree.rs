//! Reading files of a commit, and making a commit that changes some.

use std::path::Path;

use domain::commit::Commit;
use git2::{ErrorCode, FileMode, Oid, Signature, Time, Tree, build::TreeUpdateBuilder};

use super::{
    signing::Signer,
    store,
    store::{Committer, Store},
};
use crate::{
    Error,
    write::{Entry, FileEdit, Files, NewCommit},
};

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
    let Committer { author, signer } = store.committer();
    let time = Time::new(new.at.timestamp(), 0);
    let by = Signature::new(&author.name, &author.email, &time).map_err(broken)?;
    let made = match signer {
        None => store.git().commit(None, &by, &by, new.message, &tree, &[&parent]),
        Some(signer) => signed(store, signer, &by, (new.message, &tree, &parent)),
    };
    store::commit(made.map_err(broken)?).ok_or_else(|| broken(git2::Error::from_str("it has no name")))
}

/// Makes a commit with a signature over everything else in it.
fn signed(
    store: &Store,
    signer: &Signer,
    by: &Signature<'_>,
    (message, tree, parent): (&str, &Tree<'_>, &git2::Commit<'_>),
) -> Result<Oid, git2::Error> {
    let buffer = store.git().commit_create_buffer(by, by, message, tree, &[parent])?;
    let text = std::str::from_utf8(&buffer).map_err(|error| git2::Error::from_str(&error.to_string()))?;
    let signature = signer.sign(text).map_err(|error| git2::Error::from_str(&error.to_string()))?;
    store.git().commit_signed(text, &signature, None)
}

fn read_directory(store: &Store, root: &Tree<'_>, directory: &str, names: &[String]) -> Result<Option<Files>, Error> {
    let found;
    let directory_tree = match directory.trim_matches('/') {
        "" | "." => root,
        path => {
            let Some(entry) = entry(store, root, path)? else {
                return Ok(None);
            };
            if entry.kind != Entry::Directory {
                return Err(wrong_kind(store, path, entry.kind, "a directory"));
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
        if !entry.kind.is_regular() {
            let path = format!("{}/{name}", directory.trim_matches('/'));
            return Err(wrong_kind(store, path.trim_start_matches('/'), entry.kind, "a regular file"));
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
    match entry.kind {
        Entry::Plain => Ok(FileMode::Blob),
        Entry::OfGroup => Ok(FileMode::BlobGroupWritable),
        Entry::Executable => Ok(FileMode::BlobExecutable),
        Entry::Link | Entry::Directory | Entry::Submodule | Entry::Odd => {
            Err(wrong_kind(store, &file.path, entry.kind, "a regular file"))
        }
    }
}

/// What a tree has under a path.
struct Found {
    id: Oid,
    kind: Entry,
}

/// What is under a path; `None` when nothing is. What stands in the path instead of a directory counts as nothing
/// under it, except that a symbolic link is never followed.
fn entry(store: &Store, root: &Tree<'_>, path: &str) -> Result<Option<Found>, Error> {
    match root.get_path(Path::new(path)) {
        Ok(entry) => {
            let mode = u32::try_from(entry.filemode_raw()).unwrap_or_default();
            Ok(Some(Found { id: entry.id(), kind: Entry::of_mode(mode) }))
        }
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(source) => Err(store.broken("reading a tree", source)),
    }
}

fn tree(store: &Store, id: Oid) -> Result<Tree<'_>, Error> {
    store.git().find_tree(id).map_err(|source| store.broken("reading a tree", source))
}

fn wrong_kind(store: &Store, path: &str, found: Entry, wanted: &'static str) -> Error {
    Error::WrongKind { repository: store.repository().clone(), path: path.to_owned(), found: found.what(), wanted }
}
