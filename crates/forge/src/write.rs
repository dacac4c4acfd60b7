//! What a release reads and writes: the tip of the base branch with some of its files, a commit on it, and the release
//! branch that is made to point to that commit.
//!
//! There are two ways, chosen by [`Write`](crate::Write), which leave the same tree on the forge: `git` keeps
//! an object store and pushes, `hosted` has the forge itself make the commit. Both put a commit where nobody looks
//! first, so that its name can be recorded before a release branch points to it: what is on a release branch is ours
//! exactly when it was recorded.

mod edit;
mod entry;
mod hosted;

use domain::{
    commit::Commit,
    forge::{Branch, Repository},
    proposal::ReleaseBranch,
};

pub use edit::{FileEdit, NewCommit};
pub(crate) use entry::Entry;

use crate::{Error, Forge, Way, git::Git};
use hosted::Hosted;

/// The files of one directory: their names and bytes.
pub type Files = Vec<(String, Vec<u8>)>;

/// What is needed to read.
pub(crate) const NEEDS_READ: &str = "it needs Contents: read";

/// What is needed to write.
pub(crate) const NEEDS_WRITE: &str = "it needs Contents: write";

impl Forge {
    /// The commit at the tip of a branch. By Git, with all its files fetched and kept.
    ///
    /// By Git, one request while the kept store has that commit already, two or three when it must be fetched; one
    /// otherwise.
    ///
    /// # Errors
    ///
    /// [`Error::NoBranch`], [`Error::NoRepository`], and what any request can end with.
    pub async fn tip(&self, repository: &Repository, branch: &Branch) -> Result<Commit, Error> {
        match self.way() {
            Way::Git(stores) => Git { client: self.client(), stores }.tip(repository, branch).await,
            Way::Api => Hosted { client: self.client() }.tip(repository, branch).await,
        }
    }

    /// The commit at the tip of a branch, and its files as [`Forge::read_directories`] gives them: as many requests as
    /// for the tip alone.
    ///
    /// # Errors
    ///
    /// Those of [`Forge::tip`] and [`Forge::read_directories`].
    pub async fn read_tip(
        &self,
        repository: &Repository,
        branch: &Branch,
        directories: &[&str],
        names: &[&str],
    ) -> Result<(Commit, Vec<Option<Files>>), Error> {
        match self.way() {
            Way::Git(stores) => {
                let git = Git { client: self.client(), stores };
                let tip = git.tip(repository, branch).await?;
                Ok((tip, git.read_directories(repository, tip, directories, names).await?))
            }
            Way::Api => Hosted { client: self.client() }.read_tip(repository, branch, (directories, names)).await,
        }
    }

    /// The files of these names in each of the directories, as they are in the commit `tip`. By Git, no request.
    ///
    /// The answer has one element for each directory, in their order: `None` when there is no such directory,
    /// otherwise those of `names` that it has.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownCommit`]: the forge does not have `tip` or, by Git, it was not fetched by [`Forge::tip`], or the
    /// store was made anew since. [`Error::WrongKind`]: something has one of the names, but is a symbolic link, a
    /// directory or a submodule.
    pub async fn read_directories(
        &self,
        repository: &Repository,
        tip: Commit,
        directories: &[&str],
        names: &[&str],
    ) -> Result<Vec<Option<Files>>, Error> {
        match self.way() {
            Way::Git(stores) => {
                Git { client: self.client(), stores }.read_directories(repository, tip, directories, names).await
            }
            Way::Api => Hosted { client: self.client() }.read_directories(repository, tip, (directories, names)).await,
        }
    }

    /// Makes a commit that no release branch points to yet.
    ///
    /// By Git it is made in the kept store without any request; a file keeps its mode, a new one is a regular file, and
    /// the same input gives the same commit. Otherwise the forge makes it, dates and signs it, and it is by whom the
    /// credentials belong to: two requests, or one when such a commit of `ours` is there already, which is then the
    /// answer. All other files keep every byte.
    ///
    /// # Errors
    ///
    /// [`Error::UnknownCommit`] as for [`Forge::read_directories`]; [`Error::WrongKind`]: a path names something else
    /// than a file. Where the forge makes it also [`Error::NotPlain`], [`Error::NameTaken`], [`Error::Moved`],
    /// [`Error::PushRefused`].
    pub async fn commit(&self, repository: &Repository, new: &NewCommit<'_>) -> Result<Commit, Error> {
        match self.way() {
            Way::Git(stores) => Git { client: self.client(), stores }.commit(repository, new).await,
            Way::Api => Box::pin(Hosted { client: self.client() }.commit(repository, new)).await,
        }
    }

    /// Makes a commit of [`Forge::commit`] the tip of a release branch, by force, but only over an absent branch or one
    /// of `ours`: the heads that we recorded before. Repeatable. Two requests.
    ///
    /// # Errors
    ///
    /// [`Error::ForeignTip`]: somebody else's commit is there. [`Error::NameTaken`]: another branch is in the way.
    /// [`Error::Moved`]: the branch moved in the meantime. [`Error::PushRefused`]: a rule of the repository refuses it.
    /// [`Error::UnknownCommit`]: `commit` was not made by [`Forge::commit`], or the store was made anew since.
    pub async fn push(
        &self,
        repository: &Repository,
        branch: &ReleaseBranch,
        commit: Commit,
        ours: &[Commit],
    ) -> Result<(), Error> {
        self.client().may_propose(repository, &format!("pushing {} to {repository}", branch.branch())).await?;
        match self.way() {
            Way::Git(stores) => Git { client: self.client(), stores }.push(repository, branch, commit, ours).await,
            Way::Api => Box::pin(Hosted { client: self.client() }.push(repository, branch, commit, ours)).await,
        }
    }

    /// Deletes a release branch, but only while its tip is one of `ours`. An absent branch is fine. One or two
    /// requests.
    ///
    /// # Errors
    ///
    /// [`Error::ForeignTip`], [`Error::Moved`] and [`Error::PushRefused`] as for [`Forge::push`].
    pub async fn delete_branch(
        &self,
        repository: &Repository,
        branch: &ReleaseBranch,
        ours: &[Commit],
    ) -> Result<(), Error> {
        match self.way() {
            Way::Git(stores) => Git { client: self.client(), stores }.delete_branch(repository, branch, ours).await,
            Way::Api => Box::pin(Hosted { client: self.client() }.delete_branch(repository, branch, ours)).await,
        }
    }
}

/// Whether two branches can not be there at once: for Git the name of one would be a directory that the other is in.
pub(crate) fn clash(one: &Branch, other: &Branch) -> bool {
    let is_inside = |inner: &Branch, outer: &Branch| {
        inner.as_str().strip_prefix(outer.as_str()).is_some_and(|rest| rest.starts_with('/'))
    };
    is_inside(one, other) || is_inside(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_clashes_with_a_directory_of_its_name_and_with_nothing_else() {
        let check = |one: &str, other: &str, expected: bool| {
            let (one, other) = (one.parse().unwrap(), other.parse().unwrap());
            assert_eq!((clash(&one, &other), clash(&other, &one)), (expected, expected), "{one} {other}");
        };
        check("zoom/deploy-1", "zoom", true);
        check("zoom/deploy-1", "zoom/deploy-1/fix", true);
        check("zoom/deploy-1", "zoom/deploy-1", false);
        check("zoom/deploy-1", "zoom/deploy-10", false);
        check("zoom/deploy-1", "zoo", false);
        check("zoom/deploy-1", "zoomed", false);
        check("zoom/deploy-1", "zoom/deploy", false);
    }
}
