//! How commits stand to each other, and what merging them would give.

use super::{Bare, CommitObject, Error, Oid, spawn};

/// How a head stands to a base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Commits that only the head has.
    pub(crate) ahead: u64,
    /// Commits that only the base has.
    pub(crate) behind: u64,
}

/// What a merge would give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trial {
    /// This tree.
    Tree(Oid),
    /// Both sides changed the same.
    Conflict,
}

impl Standing {
    /// The word for it in GitHub's comparison.
    pub(crate) const fn as_str(&self) -> &'static str {
        match (self.ahead, self.behind) {
            (0, 0) => "identical",
            (_, 0) => "ahead",
            (0, _) => "behind",
            (..) => "diverged",
        }
    }
}

impl Bare {
    /// How many commits each of two commits has that the other has not.
    pub(crate) fn standing(&self, base: &Oid, head: &Oid) -> Result<Standing, Error> {
        let range = format!("{base}...{head}");
        let printed = self.ask("rev-list", &["--left-right", "--count", &range])?;
        let mut counts = printed.split_whitespace().map(str::parse);
        match (counts.next(), counts.next()) {
            (Some(Ok(behind)), Some(Ok(ahead))) => Ok(Standing { ahead, behind }),
            _ => Err(Error::Unexpected { command: "rev-list".to_owned(), answer: printed }),
        }
    }

    /// The best common ancestor; `None` for unrelated histories.
    pub(crate) fn merge_base(&self, one: &Oid, other: &Oid) -> Result<Option<Oid>, Error> {
        let mut command = self.command("merge-base");
        command.args([one.as_str(), other.as_str()]);
        let output = spawn("merge-base", command, None)?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().parse().ok())
    }

    /// Whether the first commit is the second or one of its ancestors.
    pub(crate) fn is_ancestor(&self, ancestor: &Oid, of: &Oid) -> Result<bool, Error> {
        if ancestor == of {
            return Ok(true);
        }
        let mut command = self.command("merge-base");
        command.args(["--is-ancestor", ancestor.as_str(), of.as_str()]);
        Ok(spawn("merge-base", command, None)?.status.success())
    }

    /// Merges two commits without writing any reference.
    pub(crate) fn try_merge(&self, base: &Oid, head: &Oid) -> Result<Trial, Error> {
        self.merge_tree(&[base.as_str(), head.as_str()])
    }

    /// Applies what one commit changed on top of another.
    pub(crate) fn try_pick(&self, onto: &Oid, commit: &CommitObject) -> Result<Trial, Error> {
        let Some(parent) = commit.parents.first() else {
            return Ok(Trial::Conflict);
        };
        let base = format!("--merge-base={parent}");
        self.merge_tree(&[&base, onto.as_str(), commit.oid.as_str()])
    }

    fn merge_tree(&self, arguments: &[&str]) -> Result<Trial, Error> {
        let mut command = self.command("merge-tree");
        command.args(["--write-tree", "--no-messages"]).args(arguments);
        let output = spawn("merge-tree", command, None)?;
        let printed = String::from_utf8_lossy(&output.stdout);
        match (output.status.code(), printed.lines().next().map(str::parse)) {
            (Some(0), Some(Ok(tree))) => Ok(Trial::Tree(tree)),
            (Some(1), _) => Ok(Trial::Conflict),
            _ => Err(Error::Refused {
                command: "merge-tree".to_owned(),
                stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            }),
        }
    }
}
