//! Pull requests: seeing them, and doing to them what people do.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Control, key, repository::PERSON};
use crate::{
    error::Error,
    git::Oid,
    merging::{self, MergeRequest},
    refusal::Refusal,
    world::{
        World,
        proposing::Edit,
        pull_request::{Message, Method, NewPullRequest, Removal, State},
        repository::Repository,
    },
};

/// A pull request as it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PullRequestView {
    /// Its number.
    pub number: u64,
    /// Where people read it.
    pub url: String,
    /// The title.
    pub title: String,
    /// The text below the title.
    pub body: Option<String>,
    /// The account that opened it.
    pub author: String,
    /// `open`, `closed` or `merged`.
    pub state: String,
    /// Whether it is a draft.
    pub draft: bool,
    /// Its branch.
    pub head_branch: String,
    /// The commit at the tip of its branch.
    pub head: Oid,
    /// The branch that it is to be merged into.
    pub base_branch: String,
    /// The commit at the tip of the base; after the merge the one before it.
    pub base: Oid,
    /// The commit that it became.
    pub merge_commit: Option<Oid>,
    /// `clean`, `blocked`, `behind`, `dirty`, `draft`, `unstable` or `unknown`.
    pub merge_state: String,
    /// How it will be merged by itself; `None` when it will not.
    pub auto_merge: Option<Method>,
    /// Whether it is in the queue of its base.
    pub queued: bool,
    /// Why it left the queue, each time that it did, oldest first.
    pub removals: Vec<Removal>,
    /// The names of its labels.
    pub labels: Vec<String>,
    /// The accounts that approved it.
    pub approvals: Vec<String>,
    /// The texts of its comments.
    pub comments: Vec<String>,
}

/// What a person changes in a pull request; `None` leaves it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PullRequestChange {
    /// The title.
    pub title: Option<String>,
    /// The text below the title.
    pub body: Option<String>,
    /// The branch that it is to be merged into.
    pub base: Option<String>,
    /// `open` or `closed`.
    pub state: Option<String>,
    /// Whether it is a draft.
    pub draft: Option<bool>,
    /// The names of the labels that it keeps: others are taken off.
    pub keep_labels: Option<Vec<String>>,
    /// `true` takes back the order to merge it by itself.
    pub disarm: bool,
    /// The account that does it; `octocat` when it is not given.
    pub by: Option<String>,
}

impl Control {
    /// All pull requests of a repository, the first one first.
    ///
    /// # Errors
    /// [`Error::Refused`] when the repository does not exist.
    pub async fn pull_requests(&self, repository: &str) -> Result<Vec<PullRequestView>, Error> {
        let key = key(repository)?;
        let all = self.shared.see(move |world| {
            let repository = world.repository(&key)?;
            repository.pull_requests.keys().map(|number| view(world, repository, *number)).collect()
        });
        Ok(all.await?)
    }

    /// One pull request. It does not count as a read that makes `mergeable` known.
    ///
    /// # Errors
    /// [`Error::Refused`] when it does not exist.
    pub async fn pull_request(&self, repository: &str, number: u64) -> Result<PullRequestView, Error> {
        let key = key(repository)?;
        Ok(self.shared.see(move |world| view(world, world.repository(&key)?, number)).await?)
    }

    /// Opens a pull request as a person and gives its number.
    ///
    /// # Errors
    /// [`Error::Refused`] when GitHub would refuse it.
    pub async fn open_pull_request(&self, repository: &str, head: &str, base: &str, title: &str) -> Result<u64, Error> {
        let key = key(repository)?;
        let new = NewPullRequest {
            title: title.to_owned(),
            body: None,
            head: head.to_owned(),
            base: base.to_owned(),
            draft: false,
        };
        Ok(self.shared.with(move |world| world.open(&key, PERSON, new)).await?)
    }

    /// Changes a pull request as a person: its words, its base, its labels, open or closed, draft or not, to be merged by
    /// itself or not any more.
    ///
    /// # Errors
    /// [`Error::Refused`] when it does not exist, the base does not, or it is merged and shall be opened.
    pub async fn change_pull_request(
        &self,
        repository: &str,
        number: u64,
        change: PullRequestChange,
    ) -> Result<PullRequestView, Error> {
        let key = key(repository)?;
        let changed = self.shared.with(move |world| {
            let by = change.by.as_deref().unwrap_or(PERSON);
            let edit = Edit { title: change.title, body: change.body, base: change.base };
            world.edit(&key, by, number, edit)?;
            if let Some(draft) = change.draft {
                world.set_draft(&key, by, number, draft)?;
            }
            if let Some(kept) = change.keep_labels {
                let labels = world.repository(&key)?.pull_request(number)?.labels.clone();
                for label in labels.iter().filter(|label| !kept.contains(label)) {
                    world.unlabel(&key, by, number, label)?;
                }
            }
            if change.disarm {
                world.disarm(&key, by, number)?;
            }
            match change.state.as_deref() {
                None => {}
                Some("closed") => world.close(&key, by, number)?,
                Some("open") => world.reopen(&key, by, number)?,
                Some(_) => return Err(Refusal::invalid_field("PullRequest", "state")),
            }
            world.settle(&key, by)?;
            view(world, world.repository(&key)?, number)
        });
        Ok(changed.await?)
    }

    /// Closes a pull request as a person.
    ///
    /// # Errors
    /// [`Error::Refused`] when it does not exist.
    pub async fn close_pull_request(&self, repository: &str, number: u64) -> Result<(), Error> {
        let change = PullRequestChange { state: Some("closed".to_owned()), ..PullRequestChange::default() };
        self.change_pull_request(repository, number, change).await.map(drop)
    }

    /// Makes a label, which pull requests can then be given.
    ///
    /// # Errors
    /// [`Error::Refused`] when the repository does not exist.
    pub async fn add_label(&self, repository: &str, name: &str) -> Result<(), Error> {
        let (key, name) = (key(repository)?, name.to_owned());
        let made = self.shared.with(move |world| {
            world.repository_mut(&key)?.labels.insert(name);
            Ok(())
        });
        Ok(made.await?)
    }

    /// Approves of a pull request. It may be merged by this.
    ///
    /// # Errors
    /// [`Error::Refused`] when it does not exist.
    pub async fn approve(&self, repository: &str, number: u64, by: &str) -> Result<(), Error> {
        let (key, by) = (key(repository)?, by.to_owned());
        Ok(self.shared.with(move |world| world.approve(&key, &by, number)).await?)
    }

    /// Merges a pull request as a person and gives the commit.
    ///
    /// # Errors
    /// [`Error::Refused`] when it may not be merged.
    pub async fn merge(&self, repository: &str, number: u64, method: Method) -> Result<Oid, Error> {
        let key = key(repository)?;
        let merged = self.shared.with(move |world| {
            let request = MergeRequest { number, method, expected_head: None, message: Message::default() };
            let commit = world.merge(&key, PERSON, &request)?;
            world.settle(&key, PERSON)?;
            Ok(commit)
        });
        Ok(merged.await?)
    }

    /// Waits until a pull request is merged.
    ///
    /// # Errors
    /// [`Error::TooLate`] when it is not merged in time.
    pub async fn until_merged(
        &self,
        repository: &str,
        number: u64,
        within: Duration,
    ) -> Result<PullRequestView, Error> {
        let what = format!("the merge of {repository}#{number}");
        let probe = async |control: &Self| {
            let found = control.pull_request(repository, number).await.ok();
            found.filter(|pull_request| pull_request.state == "merged")
        };
        self.until(&what, within, probe).await
    }
}

fn view(world: &World, repository: &Repository, number: u64) -> Result<PullRequestView, Refusal> {
    let it = repository.pull_request(number)?;
    let state = match it.state {
        State::Open => "open",
        State::Closed { .. } => "closed",
        State::Merged { .. } => "merged",
    };
    Ok(PullRequestView {
        number,
        url: format!("{}/{}/pull/{number}", world.url, repository.key),
        title: it.title.clone(),
        body: it.body.clone(),
        author: it.author.clone(),
        state: state.to_owned(),
        draft: it.draft,
        head_branch: it.head_branch.clone(),
        head: it.head.clone(),
        base_branch: it.base_branch.clone(),
        base: it.base.clone(),
        merge_commit: it.merge_commit().cloned(),
        merge_state: merging::state(repository, it)?.as_str().to_owned(),
        auto_merge: it.auto_merge.as_ref().map(|order| order.method),
        queued: it.queued.is_some(),
        removals: it.removals().collect(),
        labels: it.labels.clone(),
        approvals: it.approvals.iter().cloned().collect(),
        comments: it.comments.iter().map(|comment| comment.body.clone()).collect(),
    })
}
