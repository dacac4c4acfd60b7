//! The newest commits of a branch, and by which pull request one came there.

use chrono::{DateTime, Utc};
use domain::{
    commit::Commit,
    forge::{Branch, Number, Repository},
};
use serde::Deserialize;

use crate::{Error, Forge, address::escape, api::Request};

/// How many commits are listed: an answer of that size is small enough to be kept for the next time.
const MOST: usize = 50;

/// How many bytes of a message are kept; trailers are at its end.
const LONGEST_MESSAGE: usize = 8_000;

/// A commit of a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Which one.
    pub commit: Commit,
    /// Its message; of one that is long, the end.
    pub message: String,
    /// When it was made there.
    pub committed_at: DateTime<Utc>,
    /// Where people look at it.
    pub url: String,
}

#[derive(Deserialize)]
struct Row {
    sha: String,
    html_url: String,
    commit: Details,
}

#[derive(Deserialize)]
struct Details {
    message: String,
    committer: Option<Committer>,
}

#[derive(Deserialize)]
struct Committer {
    date: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct Merged {
    number: u64,
    html_url: String,
    merge_commit_sha: Option<String>,
}

impl Forge {
    /// The newest commits of a branch, newest first, at most fifty; none where there is no such branch. One request,
    /// which is free while nothing was added.
    ///
    /// <https://docs.github.com/en/rest/commits/commits#list-commits>
    ///
    /// # Errors
    ///
    /// [`Error::NoRepository`], and what any request can end with.
    pub async fn history(&self, repository: &Repository, branch: &Branch) -> Result<Vec<Past>, Error> {
        let path = format!("/repos/{repository}/commits?sha={}&per_page={MOST}", escape(branch.as_str()));
        let request = Request::get(path, format!("reading the history of {branch} in {repository}"));
        let answer = self.client().send(repository, &request).await?;
        match answer.status {
            200 => {
                let rows: Vec<Row> = answer.read(&request)?;
                rows.into_iter().map(|row| row.past(&request)).collect()
            }
            404 => {
                self.client().check_repository(repository).await?;
                Ok(Vec::new())
            }
            // The repository has no commit at all.
            409 => Ok(Vec::new()),
            _ => Err(request.refused(answer.message())),
        }
    }

    /// The pull request whose merge made a commit, with its address. One request.
    ///
    /// <https://docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit>
    ///
    /// # Errors
    ///
    /// [`Error::NoRepository`], and what any request can end with.
    pub async fn pull_request_of(
        &self,
        repository: &Repository,
        commit: Commit,
    ) -> Result<Option<(Number, String)>, Error> {
        let path = format!("/repos/{repository}/commits/{commit}/pulls");
        let request = Request::get(path, format!("looking for the pull request of {commit} in {repository}"))
            .needing("it needs Pull requests: read")
            .looking_beyond_code();
        let answer = self.client().send(repository, &request).await?;
        match answer.status {
            200 => {
                let all: Vec<Merged> = answer.read(&request)?;
                let made = |one: &Merged| one.merge_commit_sha.as_deref() == Some(commit.to_string().as_str());
                Ok(all.into_iter().find(made).map(|one| (Number(one.number), one.html_url)))
            }
            404 => Err(Error::NoRepository { repository: repository.clone() }),
            // It is not there any more.
            422 => Ok(None),
            _ => Err(request.refused(answer.message())),
        }
    }
}

impl Row {
    fn past(self, request: &Request) -> Result<Past, Error> {
        let misunderstood = |why: String| Error::Misunderstood { doing: request.doing.clone(), why };
        let commit = self.sha.parse().map_err(|why: domain::commit::InvalidCommit| misunderstood(why.to_string()))?;
        let date = self.commit.committer.and_then(|committer| committer.date);
        let committed_at = date.ok_or_else(|| misunderstood(format!("{commit} has no date")))?;
        Ok(Past { commit, message: end_of(&self.commit.message).to_owned(), committed_at, url: self.html_url })
    }
}

fn end_of(message: &str) -> &str {
    let start = message.ceil_char_boundary(message.len().saturating_sub(LONGEST_MESSAGE));
    message.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_message_the_end_is_kept() {
        let message = format!("{}\n\nRelease-Id: x/1", "ä".repeat(LONGEST_MESSAGE));
        assert!(end_of(&message).ends_with("ä\n\nRelease-Id: x/1"));
        assert!(end_of(&message).len() <= LONGEST_MESSAGE);
        assert_eq!(end_of("short"), "short");
    }
}
