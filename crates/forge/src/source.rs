//! What the forge says of commits: whether they exist, on which branch they are, what checks say of them, and how two
//! stand to each other.

mod branches;
mod comparison;
mod document;
mod left;
mod past;
mod rollup;

use domain::{
    commit::Commit,
    evidence::{Lookup, Reported},
    forge::Repository,
    glob::Glob,
};

use self::document::Wanted;
pub use self::{comparison::Comparison, past::Past};
use crate::{Error, Forge, client::Document};

/// How many pages of branches or of checks are read before it is too much.
const MOST_PAGES: usize = 10;

/// A commit that something is asked about.
#[derive(Clone, Copy, Debug)]
struct About<'a> {
    repository: &'a Repository,
    commit: Commit,
    /// What is being done to what, as a message begins.
    doing: &'a str,
}

impl Forge {
    /// Looks for a commit, for the first of `branches` that it is on, and for what checks say of it. Branches that are
    /// named come before what patterns match.
    ///
    /// That the forge knows a commit proves nothing about its branch: a fork's commit is found through the
    /// repository that it was forked from.
    ///
    /// One request for a commit that does not exist, or is on a branch and has no more than 100 checks. One more for
    /// each further 50 branches that begin like a pattern, for each further 100 checks, and for each of at most 10
    /// branches with which GraphQL does not compare it. For one that is on none, one for each of the first 5 named
    /// branches, and one for each of the last 5 forced pushes to these.
    ///
    /// # Errors
    ///
    /// [`Error::NoBranch`]: the commit is on none of the branches that exist, and one that is named does not exist.
    /// [`Error::Forbidden`]: the credentials may not see checks. [`Error::NoRepository`], and what any request can end
    /// with.
    pub async fn look_up(&self, repository: &Repository, commit: Commit, branches: &[Glob]) -> Result<Lookup, Error> {
        self.find(repository, commit, &Wanted { branches, checks: true }).await
    }

    /// The same without looking at checks, which takes no permission to see them.
    ///
    /// # Errors
    ///
    /// Those of [`Forge::look_up`] but for checks.
    pub async fn locate(&self, repository: &Repository, commit: Commit, branches: &[Glob]) -> Result<Lookup, Error> {
        self.find(repository, commit, &Wanted { branches, checks: false }).await
    }

    /// What checks say of a commit: commit statuses, and check runs, of several with the same name all that GitHub
    /// shows. One request for each 100 of them.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownCommit`]: it is not there. [`Error::Forbidden`]: the credentials may not see checks.
    /// [`Error::NoRepository`], and what any request can end with.
    pub async fn checks(&self, repository: &Repository, commit: Commit) -> Result<Vec<Reported>, Error> {
        let doing = format!("seeing the checks of commit {commit} in {repository}");
        let about = About { repository, commit, doing: &doing };
        let rollup = self.page_of_checks(about, None).await?;
        self.rest_of_checks(about, rollup).await
    }

    async fn find(&self, repository: &Repository, commit: Commit, wanted: &Wanted<'_>) -> Result<Lookup, Error> {
        let doing = format!("looking for commit {commit} in {repository}");
        let about = About { repository, commit, doing: &doing };
        let (text, variables) = (wanted.text(), wanted.variables(about));
        let document = Document { text: &text, variables: &variables, doing: &doing };
        let reply = self.client().ask_reading(repository, document).await?;
        let mut seen = document::read(reply, about)?;
        let Some(found) = seen.commit.take() else { return Ok(Lookup::Absent) };
        let branch = self.branch_of(about, wanted.branches, &mut seen).await?;
        let checks = self.rest_of_checks(about, seen.checks(about)?).await?;
        let left = match &branch {
            Some(_) => None,
            None => self.left(about, wanted.branches).await?,
        };
        Ok(Lookup::Present { subject: found.subject(), url: found.url, branch, left, checks })
    }
}
