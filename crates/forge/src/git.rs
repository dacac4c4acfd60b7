//! The way by Git: branches, files, commits and pushes, over Git's own protocol and without any checkout.

mod mirror;
mod place;
mod remote;
mod session;
mod signing;
mod store;
mod transport;
mod tree;

use std::sync::Arc;

use domain::{
    commit::Commit,
    forge::{Branch, Repository},
    proposal::ReleaseBranch,
};
use secrecy::SecretString;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    Error,
    client::Client,
    write::{Files, NewCommit},
};
pub use mirror::{Mirror, MirrorSettings};
use place::Way;
use remote::{Conversation, Target};
pub(crate) use signing::Signer;
pub(crate) use store::Stores;

/// A forge that is spoken Git with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Git<'a> {
    pub(crate) client: &'a Client,
    pub(crate) stores: &'a Stores,
}

impl Git<'_> {
    /// The commit at the tip of a branch, with all its files fetched and kept.
    pub(crate) async fn tip(&self, repository: &Repository, branch: &Branch) -> Result<Commit, Error> {
        let doing = format!("fetching {branch} of {repository}");
        let (branch, asked) = (branch.clone(), Instant::now());
        let place = self.stores.place(repository);
        let look = move |mut conversation: Conversation<'_>| {
            // Whoever waited while another looked needs no look of its own.
            if let Some(tip) = place.tip_since(&branch, asked).filter(|tip| conversation.has(*tip)) {
                return Ok(tip);
            }
            let began = Instant::now();
            let tip = conversation.tip(&branch)?;
            place.note_tip(&branch, began, tip);
            Ok(tip)
        };
        self.converse(repository, (doing, Way::Fetching), look).await
    }

    /// The files of these names in each of the directories, as they are in the commit `tip`; no request.
    pub(crate) async fn read_directories(
        &self,
        repository: &Repository,
        tip: Commit,
        directories: &[&str],
        names: &[&str],
    ) -> Result<Vec<Option<Files>>, Error> {
        let directories = owned(directories);
        let names = owned(names);
        let job = self.stores.job(repository, "reading files of");
        self.stores.run(&job, move |store| tree::read(store, tip, &directories, &names)).await
    }

    /// Makes a commit in the kept store; no request. The same input gives the same commit.
    pub(crate) async fn commit(&self, repository: &Repository, new: &NewCommit<'_>) -> Result<Commit, Error> {
        let (tip, at, branch) = (new.tip, new.at, new.branch.clone());
        let (files, message) = (new.files.to_vec(), new.message.to_owned());
        let job = self.stores.job(repository, "making a commit for");
        let write = move |store: &mut store::Store| {
            tree::write(store, &NewCommit { branch: &branch, ours: &[], tip, files: &files, message: &message, at })
        };
        self.stores.run(&job, write).await
    }

    /// Makes a commit of the kept store the tip of a release branch. Two requests.
    pub(crate) async fn push(
        &self,
        repository: &Repository,
        branch: &ReleaseBranch,
        commit: Commit,
        ours: &[Commit],
    ) -> Result<(), Error> {
        let doing = format!("pushing {} to {repository}", branch.branch());
        self.move_branch(repository, doing, (branch, Target::Commit(commit)), ours).await
    }

    /// Deletes a release branch. One or two requests.
    pub(crate) async fn delete_branch(
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
        let push = move |mut conversation: Conversation<'_>| conversation.move_branch(&branch, target, &ours);
        self.converse(repository, (doing, Way::Beside), push).await
    }

    /// Speaks with a repository; once more with a new token when the kept one is not accepted, or with a new store
    /// when the old one was damaged.
    async fn converse<T: Send + 'static>(
        &self,
        repository: &Repository,
        (doing, way): (String, Way),
        work: impl Fn(Conversation<'_>) -> Result<T, Error> + Clone + Send + 'static,
    ) -> Result<T, Error> {
        let token = self.client.token(repository).await?;
        let first = self.converse_once(repository, &token, (doing.clone(), way), work.clone()).await;
        let again = match &first {
            Err(Error::Unauthorized { .. }) => self.client.forget(repository, &token).await,
            Err(Error::NoRepository { .. } | Error::Forbidden { .. }) => {
                // It may be out of reach of this token only; the next one tells.
                self.client.forget(repository, &token).await;
                false
            }
            Err(Error::Store { .. }) => true,
            Ok(_) | Err(_) => false,
        };
        if !again {
            return first;
        }
        let token = self.client.token(repository).await?;
        self.converse_once(repository, &token, (doing, way), work).await
    }

    async fn converse_once<T: Send + 'static>(
        &self,
        repository: &Repository,
        token: &SecretString,
        (doing, way): (String, Way),
        work: impl Fn(Conversation<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        // Each conversation begins with looking at the references, also one that moves them.
        let turn = self.client.git().enter(&doing)?;
        let job = self.stores.job(repository, "speaking Git with");
        let cancelled = CancellationToken::new();
        let _gone = cancelled.clone().drop_guard();
        let url = self.client.git_url(repository);
        let session = Arc::new(self.stores.session(&job, url, token, cancelled));
        let spoken = Arc::clone(&session);
        let work = move |store: &mut store::Store| work(Conversation { store, session, doing });
        let ended = match way {
            Way::Beside => self.stores.run(&job, work).await,
            Way::Fetching => self.stores.fetch(&job, work).await,
        };
        turn.end(spoken.report(), ended.as_ref().err());
        self.client.heed(repository, ended)
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
