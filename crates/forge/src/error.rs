//! What can go wrong at the Git host, by what a caller can do about it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::{
    commit::Commit,
    fault::Fault,
    forge::{Branch, Number, Repository},
};

use crate::refusal::Refusal;

/// How a time is written for people.
const TO_THE_SECOND: &str = "%Y-%m-%d %H:%M:%S UTC";

/// Why something could not be done at the forge.
///
/// A message says what was being done to what, never repeats its source and never contains a token.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The settings can not be used.
    #[error("the settings of the forge: {what}")]
    Settings {
        /// What is wrong with which setting.
        what: String,
    },
    /// A mirror of a source repository could not be asked.
    #[error("the mirror of {repository} (source.git)")]
    Mirror {
        /// Of which repository.
        repository: Repository,
        /// What went wrong.
        source: Box<Self>,
    },
    /// The forge does not accept our credentials.
    #[error("{doing}: the forge does not accept our credentials (HTTP 401); check `github.app` or `github.token`")]
    Unauthorized {
        /// What was being done.
        doing: String,
    },
    /// The App has no installation that may see the repository.
    #[error("the GitHub App is not installed on {repository}: install it there, or give its installation access to it")]
    NotInstalled {
        /// Which repository.
        repository: Repository,
    },
    /// The App's installation lacks permissions without which nothing can be done in the repository.
    #[error(
        "the GitHub App's installation on {repository} was not granted what is needed ({permissions}): add it in the \
         App's settings, and accept it where the App is installed"
    )]
    NotGranted {
        /// Which repository.
        repository: Repository,
        /// Which permissions, as GitHub's settings name them.
        permissions: String,
    },
    /// Our credentials lack a permission.
    #[error("{doing}: the forge forbids it ({why}); {needs}")]
    Forbidden {
        /// What was being done.
        doing: String,
        /// The forge's own words.
        why: String,
        /// Which permission is needed for it.
        needs: &'static str,
    },
    /// The repository does not exist, or our credentials may not see it.
    #[error(
        "repository {repository} does not exist, or the credentials may not see it (Metadata: read, Contents: read)"
    )]
    NoRepository {
        /// Which repository.
        repository: Repository,
    },
    /// The repository has no branch of that name.
    #[error("{repository} has no branch {branch}")]
    NoBranch {
        /// In which repository.
        repository: Repository,
        /// Which branch.
        branch: Branch,
    },
    /// The kept object store, or the forge, does not have that commit (any more): look at the branch's tip again.
    #[error("commit {commit} of {repository} is not there any more")]
    UnknownCommit {
        /// In which repository.
        repository: Repository,
        /// Which commit.
        commit: Commit,
    },
    /// The forge asked us to slow down.
    #[error("{doing}: the forge asks us to slow down")]
    Limited {
        /// What was being done.
        doing: String,
        /// How long it asked us to wait, when it said so.
        retry_after: Option<Duration>,
    },
    /// What is left of the forge's limits is kept for merging, closing and looking, and this would begin something new.
    #[error("{doing}: what is left of the forge's limit is kept for merging (github.limits.kept_for_merging)")]
    Kept {
        /// What was to be done.
        doing: String,
        /// How long until there is enough again.
        retry_after: Duration,
    },
    /// The forge could not be reached, did not answer in time, or failed itself.
    #[error("{doing}: {why}")]
    Unavailable {
        /// What was being done.
        doing: String,
        /// What happened instead.
        why: String,
        /// The cause below it, when there is one.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The host has failed or not answered so often that it is left alone for a while; it was not asked.
    #[error(
        "{doing}: {host} has not answered since {} and is tried again at {}",
        .since.format(TO_THE_SECOND), .until.format(TO_THE_SECOND)
    )]
    Away {
        /// What was to be done.
        doing: String,
        /// Who does not answer.
        host: String,
        /// Since when there was no answer.
        since: DateTime<Utc>,
        /// Until when it is not asked.
        until: DateTime<Utc>,
        /// How long that is.
        retry_after: Duration,
    },
    /// Too many others ask the host, and none of them came to an end.
    #[error("{doing}: {host} is being asked so much that it was not this request's turn within {} ms", .after.as_millis())]
    Busy {
        /// What was to be done.
        doing: String,
        /// Who is asked.
        host: String,
        /// How long we waited.
        after: Duration,
    },
    /// The forge answered what we do not understand.
    #[error("{doing}: the forge's answer can not be understood ({why})")]
    Misunderstood {
        /// What was being done.
        doing: String,
        /// What is odd about it.
        why: String,
    },
    /// The forge said no, in its own words.
    #[error("{doing}: the forge refused it: {message}")]
    Refused {
        /// What was being done.
        doing: String,
        /// The forge's own words.
        message: String,
    },
    /// The forge refused to move the branch, as by a protection rule.
    #[error("pushing branch {branch}: the forge refused it: {why}")]
    PushRefused {
        /// Which branch.
        branch: Branch,
        /// The forge's own words.
        why: String,
    },
    /// Somebody else's commit is on the branch; nothing was changed.
    #[error("branch {branch} has commit {tip}, which is not ours; it was left alone")]
    ForeignTip {
        /// Which branch.
        branch: Branch,
        /// What is at its tip.
        tip: Commit,
    },
    /// Somebody moved the branch while we did; nothing was changed.
    #[error("branch {branch} moved while it was written to")]
    Moved {
        /// Which branch.
        branch: Branch,
    },
    /// A file is not a plain one, and the forge can only write plain ones.
    #[error(
        "{path} in {repository} is executable or writable by its group, and GitHub would make it a plain file: take \
         that from the file, or set `github.write: git`"
    )]
    NotPlain {
        /// In which repository.
        repository: Repository,
        /// Which path.
        path: String,
    },
    /// Another branch has the name of a directory that the branch would be in, or is in the branch as if it were one.
    #[error(
        "{repository} can not have branch {branch} beside its branch {taken_by}: Git would need a directory where it has \
         a file; delete or rename {taken_by}"
    )]
    NameTaken {
        /// In which repository.
        repository: Repository,
        /// Which branch can not be made.
        branch: Branch,
        /// Which one is in the way.
        taken_by: Branch,
    },
    /// What should be a regular file or a directory is something else, as a symbolic link.
    #[error("{path} in {repository} is {found}, not {wanted}")]
    WrongKind {
        /// In which repository.
        repository: Repository,
        /// Which path.
        path: String,
        /// What it is, with its article.
        found: &'static str,
        /// What it should be, with its article.
        wanted: &'static str,
    },
    /// The branch has no commit that its base does not have: there is nothing to propose.
    #[error("branch {branch} has no commit that {base} does not have")]
    NothingToMerge {
        /// Which branch.
        branch: Branch,
        /// Its base.
        base: Branch,
    },
    /// The repository has no pull request of that number.
    #[error("{repository} has no pull request {number}")]
    NoPullRequest {
        /// In which repository.
        repository: Repository,
        /// Which number.
        number: Number,
    },
    /// The forge does not take the order to merge.
    #[error("merging {repository}{number}: {refusal}")]
    Unmergeable {
        /// In which repository.
        repository: Repository,
        /// Which pull request.
        number: Number,
        /// Why not.
        refusal: Refusal,
    },
    /// The kept object store failed; it is made anew when it is damaged.
    #[error("{doing} in the object store of {repository}")]
    Store {
        /// Of which repository.
        repository: Repository,
        /// What was being done.
        doing: &'static str,
        /// What failed.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// What the failure means for trying again.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Settings { .. }
            | Self::Unauthorized { .. }
            | Self::NotInstalled { .. }
            | Self::NotGranted { .. }
            | Self::Forbidden { .. }
            | Self::NoRepository { .. }
            | Self::NoBranch { .. }
            | Self::NameTaken { .. }
            | Self::NotPlain { .. }
            | Self::WrongKind { .. }
            | Self::NoPullRequest { .. }
            | Self::Refused { .. } => Fault::Permanent,
            Self::Mirror { source, .. } => source.fault(),
            Self::Limited { retry_after, .. } => Fault::Limited { retry_after: *retry_after },
            Self::Kept { retry_after, .. } => Fault::Limited { retry_after: Some(*retry_after) },
            Self::Away { retry_after, .. } => Fault::Away { retry_after: *retry_after },
            Self::Unavailable { .. } | Self::Busy { .. } | Self::Misunderstood { .. } | Self::Store { .. } => {
                Fault::Transient
            }
            Self::UnknownCommit { .. } | Self::ForeignTip { .. } | Self::Moved { .. } | Self::NothingToMerge { .. } => {
                Fault::Stale
            }
            Self::PushRefused { why, .. } => push_fault(why),
            Self::Unmergeable { refusal, .. } => refusal.fault(),
        }
    }
}

/// Two pushes at once collide on the reference's lock, which passes; what a rule refuses does not. A name that is taken
/// is told in the same words by the forge: it is looked for among the branches before anything is sent.
fn push_fault(why: &str) -> Fault {
    let why = why.to_lowercase();
    let passing = ["cannot lock ref", "failed to update ref", "internal server error"];
    if passing.iter().any(|text| why.contains(text)) { Fault::Transient } else { Fault::Permanent }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_passes_and_a_rule_does_not() {
        let refused = |why: &str| {
            let branch = "x/deploy-1".parse().unwrap();
            Error::PushRefused { branch, why: why.to_owned() }.fault()
        };
        assert_eq!(refused("cannot lock ref 'refs/heads/x'"), Fault::Transient);
        assert_eq!(refused("protected branch hook declined"), Fault::Permanent);
        let workflow = "refusing to allow a GitHub App to create or update workflow without `workflows` permission";
        assert_eq!(refused(workflow), Fault::Permanent);
    }
}
