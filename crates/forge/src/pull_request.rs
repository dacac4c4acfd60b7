//! Finding, opening, labelling and closing pull requests.

mod gates;
mod objection;
mod view;

use domain::{
    forge::{AutoMerge, Branch, Mergeability, Number, PullRequest, PullRequestState, Repository, Requirements},
    proposal::{ReleaseBranch, Rewording},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    Error, Forge,
    api::{Answer, Request},
    client::Document,
};
pub(crate) use gates::{BASE, BaseRef, Checks, GATES, Gates};
use objection::Objection;
pub(crate) use view::{VIEW, View, commit};

/// A pull request to be opened.
#[derive(Clone, Copy, Debug)]
pub struct NewPullRequest<'a> {
    /// The branch to merge.
    pub branch: &'a ReleaseBranch,
    /// The branch to merge it into.
    pub base: &'a Branch,
    /// What people read first; at most 256 characters.
    pub title: &'a str,
    /// What people read then, in GitHub's Markdown.
    pub body: &'a str,
}

const ALL_OF_A_BRANCH: &str = "query OfBranch($owner: String!, $name: String!, $head: String!) { \
     repository(owner: $owner, name: $name) { \
     pullRequests(first: 20, headRefName: $head, \
     orderBy: { field: CREATED_AT, direction: DESC }) { nodes { ...View } } } } ";

const NEEDS: &str = "it needs Pull requests: write";

#[derive(Deserialize)]
struct Data<T> {
    repository: Option<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AllData {
    pull_requests: Nodes,
}

#[derive(Deserialize)]
struct Nodes {
    nodes: Vec<View>,
}

/// A pull request as REST shows it right after it was opened.
#[derive(Deserialize)]
struct Opened {
    number: u64,
    node_id: String,
    html_url: String,
    head: OpenedHead,
}

#[derive(Deserialize)]
struct OpenedHead {
    sha: String,
}

impl Forge {
    /// A pull request as it is now. One request.
    ///
    /// # Errors
    ///
    /// [`Error::NoPullRequest`], [`Error::NoRepository`], and what any request can end with.
    pub async fn pull_request(&self, repository: &Repository, number: Number) -> Result<PullRequest, Error> {
        Ok(self.look(repository, number, &[]).await?.pull_request)
    }

    /// The pull requests of a release branch into whatever base, open or not, newest first; at most twenty. One
    /// request.
    ///
    /// A person may have changed the base, so that it says nothing about whose a pull request is.
    ///
    /// # Errors
    ///
    /// [`Error::NoRepository`], and what any request can end with.
    pub async fn pull_requests_of(
        &self,
        repository: &Repository,
        branch: &ReleaseBranch,
    ) -> Result<Vec<PullRequest>, Error> {
        let doing = format!("looking for pull requests of {} in {repository}", branch.branch());
        let variables = json!({
            "owner": repository.owner(),
            "name": repository.name(),
            "head": branch.branch().as_str(),
        });
        let document = Document { text: &[ALL_OF_A_BRANCH, VIEW].concat(), variables: &variables, doing: &doing };
        let reply = self.client().ask::<Data<AllData>>(repository, document).await?;
        let message = reply.message();
        let is_missing = reply.is_not_found();
        match reply.data.and_then(|data| data.repository) {
            Some(found) => found
                .pull_requests
                .nodes
                .iter()
                .filter(|view| view.is_of(repository, branch))
                .map(|view| read(view, &doing))
                .collect(),
            None if is_missing || message.is_empty() => Err(Error::NoRepository { repository: repository.clone() }),
            None => Err(Error::Refused { doing, message }),
        }
    }

    /// Opens a pull request, or finds the open one that the branch has already. One request, one more to find.
    ///
    /// After an error that leaves open whether it happened, call it again.
    ///
    /// # Errors
    ///
    /// [`Error::NothingToMerge`]: the base has all its commits. [`Error::Unavailable`]: the forge does not see the
    /// pushed branch yet. And what any request can end with.
    pub async fn create_pull_request(
        &self,
        repository: &Repository,
        new: &NewPullRequest<'_>,
    ) -> Result<PullRequest, Error> {
        let branch = new.branch.branch();
        let doing = format!("opening the pull request of {branch} in {repository}");
        let body = json!({
            "title": new.title,
            "body": new.body,
            "head": branch.as_str(),
            "base": new.base.as_str(),
        });
        let path = format!("/repos/{repository}/pulls");
        let request = Request::post(path, body, doing).needing(NEEDS).proposing();
        let answer = self.client().send(repository, &request).await?;
        match answer.status {
            201 => opened(&answer, &request, new.base),
            404 => Err(Error::NoRepository { repository: repository.clone() }),
            422 => match Objection::of(&answer.message()) {
                Objection::Exists => self.adopt(repository, new, &request).await,
                Objection::NothingToMerge => {
                    Err(Error::NothingToMerge { branch: branch.clone(), base: new.base.clone() })
                }
                Objection::NotVisible => {
                    Err(request.unavailable(format!("the forge does not see {branch} or {} yet", new.base)))
                }
                Objection::Other => Err(request.refused(answer.message())),
            },
            _ => Err(request.refused(answer.message())),
        }
    }

    /// Adds labels, making those that the repository does not have. Repeatable; no request when there are none.
    ///
    /// # Errors
    ///
    /// What any request can end with.
    pub async fn add_labels(&self, repository: &Repository, number: Number, labels: &[String]) -> Result<(), Error> {
        if labels.is_empty() {
            return Ok(());
        }
        let path = format!("/repos/{repository}/issues/{}/labels", number.0);
        let doing = format!("adding labels to pull request {repository}{number}");
        let request = Request::post(path, json!({ "labels": labels }), doing)
            .needing("it needs Pull requests: write, and Issues: write to make a label");
        self.perform(repository, number, &request).await
    }

    /// Gives a pull request another title or another body. Repeatable. One request.
    ///
    /// # Errors
    ///
    /// What any request can end with.
    pub async fn reword(&self, repository: &Repository, number: Number, new: &Rewording) -> Result<(), Error> {
        let path = format!("/repos/{repository}/pulls/{}", number.0);
        let words = [("title", &new.title), ("body", &new.body)];
        let body: Map<String, Value> =
            words.into_iter().filter_map(|(field, text)| Some((field.to_owned(), json!(text.as_ref()?)))).collect();
        let doing = format!("telling what pull request {repository}{number} is about");
        let request = Request::patch(path, body.into(), doing).needing(NEEDS);
        self.perform(repository, number, &request).await
    }

    /// Closes a pull request without a merge. Repeatable. One request.
    ///
    /// # Errors
    ///
    /// What any request can end with.
    pub async fn close(&self, repository: &Repository, number: Number) -> Result<(), Error> {
        let path = format!("/repos/{repository}/pulls/{}", number.0);
        let doing = format!("closing pull request {repository}{number}");
        let request = Request::patch(path, json!({ "state": "closed" }), doing).needing(NEEDS);
        self.perform(repository, number, &request).await
    }

    /// The open pull request that the forge says exists: it means one into the same base.
    async fn adopt(
        &self,
        repository: &Repository,
        new: &NewPullRequest<'_>,
        request: &Request,
    ) -> Result<PullRequest, Error> {
        let all = self.pull_requests_of(repository, new.branch).await?;
        all.into_iter()
            .find(|one| one.state == PullRequestState::Open && one.base == *new.base)
            .ok_or_else(|| request.unavailable("it exists already, but the forge does not show it"))
    }

    async fn perform(&self, repository: &Repository, number: Number, request: &Request) -> Result<(), Error> {
        let answer = self.client().send(repository, request).await?;
        match answer.status {
            200..300 => Ok(()),
            404 => Err(Error::NoPullRequest { repository: repository.clone(), number }),
            _ => Err(request.refused(answer.message())),
        }
    }
}

/// A pull request of GraphQL in our nouns.
pub(crate) fn read(view: &View, doing: &str) -> Result<PullRequest, Error> {
    view.read().map_err(|why| Error::Misunderstood { doing: doing.to_owned(), why })
}

fn opened(answer: &Answer, request: &Request, base: &Branch) -> Result<PullRequest, Error> {
    let opened: Opened = answer.read(request)?;
    let head = commit(&opened.head.sha).map_err(|why| Error::Misunderstood { doing: request.doing.clone(), why })?;
    Ok(PullRequest {
        number: Number(opened.number),
        handle: opened.node_id,
        url: opened.html_url,
        state: PullRequestState::Open,
        head,
        base: base.clone(),
        auto_merge: AutoMerge::Disarmed,
        mergeability: Mergeability::Unknown,
        missing: Requirements::default(),
    })
}
