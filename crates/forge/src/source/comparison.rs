//! How two commits stand to each other, and what is between them.

use std::fmt::Display;

use domain::{
    commit::{Commit, InvalidCommit},
    forge::{Ancestry, Repository},
    proposal::{Between, Listed, MOST_LISTED},
};
use serde::Deserialize;

use crate::{Error, Forge, address::escape, api::Request};

/// How many characters of a subject are kept; of one that is longer nobody reads the rest in a list.
const LONGEST_SUBJECT: usize = 256;

/// How one commit stands to another, and what is between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// How the first stands to the second.
    pub ancestry: Ancestry,
    /// The commits after the first up to and with the second; only where the first is an ancestor of it.
    pub between: Option<Between>,
}

/// `GET /repos/{owner}/{repo}/compare/{base}...{head}`
/// (<https://docs.github.com/en/rest/commits/commits#compare-two-commits>). The page with the first commits, which is
/// the only one that is asked for, has the oldest.
#[derive(Deserialize)]
pub(super) struct Compared {
    status: Status,
    #[serde(default)]
    html_url: String,
    #[serde(default)]
    total_commits: u64,
    #[serde(default)]
    commits: Vec<Row>,
}

/// How the head stands to the base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ahead,
    Behind,
    Identical,
    Diverged,
}

/// A commit as REST shows it.
#[derive(Deserialize)]
struct Found {
    html_url: String,
    commit: Details,
}

/// A commit in a list.
#[derive(Deserialize)]
struct Row {
    sha: String,
    #[serde(flatten)]
    found: Found,
    /// The account that the author's address belongs to, which may be none.
    #[serde(default)]
    author: Option<Account>,
}

#[derive(Deserialize)]
struct Details {
    message: String,
}

#[derive(Deserialize)]
struct Account {
    login: Option<String>,
}

/// What became of a comparison.
pub(super) enum Outcome {
    Known(Compared),
    /// Both are there, without a common ancestor.
    NothingInCommon,
    /// One of them, or the repository, is not there.
    Unknown,
}

impl Forge {
    /// How `first` stands to `second`, and the commits between them; `None` when one of them is not known there. One
    /// request, none when they are the same.
    ///
    /// # Errors
    ///
    /// [`Error::NoRepository`], and what any request can end with.
    pub async fn comparison(
        &self,
        repository: &Repository,
        first: Commit,
        second: Commit,
    ) -> Result<Option<Comparison>, Error> {
        let alone = |ancestry| Ok(Some(Comparison { ancestry, between: None }));
        if first == second {
            return alone(Ancestry::Same);
        }
        match self.compare(repository, &first.to_string(), &second.to_string(), MOST_LISTED).await? {
            Outcome::Known(compared) => match compared.status {
                Status::Ahead => {
                    let between = compared.between(first).map_err(|why| Error::Misunderstood {
                        doing: comparing(repository, first, second),
                        why: why.to_string(),
                    })?;
                    Ok(Some(Comparison { ancestry: Ancestry::Ancestor, between: Some(between) }))
                }
                Status::Behind => alone(Ancestry::Descendant),
                Status::Identical => alone(Ancestry::Same),
                Status::Diverged => alone(Ancestry::Unrelated),
            },
            Outcome::NothingInCommon => alone(Ancestry::Unrelated),
            Outcome::Unknown => {
                self.client().check_repository(repository).await?;
                Ok(None)
            }
        }
    }

    /// Compares, with as many of the commits between the two.
    pub(super) async fn compare(
        &self,
        repository: &Repository,
        base: &str,
        head: &str,
        commits: usize,
    ) -> Result<Outcome, Error> {
        let path = format!("/repos/{repository}/compare/{base}...{}?per_page={commits}", escape(head));
        let request = Request::get(path, comparing(repository, base, head));
        let answer = self.client().send(repository, &request).await?;
        match answer.status {
            200 => Ok(Outcome::Known(answer.read(&request)?)),
            404 if answer.message().starts_with("No common ancestor") => Ok(Outcome::NothingInCommon),
            404 => Ok(Outcome::Unknown),
            _ => Err(request.refused(answer.message())),
        }
    }
}

impl Outcome {
    /// Whether the base is known to be an ancestor of the head, or the same.
    pub(super) fn is_ancestor(&self) -> bool {
        matches!(self, Self::Known(Compared { status: Status::Ahead | Status::Identical, .. }))
    }
}

impl Compared {
    fn between(self, from: Commit) -> Result<Between, InvalidCommit> {
        let listed: Vec<Listed> =
            self.commits.into_iter().take(MOST_LISTED).map(Row::listed).collect::<Result<_, _>>()?;
        Ok(Between { from, url: self.html_url, count: self.total_commits, listed })
    }
}

impl Found {
    /// The first line of its message.
    fn subject(&self) -> &str {
        self.commit.message.lines().next().unwrap_or_default()
    }
}

impl Row {
    fn listed(self) -> Result<Listed, InvalidCommit> {
        let subject = self.found.subject().chars().take(LONGEST_SUBJECT).collect();
        let author = self.author.and_then(|account| account.login);
        Ok(Listed { commit: self.sha.parse()?, subject, url: self.found.html_url, author })
    }
}

/// What is being done to what, as a message begins.
fn comparing(repository: &Repository, base: impl Display, head: impl Display) -> String {
    format!("comparing {base} with {head} in {repository}")
}
