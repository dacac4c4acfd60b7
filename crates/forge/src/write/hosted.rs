//! The way without Git: the forge is asked for files, and makes the commits itself (GraphQL `createCommitOnBranch`).
//!
//! Such a commit is signed by the forge, so that it counts as verified, and its name is not known before it is there.
//! It is therefore made on a branch of the application's own, which no pull request is from; the release branch is made
//! to point to it in a second step, once its name is recorded. That keeps an open pull request open while its branch is
//! made anew, too: a branch that is reset to its base first would lose all its commits, which closes it.
//!
//! The staging branch belongs to us by its name. What a lost answer or a crash leaves there is written over.

mod branches;
mod document;
mod reading;
mod staging;

use domain::{
    commit::Commit,
    forge::{Branch, Repository},
    proposal::ReleaseBranch,
};

use super::{Files, NEEDS_WRITE, NewCommit};
use crate::{
    Error,
    client::{Client, Reply},
};
use branches::{Branches, Update};
use reading::At;

/// A forge that is spoken to by its interfaces alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hosted<'a> {
    pub(super) client: &'a Client,
}

/// The directories that files are looked for in, and the names of those files.
type Places<'a> = (&'a [&'a str], &'a [&'a str]);

impl Hosted<'_> {
    /// The commit at the tip of a branch. One request.
    pub(super) async fn tip(&self, repository: &Repository, branch: &Branch) -> Result<Commit, Error> {
        Ok(self.read(repository, At::Branch(branch), (&[], &[])).await?.0)
    }

    /// The commit at the tip of a branch with files of it. One request, and one for each file that is no text.
    pub(super) async fn read_tip(
        &self,
        repository: &Repository,
        branch: &Branch,
        places: Places<'_>,
    ) -> Result<(Commit, Vec<Option<Files>>), Error> {
        self.read(repository, At::Branch(branch), places).await
    }

    /// Files of a commit. One request, and one for each file that is no text.
    pub(super) async fn read_directories(
        &self,
        repository: &Repository,
        tip: Commit,
        places: Places<'_>,
    ) -> Result<Vec<Option<Files>>, Error> {
        Ok(self.read(repository, At::Commit(tip), places).await?.1)
    }

    /// Has the forge make a commit on the staging branch, unless the release branch has the same as one of ours.
    pub(super) async fn commit(&self, repository: &Repository, new: &NewCommit<'_>) -> Result<Commit, Error> {
        staging::check_size(repository, new)?;
        let branches = self.branches(repository, new.branch, Some(new)).await?;
        if let Some(there) = branches.same_commit(new) {
            return Ok(there);
        }
        branches.check_name(repository, new.branch)?;
        branches.check_files(repository, new)?;
        self.stage(repository, &branches, new).await
    }

    /// Makes a commit that is staged the tip of the release branch.
    pub(super) async fn push(
        &self,
        repository: &Repository,
        branch: &ReleaseBranch,
        commit: Commit,
        ours: &[Commit],
    ) -> Result<(), Error> {
        let branches = self.branches(repository, branch, None).await?;
        match branches.release() {
            Some(current) if current == commit => return Ok(()),
            Some(tip) if !ours.contains(&tip) => {
                return Err(Error::ForeignTip { branch: branch.branch().clone(), tip });
            }
            Some(_) => {}
            None => branches.check_name(repository, branch)?,
        }
        let mut updates = vec![Update { branch: branch.branch(), before: branches.release(), after: Some(commit) }];
        let staging = staging::branch(branch);
        if branches.staging() == Some(commit) {
            updates.push(Update { branch: &staging, before: Some(commit), after: None });
        }
        self.update(repository, &branches, &updates).await
    }

    /// Deletes the release branch, and what an unfinished try left on the staging branch.
    pub(super) async fn delete_branch(
        &self,
        repository: &Repository,
        branch: &ReleaseBranch,
        ours: &[Commit],
    ) -> Result<(), Error> {
        let branches = self.branches(repository, branch, None).await?;
        if let Some(tip) = branches.release().filter(|tip| !ours.contains(tip)) {
            return Err(Error::ForeignTip { branch: branch.branch().clone(), tip });
        }
        let staging = staging::branch(branch);
        let there = [(branch.branch(), branches.release()), (&staging, branches.staging())];
        let updates: Vec<Update<'_>> = there
            .into_iter()
            .filter(|(_, before)| before.is_some())
            .map(|(branch, before)| Update { branch, before, after: None })
            .collect();
        if updates.is_empty() {
            return Ok(());
        }
        self.update(repository, &branches, &updates).await
    }

    /// Moves branches, all or none, each only while it is where it was seen.
    async fn update(&self, repository: &Repository, seen: &Branches, updates: &[Update<'_>]) -> Result<(), Error> {
        let Some(update) = updates.first() else { return Ok(()) };
        let reply = self.send_updates(repository, seen, updates).await?;
        if reply.errors.is_empty() {
            return Ok(());
        }
        Err(self.why_not_moved(repository, update, refusal(&reply, update.branch)).await)
    }

    /// Why a branch was not moved. What the forge says of one that is not where it was is not documented, nor what it
    /// says of a name that is taken: the branch itself tells.
    async fn why_not_moved(&self, repository: &Repository, update: &Update<'_>, refused: Error) -> Error {
        if !matches!(refused, Error::PushRefused { .. }) {
            return refused;
        }
        let moved = || Error::Moved { branch: update.branch.clone() };
        match self.read(repository, At::Branch(update.branch), (&[], &[])).await {
            Ok((now, _)) if Some(now) != update.before => moved(),
            Err(Error::NoBranch { .. }) if update.before.is_some() => moved(),
            Ok(_) | Err(Error::NoBranch { .. }) => refused,
            Err(error) => error,
        }
    }
}

/// What the errors of a mutation mean that was about a branch.
fn refusal<T>(reply: &Reply<T>, branch: &Branch) -> Error {
    let is = |kind: &str| reply.errors.iter().any(|problem| problem.kind.as_deref() == Some(kind));
    let why = reply.message();
    if is("STALE_DATA") {
        Error::Moved { branch: branch.clone() }
    } else if is("FORBIDDEN") {
        Error::Forbidden { doing: format!("writing branch {branch}"), why, needs: NEEDS_WRITE }
    } else {
        Error::PushRefused { branch: branch.clone(), why }
    }
}
