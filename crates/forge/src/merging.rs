//! The order to merge a pull request once it may be merged, and taking it back.

use domain::{
    commit::Commit,
    forge::{AutoMerge, MergeMethod, Mergeability, PullRequest, PullRequestState, Repository},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Error, Forge, Refusal,
    api::Request,
    client::{Document, Reply},
    pull_request::{Checks, VIEW, View, commit, read},
    refusal::Meaning,
};

/// How a pull request is to be merged.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// What must still be at the tip of its branch.
    pub head: Commit,
    /// How it becomes part of its base.
    pub method: MergeMethod,
    /// The first line of the merge's message.
    pub headline: &'a str,
    /// The rest of the message.
    pub body: &'a str,
}

/// What became of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Armed {
    /// The forge merges it by itself once everything required is there.
    Armed,
    /// Everything was there: it is merged, by this commit when the forge names it.
    Merged(Option<Commit>),
}

const ARM: &str = "mutation Arm($input: EnablePullRequestAutoMergeInput!) { \
     enablePullRequestAutoMerge(input: $input) { pullRequest { ...View } } } ";

const DISARM: &str = "mutation Disarm($input: DisablePullRequestAutoMergeInput!) { \
     disablePullRequestAutoMerge(input: $input) { pullRequest { id } } }";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArmData {
    enable_pull_request_auto_merge: Option<Payload>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    pull_request: Option<View>,
}

#[derive(Deserialize)]
struct Merged {
    sha: String,
}

/// One order on its way, with what its errors name.
struct Attempt<'a> {
    forge: &'a Forge,
    repository: &'a Repository,
    pull_request: &'a PullRequest,
    order: &'a Order<'a>,
    doing: String,
}

impl Forge {
    /// Orders the forge to merge a pull request once it may, and merges at once what has everything that its base
    /// requires. Repeatable. One request; three where there is nothing left to wait for.
    ///
    /// # Errors
    ///
    /// [`Error::Unmergeable`]: the forge does not take the order, and why; a base that requires nothing is one reason,
    /// for nothing would have been checked. [`Error::Forbidden`]: we may not see the checks of what there is nothing
    /// left to wait for. And what any request can end with.
    pub async fn arm(
        &self,
        repository: &Repository,
        pull_request: &PullRequest,
        order: &Order<'_>,
    ) -> Result<Armed, Error> {
        let doing = format!("ordering the merge of {repository}{}", pull_request.number);
        let attempt = Attempt { forge: self, repository, pull_request, order, doing };
        let reply = attempt.enable().await?;
        if !reply.errors.is_empty() {
            let message = reply.message();
            let meaning = Meaning::of(&message);
            return if meaning == Meaning::MergeNow {
                attempt.merge_if_clean().await
            } else {
                Err(attempt.refuse(meaning, message))
            };
        }
        let payload = reply.data.and_then(|data| data.enable_pull_request_auto_merge);
        match payload.and_then(|payload| payload.pull_request) {
            Some(view) => attempt.read_back(&view),
            None => Err(attempt.unmergeable(Refusal::Unknown("the forge answered the order with nothing".to_owned()))),
        }
    }

    /// Takes the order to merge back. Repeatable. One request.
    ///
    /// # Errors
    ///
    /// What any request can end with.
    pub async fn disarm(&self, repository: &Repository, pull_request: &PullRequest) -> Result<(), Error> {
        let doing = format!("taking back the merge of {repository}{}", pull_request.number);
        let variables = json!({ "input": { "pullRequestId": pull_request.handle } });
        let document = Document { text: DISARM, variables: &variables, doing: &doing };
        let reply = self.client().ask::<Value>(repository, document).await?;
        let message = reply.message();
        if message.is_empty() || is_disarmed_already(&message) {
            return Ok(());
        }
        Err(Error::Refused { doing, message })
    }
}

impl Attempt<'_> {
    /// `enablePullRequestAutoMerge`, which the forge itself refuses when the head is another one.
    async fn enable(&self) -> Result<Reply<ArmData>, Error> {
        let variables = json!({ "input": {
            "pullRequestId": self.pull_request.handle,
            "expectedHeadOid": self.order.head.to_string(),
            "mergeMethod": self.order.method.as_str().to_uppercase(),
            "commitHeadline": self.order.headline,
            "commitBody": self.order.body,
        }});
        let document = Document { text: &[ARM, VIEW].concat(), variables: &variables, doing: &self.doing };
        self.forge.client().ask(self.repository, document).await
    }

    /// Believes an order only when the forge shows it: with a merge queue there may be no auto-merge to see.
    fn read_back(&self, view: &View) -> Result<Armed, Error> {
        let shown = read(view, &self.doing)?;
        match (shown.state, shown.auto_merge) {
            (PullRequestState::Merged(commit), _) => Ok(Armed::Merged(commit)),
            (PullRequestState::Closed, _) => Err(self.unmergeable(Refusal::WrongState)),
            (PullRequestState::Open, AutoMerge::Armed) => Ok(Armed::Armed),
            (PullRequestState::Open, AutoMerge::Disarmed) => {
                Err(self.unmergeable(Refusal::Unknown("the forge took the order, but does not show it".to_owned())))
            }
        }
    }

    /// Merges by our own hand, but only what the forge itself calls clean and a check has looked at: a token that could
    /// merge more is no reason to.
    ///
    /// The forge takes an order with the head that was seen, but not with the base. An order that was given after a
    /// person chose another base is seen and taken back by the next look; a merge can not be taken back.
    async fn merge_if_clean(&self) -> Result<Armed, Error> {
        let number = self.pull_request.number;
        let checked = self.forge.checked(self.repository, number, &self.doing).await?;
        let now = read(&checked.view, &self.doing)?;
        match now.state {
            PullRequestState::Open => {}
            PullRequestState::Merged(commit) => return Ok(Armed::Merged(commit)),
            PullRequestState::Closed => return Err(self.unmergeable(Refusal::WrongState)),
        }
        let refusal = if now.base != self.pull_request.base {
            Refusal::Retargeted
        } else if now.head != self.order.head {
            Refusal::HeadMoved
        } else if checked.view.is_draft() {
            Refusal::Draft
        } else {
            match (now.mergeability, checked.checks()) {
                (Mergeability::Clean, Checks::Passed) => return self.merge().await,
                (Mergeability::Clean, Checks::Absent) => Refusal::Unchecked(now.base),
                (Mergeability::Clean, Checks::Unfinished) => Refusal::Unstable,
                (other, _) => obstacle(other),
            }
        };
        Err(self.unmergeable(refusal))
    }

    /// `PUT /repos/{owner}/{repo}/pulls/{number}/merge` of exactly this head
    /// (<https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request>).
    async fn merge(&self) -> Result<Armed, Error> {
        let path = format!("/repos/{}/pulls/{}/merge", self.repository, self.pull_request.number.0);
        let body = json!({
            "sha": self.order.head.to_string(),
            "merge_method": self.order.method.as_str(),
            "commit_title": self.order.headline,
            "commit_message": self.order.body,
        });
        let request =
            Request::put(path, body, self.doing.clone()).needing("it needs Contents: write and Pull requests: write");
        let answer = self.forge.client().send(self.repository, &request).await?;
        match answer.status {
            200 => {
                let merged: Merged = answer.read(&request)?;
                let merge =
                    commit(&merged.sha).map_err(|why| Error::Misunderstood { doing: self.doing.clone(), why })?;
                Ok(Armed::Merged(Some(merge)))
            }
            404 => Err(self.unmergeable(Refusal::WrongState)),
            _ => {
                let message = answer.message();
                Err(self.refuse(Meaning::of(&message), message))
            }
        }
    }

    fn refuse(&self, meaning: Meaning, message: String) -> Error {
        self.unmergeable(meaning.refusal(message, self.order.method, &self.pull_request.base))
    }

    fn unmergeable(&self, refusal: Refusal) -> Error {
        Error::Unmergeable { repository: self.repository.clone(), number: self.pull_request.number, refusal }
    }
}

/// What stands in the way of a merge.
fn obstacle(mergeability: Mergeability) -> Refusal {
    match mergeability {
        Mergeability::Unknown | Mergeability::Clean => Refusal::Computing,
        Mergeability::Unstable => Refusal::Unstable,
        Mergeability::Blocked => Refusal::Missing("a check or a review".to_owned()),
        Mergeability::Behind => Refusal::Missing("the tip of the base branch".to_owned()),
        Mergeability::Conflicting => Refusal::WrongState,
    }
}

/// Nothing to take back: it was never ordered, or it is merged or closed.
fn is_disarmed_already(message: &str) -> bool {
    let message = message.to_lowercase();
    ["can't disable auto-merge", "auto-merge is not enabled", "auto merge is not enabled"]
        .iter()
        .any(|text| message.contains(text))
}
