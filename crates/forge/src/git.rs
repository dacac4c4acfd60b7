//! Branches, files, commits and pushes, over Git's own protocol and without any checkout.

mod remote;
mod session;
mod store;
mod transport;
mod tree;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{
    commit::Commit,
    forge::{Branch, Repository},
    proposal::ReleaseBranch,
};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use crate::{Error, Forge};
use remote::{Conversation, Target};
pub(crate) use store::Stores;

/// The files of one directory: their names and bytes.
pub type Files = Vec<(String, Vec<u8>)>;

/// A commit to be made on top of another.
#[derive(Clone, Copy, Debug)]
pub struct NewCommit<'a> {
    /// Its only parent.
    pub tip: Commit,
    /// What it changes; everything else stays as it is.
    pub files: &'a [FileEdit],
    /// Its message.
    pub message: &'a str,
    /// When it is made, to the second.
    pub at: DateTime<Utc>,
}

/// The new content of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEdit {
    /// Where it is, from the repository's root.
    pub path: String,
    /// What it holds from now on.
    pub bytes: Vec<u8>,
}

impl Forge {
    /// The commit at the tip of a branch, with all its files fetched and kept.
    ///
    /// One request while the kept store has that commit already, two or three when it must be fetched.
    ///
    /// # Errors
    ///
    /// [`Error::NoBranch`], [`Error::NoRepository`], and what any request can end with.
    pub async fn tip(&self, repository: &Repository, branch: &Branch) -> Result<Commit, Error> {
        let doing = format!("fetching {branch} of {repository}");
        let branch = branch.clone();
        self.converse(repository, doing, move |mut conversation| conversation.tip(&branch)).await
    }

    /// The files of these names in each of the directories, as they are in the commit `tip`; no request.
    ///
    /// The answer has one element for each directory, in their order: `None` when there is no such directory,
    /// otherwise those of `names` that it has.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownCommit`]: `tip` was not fetched by [`Forge::tip`], or the store was made anew since.
    /// [`Error::WrongKind`]: something has one of the names, but is a symbolic link, a directory or a submodule.
    pub async fn read_directories(
        &self,
        repository: &Repository,
        tip: Commit,
        directories: &[&str],
        names: &[&str],
    ) -> Result<Vec<Option<Files>>, Error> {
        let directories = owned(directories);
        let names = owned(names);
        let job = self.stores().job(repository, "reading files of");
        self.stores().run(&job, move |store| tree::read(store, tip, &directories, &names)).await
    }

    /// Makes a commit in the kept store; no request. The same input gives the same commit.
    ///
    /// A file keeps its mode, and a new one is a regular file; all other files keep every byte.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownCommit`] as for [`Forge::read_directories`]; [`Error::WrongKind`]: a path names something
    /// else than a file.
    pub async fn commit(&self, repository: &Repository, new: &NewCommit<'_>) -> Result<Commit, Error> {
        let (tip, at) = (new.tip, new.at);
        let (files, message) = (new.files.to_vec(), new.message.to_owned());
        let job = self.stores().job(repository, "making a commit for");
        let write = move |store: &mut store::Store| {
            tree::write(store, &NewCommit { tip, files: &files, message: &message, at })
        };
        self.stores().run(&job, write).await
    }

    /// Makes a commit of the kept store the tip of a release branch, by force, but only over an absent branch or
    /// one of `ours`: the heads that we pushed before. Repeatable. Two requests.
    ///
    /// # Errors
    ///
    /// [`Error::ForeignTip`]: somebody else's commit is there. [`Error::PushRefused`]: a rule of the repository
    /// refuses it. [`Error::UnknownCommit`]: `commit` was not made by [`Forge::commit`], or the store was made
    /// anew since.
    pub async fn push(
        &self,
        repository: &Repository,
        branch: &ReleaseBranch,
        commit: Commit,
        ours: &[Commit],
    ) -> Result<(), Error> {
        let doing = format!("pushing {} to {repository}", branch.branch());
        self.client().may_propose(repository, &doing).await?;
        self.move_branch(repository, doing, (branch, Target::Commit(commit)), ours).await
    }

    /// Deletes a release branch, but only while its tip is one of `ours`. An absent branch is fine. One or two
    /// requests.
    ///
    /// # Errors
    ///
    /// [`Error::ForeignTip`] and [`Error::PushRefused`] as for [`Forge::push`].
    pub async fn delete_branch(
        &self,
        repository: &Repository,
        branch: &ReleaseBranch,
        ours: &[Commit],
    ) -> Result<(), Error> {
        let doing = format!("deleting {} of {repository}", branch.branch());
        self.move_branch(repository, doing, (branch, Target::Nothing), ours).await
    }

    async fn move_branch(
        &self,
        repository: &Repository,
        doing: String,
        (branch, target): (&ReleaseBranch, Target),
        ours: &[Commit],
    ) -> Result<(), Error> {
        let (branch, ours) = (branch.branch().clone(), ours.to_vec());
        self.converse(repository, doing, move |mut conversation| conversation.move_branch(&branch, target, &ours)).await
    }

    /// Speaks with a repository; once more with a new token when the kept one is not accepted, or with a new store
    /// when the old one was damaged.
    async fn converse<T: Send + 'static>(
        &self,
        repository: &Repository,
        doing: String,
        work: impl Fn(Conversation<'_>) -> Result<T, Error> + Clone + Send + 'static,
    ) -> Result<T, Error> {
        let token = self.client().token(repository).await?;
        let first = self.converse_once(repository, &token, doing.clone(), work.clone()).await;
        let again = match &first {
            Err(Error::Unauthorized { .. }) => self.client().forget(repository, &token).await,
            Err(Error::NoRepository { .. } | Error::Forbidden { .. }) => {
                // It may be out of reach of this token only; the next one tells.
                self.client().forget(repository, &token).await;
                false
            }
            Err(Error::Store { .. }) => true,
            Ok(_) | Err(_) => false,
        };
        if !again {
            return first;
        }
        let token = self.client().token(repository).await?;
        self.converse_once(repository, &token, doing, work).await
    }

    async fn converse_once<T: Send + 'static>(
        &self,
        repository: &Repository,
        token: &SecretString,
        doing: String,
        work: impl Fn(Conversation<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let job = self.stores().job(repository, "speaking Git with");
        let cancelled = CancellationToken::new();
        let _gone = cancelled.clone().drop_guard();
        let url = self.client().git_url(repository);
        let session = Arc::new(self.stores().session(&job, url, token, cancelled));
        let ended = self.stores().run(&job, move |store| work(Conversation { store, session, doing })).await;
        self.client().heed(repository, ended)
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
