//! Where the release branch and the staging branch are, what stands in their way, and moving them.

use domain::{
    commit::Commit,
    forge::{Branch, Repository},
    proposal::ReleaseBranch,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Hosted,
    document::{Draft, Found, Pointing},
    reading::{blob_name, wrong_kind},
    staging,
};
use crate::{
    Error,
    client::{Document, Reply},
    write::{Entry, NewCommit, clash},
};

/// What is named where a branch is not there (<https://docs.github.com/en/graphql/reference/input-objects#refupdate>).
const NOTHING: &str = "0000000000000000000000000000000000000000";

/// Moving branches: all of them or none, each only from where it was.
const UPDATE: &str = "mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }";

/// The branches of a release as they were seen.
#[derive(Debug, Deserialize)]
pub(super) struct Branches {
    /// What the forge names the repository in mutations.
    id: String,
    release: Option<Pointing<Tip>>,
    staging: Option<Pointing<Tip>>,
    above: Option<Named>,
    below: Option<Listed>,
    /// The files at the commit that is to be built on.
    base: Option<At>,
}

/// A branch that is to be moved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Update<'a> {
    pub(super) branch: &'a Branch,
    /// Where it is; `None`: it is not there.
    pub(super) before: Option<Commit>,
    /// Where it shall be; `None`: it shall not be there.
    pub(super) after: Option<Commit>,
}

#[derive(Deserialize)]
struct Data {
    repository: Option<Branches>,
}

#[derive(Debug, Deserialize)]
struct Tip {
    oid: String,
    message: Option<String>,
    parents: Option<Nodes>,
    #[serde(flatten)]
    found: Found,
}

#[derive(Debug, Deserialize)]
struct At {
    oid: Option<String>,
    #[serde(flatten)]
    found: Found,
}

#[derive(Debug, Deserialize)]
struct Nodes {
    nodes: Vec<Named>,
}

/// Something of which only the name is of use.
#[derive(Debug, Deserialize)]
struct Named {
    #[serde(alias = "name")]
    oid: String,
}

#[derive(Debug, Deserialize)]
struct Listed {
    nodes: Vec<Option<Named>>,
}

impl Hosted<'_> {
    /// Looks at the branches of a release; at the files of a commit that is to be made as well. One request.
    pub(super) async fn branches(
        &self,
        repository: &Repository,
        branch: &ReleaseBranch,
        new: Option<&NewCommit<'_>>,
    ) -> Result<Branches, Error> {
        let mut draft = Draft::default();
        let release = branch.branch();
        let (directory, _) = release.as_str().split_once('/').unwrap_or((release.as_str(), ""));
        draft.declare("release", "String!", release.reference());
        draft.declare("staging", "String!", staging::branch(branch).reference());
        draft.declare("above", "String!", format!("refs/heads/{directory}"));
        draft.declare("below", "String!", format!("{}/", release.reference()));
        let (mut entries, mut base) = (String::new(), String::new());
        if let Some(new) = new {
            for (number, file) in new.files.iter().enumerate() {
                entries.push_str(&draft.entry(&format!("f{number}"), &file.path, "mode oid"));
            }
            draft.declare("tip", "GitObjectID!", new.tip.to_string());
            base = format!("base: object(oid: $tip) {{ ... on Commit {{ oid {entries} }} }}");
        }
        let tip =
            format!("target {{ oid ... on Commit {{ message parents(first: 2) {{ nodes {{ oid }} }} {entries} }} }}");
        let text = format!(
            "id release: ref(qualifiedName: $release) {{ {tip} }} staging: ref(qualifiedName: $staging) {{ {tip} }} above: ref(qualifiedName: $above) {{ name }} below: refs(refPrefix: $below, first: 1) {{ nodes {{ name }} }} {base}"
        );
        let doing = format!("looking at branch {release} of {repository}");
        self.query(repository, draft, (&text, &doing), |data: Data| data.repository).await
    }

    /// Sends updates. What is wrong with them is in the reply.
    pub(super) async fn send_updates(
        &self,
        repository: &Repository,
        seen: &Branches,
        updates: &[Update<'_>],
    ) -> Result<Reply<Value>, Error> {
        let variables = json!({ "input": seen.input(updates) });
        let moved: Vec<&str> = updates.iter().map(|update| update.branch.as_str()).collect();
        let doing = format!("moving {} of {repository}", moved.join(" and "));
        self.client.ask(repository, Document { text: UPDATE, variables: &variables, doing: &doing }).await
    }
}

impl Branches {
    /// The tip of the release branch.
    pub(super) fn release(&self) -> Option<Commit> {
        self.release.as_ref()?.target.as_ref()?.oid.parse().ok()
    }

    /// The tip of the staging branch.
    pub(super) fn staging(&self) -> Option<Commit> {
        self.staging.as_ref()?.target.as_ref()?.oid.parse().ok()
    }

    /// The input of a mutation that moves branches.
    pub(super) fn input(&self, updates: &[Update<'_>]) -> Value {
        let name = |commit: Option<Commit>| commit.map_or_else(|| NOTHING.to_owned(), |commit| commit.to_string());
        let updates = updates.iter().map(|update| {
            json!({
                "name": update.branch.reference(),
                "beforeOid": name(update.before),
                "afterOid": name(update.after),
                "force": true,
            })
        });
        json!({ "repositoryId": self.id, "refUpdates": updates.collect::<Vec<_>>() })
    }

    /// The tip of the release branch or of the staging branch, when it is one of ours and just what is to be made.
    ///
    /// One of ours changes nothing but its files, so that those and its parent say what its tree is.
    pub(super) fn same_commit(&self, new: &NewCommit<'_>) -> Option<Commit> {
        [&self.release, &self.staging].into_iter().find_map(|branch| same(branch.as_ref()?.target.as_ref()?, new))
    }

    /// The release branch must not need a directory where another branch is a file, nor the other way round.
    pub(super) fn check_name(&self, repository: &Repository, branch: &ReleaseBranch) -> Result<(), Error> {
        let release = branch.branch();
        // A branch in the release branch may be listed by its whole name or by the rest of it.
        let below = self.below.iter().flat_map(|listed| listed.nodes.iter().flatten());
        let below = below.flat_map(|node| [node.oid.clone(), format!("{release}/{}", node.oid)]);
        let above = self.above.iter().map(|node| node.oid.clone());
        let mut others = above.chain(below).filter_map(|name| name.parse::<Branch>().ok());
        match others.find(|other| clash(release, other)) {
            None => Ok(()),
            Some(taken_by) => {
                Err(Error::NameTaken { repository: repository.clone(), branch: release.clone(), taken_by })
            }
        }
    }

    /// The files that are to be written must be plain ones, or not be there: others would become plain.
    pub(super) fn check_files(&self, repository: &Repository, new: &NewCommit<'_>) -> Result<(), Error> {
        let missing = || Error::UnknownCommit { repository: repository.clone(), commit: new.tip };
        let found = &self.base.as_ref().filter(|base| base.oid.is_some()).ok_or_else(missing)?.found;
        for (number, file) in new.files.iter().enumerate() {
            let entry = found.get(&format!("f{number}")).and_then(Option::as_ref);
            match entry.map(super::document::FoundEntry::kind_of) {
                None | Some(Entry::Plain) => {}
                Some(Entry::OfGroup | Entry::Executable) => {
                    return Err(Error::NotPlain { repository: repository.clone(), path: file.path.clone() });
                }
                Some(kind @ (Entry::Link | Entry::Directory | Entry::Submodule | Entry::Odd)) => {
                    return Err(wrong_kind(repository, &file.path, kind, "a regular file"));
                }
            }
        }
        Ok(())
    }
}

/// A tip, when it is just what is to be made.
fn same(tip: &Tip, new: &NewCommit<'_>) -> Option<Commit> {
    let commit: Commit = tip.oid.parse().ok()?;
    let parent = new.tip.to_string();
    let parents = tip.parents.as_ref()?.nodes.iter().map(|node| node.oid.as_str());
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let has = |(number, bytes): (usize, &[u8])| {
        let entry = tip.found.get(&format!("f{number}")).and_then(Option::as_ref);
        entry.is_some_and(|entry| entry.oid.is_some() && entry.oid == blob_name(bytes))
    };
    let is_same = new.ours.contains(&commit)
        && parents.eq([parent.as_str()])
        && words(tip.message.as_deref()?) == words(new.message)
        && new.files.iter().map(|file| file.bytes.as_slice()).enumerate().all(has);
    is_same.then_some(commit)
}
