//! Reading files of a commit: all in one request, and the tip of the branch with them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{
    commit::Commit,
    forge::{Branch, Repository},
};
use git2::{ObjectType, Oid};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Hosted, Places,
    document::{Blob, Draft, Found, FoundEntry, Pointing},
};
use crate::{
    Error,
    api::Request,
    client::{Document, Reply},
    write::{Entry, Files, NEEDS_READ},
};

/// Of which commit files are read.
#[derive(Clone, Copy, Debug)]
pub(super) enum At<'a> {
    /// The one at the tip of a branch.
    Branch(&'a Branch),
    /// That one.
    Commit(Commit),
}

/// What is asked of what may be a file.
const CONTENT: &str = "mode object { ... on Blob { oid isTruncated text } }";

#[derive(Deserialize)]
struct Data {
    repository: Option<Looked>,
}

#[derive(Deserialize)]
struct Looked {
    #[serde(rename = "ref")]
    branch: Option<Pointing<Read>>,
    object: Option<Read>,
}

/// A commit with what it has under the paths.
#[derive(Deserialize)]
struct Read {
    oid: Option<String>,
    #[serde(flatten)]
    found: Found,
}

#[derive(Deserialize)]
struct RawBlob {
    content: String,
    encoding: String,
}

impl Hosted<'_> {
    /// The commit, and the files of these names in each of its directories; `None` where there is no such directory.
    pub(super) async fn read(
        &self,
        repository: &Repository,
        at: At<'_>,
        (directories, names): Places<'_>,
    ) -> Result<(Commit, Vec<Option<Files>>), Error> {
        let mut draft = Draft::default();
        let mut selection = "... on Commit { oid ".to_owned();
        for (number, directory) in directories.iter().enumerate() {
            let directory = directory_path(directory);
            if !directory.is_empty() {
                selection.push_str(&draft.entry(&format!("d{number}"), directory, "mode"));
            }
            for (place, name) in names.iter().enumerate() {
                selection.push_str(&draft.entry(&format!("f{number}x{place}"), &join(directory, name), CONTENT));
            }
        }
        selection.push('}');
        let read = self.look(repository, at, draft, &selection).await?;
        let oid = read.oid.as_deref().and_then(|oid| oid.parse().ok());
        let commit = oid.ok_or_else(|| misunderstood(repository, "a branch without a commit"))?;
        let mut found = read.found;
        let mut all = Vec::new();
        for (number, directory) in directories.iter().enumerate() {
            let directory = directory_path(directory);
            let files = match found.remove(&format!("d{number}")).flatten().map(FoundEntry::kind) {
                None if !directory.is_empty() => None,
                None | Some(Entry::Directory) => {
                    let mut entries = Vec::new();
                    for (place, name) in names.iter().enumerate() {
                        let entry = found.remove(&format!("f{number}x{place}")).flatten();
                        entries.extend(entry.map(|entry| (*name, entry)));
                    }
                    Some(self.files(repository, directory, entries).await?)
                }
                Some(other) => return Err(wrong_kind(repository, directory, other, "a directory")),
            };
            all.push(files);
        }
        Ok((commit, all))
    }

    async fn look(
        &self,
        repository: &Repository,
        at: At<'_>,
        mut draft: Draft,
        selection: &str,
    ) -> Result<Read, Error> {
        let (text, doing) = match at {
            At::Branch(branch) => {
                draft.declare("ref", "String!", branch.reference());
                let text = format!("ref(qualifiedName: $ref) {{ target {{ {selection} }} }}");
                (text, format!("reading {branch} of {repository}"))
            }
            At::Commit(commit) => {
                draft.declare("oid", "GitObjectID!", commit.to_string());
                (format!("object(oid: $oid) {{ {selection} }}"), format!("reading commit {commit} of {repository}"))
            }
        };
        let looked: Looked = self.query(repository, draft, (&text, &doing), |data: Data| data.repository).await?;
        match at {
            At::Branch(branch) => {
                let missing = || Error::NoBranch { repository: repository.clone(), branch: branch.clone() };
                looked.branch.and_then(|branch| branch.target).ok_or_else(missing)
            }
            At::Commit(commit) => {
                let missing = || Error::UnknownCommit { repository: repository.clone(), commit };
                looked.object.filter(|read| read.oid.is_some()).ok_or_else(missing)
            }
        }
    }

    /// Asks for something of a repository that must be there.
    pub(super) async fn query<D: serde::de::DeserializeOwned, T>(
        &self,
        repository: &Repository,
        draft: Draft,
        (selection, doing): (&str, &str),
        inner: impl Fn(D) -> Option<T>,
    ) -> Result<T, Error> {
        let text = draft.of_repository(selection);
        let mut variables = draft.values;
        variables.insert("owner".to_owned(), repository.owner().into());
        variables.insert("name".to_owned(), repository.name().into());
        let variables = Value::Object(variables);
        let reply: Reply<D> =
            self.client.ask(repository, Document { text: &text, variables: &variables, doing }).await?;
        let (message, is_absent) = (reply.message(), reply.is_not_found());
        let is_forbidden = reply.errors.iter().any(crate::client::Problem::is_forbidden);
        let is_whole = reply.errors.is_empty();
        match reply.data.and_then(inner) {
            // What is absent in a repository that is there leaves a hole, which says enough.
            Some(found) if is_whole || (is_absent && !is_forbidden) => Ok(found),
            None if is_absent || is_whole => Err(Error::NoRepository { repository: repository.clone() }),
            Some(_) | None if is_forbidden => {
                Err(Error::Forbidden { doing: doing.to_owned(), why: message, needs: NEEDS_READ })
            }
            Some(_) | None => Err(Error::Refused { doing: doing.to_owned(), message }),
        }
    }

    async fn files(
        &self,
        repository: &Repository,
        directory: &str,
        entries: Vec<(&str, FoundEntry)>,
    ) -> Result<Files, Error> {
        let mut files = Vec::new();
        for (name, entry) in entries {
            let kind = entry.kind_of();
            if !kind.is_regular() {
                return Err(wrong_kind(repository, &join(directory, name), kind, "a regular file"));
            }
            let blob = entry.object.ok_or_else(|| misunderstood(repository, "a file without content"))?;
            let bytes = self.bytes(repository, blob).await?;
            files.push((name.to_owned(), bytes));
        }
        Ok(files)
    }

    /// The bytes of a file. What the forge gives as text counts only when it is the whole file, byte for byte; the rest
    /// is fetched by itself.
    async fn bytes(&self, repository: &Repository, blob: Blob) -> Result<Vec<u8>, Error> {
        let wanted = blob.oid.ok_or_else(|| misunderstood(repository, "a file without a name"))?;
        let is_whole = |bytes: &[u8]| blob_name(bytes).is_some_and(|name| name == wanted);
        let text = blob.text.filter(|text| blob.is_truncated != Some(true) && is_whole(text.as_bytes()));
        if let Some(text) = text {
            return Ok(text.into_bytes());
        }
        let doing = format!("reading file {wanted} of {repository}");
        let request = Request::get(format!("/repos/{repository}/git/blobs/{wanted}"), doing).needing(NEEDS_READ);
        let answer = self.client.send(repository, &request).await?;
        if !answer.is_success() {
            return Err(request.refused(answer.message()));
        }
        let raw: RawBlob = answer.read(&request)?;
        let encoded: String = raw.content.split_whitespace().collect();
        let decoded = STANDARD.decode(encoded).ok().filter(|bytes| raw.encoding == "base64" && is_whole(bytes));
        decoded.ok_or_else(|| misunderstood(repository, "a file that is not what its name says"))
    }
}

impl FoundEntry {
    /// What it is.
    pub(super) const fn kind_of(&self) -> Entry {
        Entry::of_mode(self.mode)
    }

    fn kind(self) -> Entry {
        self.kind_of()
    }
}

/// The name that Git gives a file with this content.
pub(super) fn blob_name(bytes: &[u8]) -> Option<String> {
    Oid::hash_object(ObjectType::Blob, bytes).ok().map(|oid| oid.to_string())
}

/// The error for what should be a regular file or a directory.
pub(super) fn wrong_kind(repository: &Repository, path: &str, found: Entry, wanted: &'static str) -> Error {
    Error::WrongKind { repository: repository.clone(), path: path.to_owned(), found: found.what(), wanted }
}

fn misunderstood(repository: &Repository, why: &str) -> Error {
    Error::Misunderstood { doing: format!("reading {repository}"), why: why.to_owned() }
}

/// A directory from the root, which itself is empty.
fn directory_path(directory: &str) -> &str {
    match directory.trim_matches('/') {
        "." => "",
        path => path,
    }
}

fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}
