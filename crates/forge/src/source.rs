//! What the forge says of commits: whether they exist, on which branch they are, and how two stand to each other.

use domain::{
    commit::Commit,
    evidence::Lookup,
    forge::{Ancestry, Branch, Repository},
};
use serde::Deserialize;

use crate::{
    Error, Forge,
    address::escape,
    api::{Answer, Request},
};

/// `GET /repos/{owner}/{repo}/compare/{base}...{head}`
/// (<https://docs.github.com/en/rest/commits/commits#compare-two-commits>).
#[derive(Deserialize)]
struct Comparison {
    status: Status,
    base_commit: Found,
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

#[derive(Deserialize)]
struct Details {
    message: String,
}

/// What became of a comparison.
enum Compared {
    Known(Comparison),
    /// Both are there, without a common ancestor.
    NothingInCommon,
    /// One of them, or the repository, is not there.
    Unknown,
}

impl Forge {
    /// Looks for a commit, and for the first of `branches` that it is on.
    ///
    /// That the forge knows a commit proves nothing about its branch: a fork's commit is found through the
    /// repository that it was forked from. One request when the commit is on the first branch.
    ///
    /// # Errors
    ///
    /// [`Error::NoBranch`]: the commit is on none of the branches that exist, and one does not exist.
    /// [`Error::NoRepository`], and what any request can end with.
    pub async fn look_up(&self, repository: &Repository, commit: Commit, branches: &[Branch]) -> Result<Lookup, Error> {
        let mut found: Option<Found> = None;
        let mut missing = None;
        for branch in branches {
            match self.compare(repository, &commit.to_string(), branch.as_str()).await? {
                Compared::Known(comparison) => {
                    if matches!(comparison.status, Status::Ahead | Status::Identical) {
                        return Ok(comparison.base_commit.on(Some(branch.clone())));
                    }
                    found = Some(comparison.base_commit);
                }
                Compared::NothingInCommon => {}
                Compared::Unknown => {
                    if found.is_none() {
                        found = self.find(repository, commit).await?;
                    }
                    if found.is_none() {
                        return Ok(Lookup::Absent);
                    }
                    missing = missing.or(Some(branch));
                }
            }
        }
        if let Some(branch) = missing {
            let (repository, branch) = (repository.clone(), branch.clone());
            return Err(Error::NoBranch { repository, branch });
        }
        let found = match found {
            Some(found) => Some(found),
            None => self.find(repository, commit).await?,
        };
        Ok(found.map_or(Lookup::Absent, |found| found.on(None)))
    }

    /// How `first` stands to `second`; `None` when one of them is not known there. One request, none when they
    /// are the same.
    ///
    /// # Errors
    ///
    /// [`Error::NoRepository`], and what any request can end with.
    pub async fn ancestry(
        &self,
        repository: &Repository,
        first: Commit,
        second: Commit,
    ) -> Result<Option<Ancestry>, Error> {
        if first == second {
            return Ok(Some(Ancestry::Same));
        }
        let compared = self.compare(repository, &first.to_string(), &second.to_string()).await?;
        match compared {
            Compared::Known(comparison) => Ok(Some(match comparison.status {
                Status::Ahead => Ancestry::Ancestor,
                Status::Behind => Ancestry::Descendant,
                Status::Identical => Ancestry::Same,
                Status::Diverged => Ancestry::Unrelated,
            })),
            Compared::NothingInCommon => Ok(Some(Ancestry::Unrelated)),
            Compared::Unknown => {
                self.client().check_repository(repository).await?;
                Ok(None)
            }
        }
    }

    async fn compare(&self, repository: &Repository, base: &str, head: &str) -> Result<Compared, Error> {
        let path = format!("/repos/{repository}/compare/{base}...{}?per_page=1", escape(head));
        let doing = format!("comparing {base} with {head} in {repository}");
        let request = Request::get(path, doing);
        let answer = self.client().send(repository, &request).await?;
        match answer.status {
            200 => Ok(Compared::Known(answer.read(&request)?)),
            404 if answer.message().starts_with("No common ancestor") => Ok(Compared::NothingInCommon),
            404 => Ok(Compared::Unknown),
            _ => Err(request.refused(answer.message())),
        }
    }

    /// The commit, when the forge knows it.
    async fn find(&self, repository: &Repository, commit: Commit) -> Result<Option<Found>, Error> {
        let path = format!("/repos/{repository}/commits/{commit}");
        let request = Request::get(path, format!("looking for commit {commit} in {repository}"));
        let answer = self.client().send(repository, &request).await?;
        match answer.status {
            200 => Ok(Some(answer.read(&request)?)),
            404 => {
                self.client().check_repository(repository).await?;
                Ok(None)
            }
            422 if is_unknown_commit(&answer) => Ok(None),
            _ => Err(request.refused(answer.message())),
        }
    }
}

impl Found {
    fn on(self, branch: Option<Branch>) -> Lookup {
        let subject = self.commit.message.lines().next().unwrap_or_default().to_owned();
        Lookup::Present { subject, url: self.html_url, branch }
    }
}

fn is_unknown_commit(answer: &Answer) -> bool {
    answer.message().starts_with("No commit found for SHA")
}
