//! Comments on pull requests.

use domain::forge::{Number, Repository};
use serde::Deserialize;
use serde_json::json;

use crate::{Error, Forge, api::Request};

/// How many comments are looked through for one of ours: GitHub's largest page
/// (<https://docs.github.com/en/rest/issues/comments#list-issue-comments>).
const LOOKED_THROUGH: usize = 100;

#[derive(Deserialize)]
struct Comment {
    #[serde(default)]
    body: Option<String>,
}

impl Forge {
    /// Comments on a pull request, in GitHub's Markdown. Not repeatable: see [`has_comment`](Self::has_comment). One
    /// request.
    ///
    /// # Errors
    ///
    /// What any request can end with.
    pub async fn comment(&self, repository: &Repository, number: Number, text: &str) -> Result<(), Error> {
        let doing = format!("commenting on pull request {repository}{number}");
        let path = format!("/repos/{repository}/issues/{}/comments", number.0);
        let request = Request::post(path, json!({ "body": text }), doing).needing("it needs Pull requests: write");
        let answer = self.client().send(repository, &request).await?;
        match answer.status {
            201 => Ok(()),
            404 => Err(Error::NoPullRequest { repository: repository.clone(), number }),
            _ => Err(request.refused(answer.message())),
        }
    }

    /// Whether one of the first hundred comments of a pull request has this text in it. One request.
    ///
    /// # Errors
    ///
    /// What any request can end with.
    pub async fn has_comment(&self, repository: &Repository, number: Number, mark: &str) -> Result<bool, Error> {
        let doing = format!("looking for a comment on pull request {repository}{number}");
        let path = format!("/repos/{repository}/issues/{}/comments?per_page={LOOKED_THROUGH}", number.0);
        let request = Request::get(path, doing);
        let answer = self.client().send(repository, &request).await?;
        match answer.status {
            200 => {
                let comments: Vec<Comment> = answer.read(&request)?;
                Ok(comments.iter().filter_map(|comment| comment.body.as_deref()).any(|body| body.contains(mark)))
            }
            404 => Err(Error::NoPullRequest { repository: repository.clone(), number }),
            _ => Err(request.refused(answer.message())),
        }
    }
}
