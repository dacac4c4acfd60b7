//! The staging branch: where the forge makes a commit before anything is proposed with it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{
    commit::Commit,
    forge::{Branch, Repository},
    proposal::ReleaseBranch,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Hosted,
    branches::{Branches, Update},
    refusal,
};
use crate::{
    Error,
    client::{Document, Reply},
    write::NewCommit,
};

/// How many bytes of files a commit may change. GitHub documents no limit; requests of about 50 MB were refused, and
/// Base64 makes four bytes out of three.
const MOST_BYTES: usize = 30 * 1024 * 1024;

/// Both in one request: they are done in this order.
const STAGE: &str = "mutation($place: UpdateRefsInput!, $commit: CreateCommitOnBranchInput!) { \
     place: updateRefs(input: $place) { clientMutationId } \
     commit: createCommitOnBranch(input: $commit) { commit { oid } } }";

#[derive(Deserialize)]
struct Staged {
    /// Nothing when the branch could not be moved.
    place: Option<Value>,
    /// Nothing when the commit could not be made.
    commit: Option<Made>,
}

#[derive(Deserialize)]
struct Made {
    commit: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    oid: String,
}

/// The staging branch of an application: one is enough, for one of its releases at a time is proposed.
///
/// It begins as release branches do, so that a rule for them is one for it too, and names us, so that nobody else
/// chooses that name.
pub(super) fn branch(release: &ReleaseBranch) -> Branch {
    let name = release.branch().as_str();
    let (application, _) = name.split_once('/').unwrap_or((name, ""));
    format!("{application}/deploy-tagferry-staging")
        .parse()
        .expect("lower-case letters, digits and dashes around one slash are a legal branch")
}

/// Refuses what the forge would not take in one request.
pub(super) fn check_size(repository: &Repository, new: &NewCommit<'_>) -> Result<(), Error> {
    let size_bytes: usize = new.files.iter().map(|file| file.bytes.len()).sum();
    if size_bytes <= MOST_BYTES {
        return Ok(());
    }
    let message = format!("{size_bytes} bytes of files are too many for one request: set `github.write: git`");
    Err(Error::Refused { doing: format!("committing to {repository}"), message })
}

impl Hosted<'_> {
    /// Puts the staging branch onto the tip, wherever it was left, and has the commit made there. One request.
    pub(super) async fn stage(
        &self,
        repository: &Repository,
        seen: &Branches,
        new: &NewCommit<'_>,
    ) -> Result<Commit, Error> {
        let staging = branch(new.branch);
        let place = Update { branch: &staging, before: seen.staging(), after: Some(new.tip) };
        let additions =
            new.files.iter().map(|file| json!({ "path": file.path, "contents": STANDARD.encode(&file.bytes) }));
        let message = match new.body() {
            "" => json!({ "headline": new.headline() }),
            body => json!({ "headline": new.headline(), "body": body }),
        };
        let variables = json!({
            "place": seen.input(&[place]),
            "commit": {
                "branch": { "repositoryNameWithOwner": repository.to_string(), "branchName": staging.as_str() },
                "expectedHeadOid": new.tip.to_string(),
                "message": message,
                "fileChanges": { "additions": additions.collect::<Vec<_>>() },
            },
        });
        let doing = format!("committing to {staging} of {repository}");
        let document = Document { text: STAGE, variables: &variables, doing: &doing };
        let reply: Reply<Staged> = self.client.ask(repository, document).await?;
        let errors_mean = refusal(&reply, &staging);
        let odd = || Error::Misunderstood { doing, why: "no commit and no reason".to_owned() };
        match reply.data {
            Some(Staged { place: Some(_), commit: Some(Made { commit: Some(made) }) }) => {
                made.oid.parse().ok().ok_or_else(odd)
            }
            // Where the branch was not moved, what was said about the commit is only what follows from that.
            Some(Staged { place: None, .. }) if !reply.errors.is_empty() => {
                Err(self.why_not_moved(repository, &place, errors_mean).await)
            }
            Some(_) | None if !reply.errors.is_empty() => Err(errors_mean),
            Some(_) | None => Err(odd()),
        }
    }
}
