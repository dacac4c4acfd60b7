//! Whether the commit is on an allowed branch, and hence not only in a fork.

use super::{Evidence, Kind, Left, Lookup, join};
use crate::{
    application::{Application, Demand},
    commit::Commit,
};

/// Passed where the commit is the tip of an allowed branch or an ancestor of it, else failed.
///
/// That the forge knows it is not enough: a fork's commit is found through the repository that it was forked from.
#[must_use]
pub fn branch(application: &Application, commit: Commit, lookup: &Lookup) -> Evidence {
    let source = &application.source;
    let (url, found, left) = match lookup {
        _ if application.verify.branch == Demand::Off => {
            let link = if let Lookup::Present { url, .. } = lookup { Some(url) } else { None };
            let seen = "the branch was not looked at: verify.branch is off";
            return Evidence::skipped(Kind::Branch, seen.to_owned()).at(link);
        }
        Lookup::Absent => {
            let seen = format!("commit {} is on no branch of {}", commit.short(), source.repository);
            return Evidence::failed(Kind::Branch, seen);
        }
        Lookup::Present { url, branch, left, .. } => (url, branch, left),
    };
    let allowed = join(source.branches.iter());
    let evidence = match (found, left) {
        (Some(branch), _) => Evidence::passed(Kind::Branch, format!("commit {} is on {branch}", commit.short())),
        (None, Some(Left { branch, at })) => Evidence::failed(
            Kind::Branch,
            format!(
                "commit {} was on {branch} of {} until that was force-pushed on {}, and is on no allowed branch now ({allowed})",
                commit.short(),
                source.repository,
                at.format("%Y-%m-%d %H:%M UTC"),
            ),
        ),
        (None, None) => Evidence::failed(
            Kind::Branch,
            format!("commit {} is not on an allowed branch of {} ({allowed})", commit.short(), source.repository),
        ),
    };
    evidence.at(Some(url))
}
