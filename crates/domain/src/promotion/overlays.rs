//! Where overlays stand, seen from a release.

use crate::{application::Name, commit::Commit};

/// Where all overlays stand at the tip of the base branch, seen from the release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Overlays {
    /// They were not looked at, since nothing that comes next depends on them.
    Unread,
    /// Each names the release already.
    Current,
    /// Each may be moved to the release.
    Behind,
    /// One names a newer commit.
    Ahead(Commit),
    /// One names a commit that is neither older nor newer.
    Unrelated(Name, Commit),
    /// One cannot be read or edited; the sentence says why.
    Unreadable(String),
}

/// Where one overlay stands, seen from the release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It names the release already.
    Current,
    /// It may be moved to the release.
    Behind,
    /// It names a newer commit.
    Ahead(Commit),
    /// It names a commit that is neither older nor newer.
    Unrelated(Commit),
    /// It cannot be read or edited; the sentence says why.
    Unreadable(String),
}

/// Adds up where single overlays stand. Nothing moves backwards: one that is ahead decides for all.
#[must_use]
pub fn overlays(standings: impl IntoIterator<Item = (Name, Standing)>) -> Overlays {
    let mut sum = Overlays::Current;
    for (target, standing) in standings {
        sum = match (sum, standing) {
            (unreadable @ Overlays::Unreadable(_), _) => unreadable,
            (_, Standing::Unreadable(why)) => Overlays::Unreadable(why),
            (ahead @ Overlays::Ahead(_), _) => ahead,
            (_, Standing::Ahead(commit)) => Overlays::Ahead(commit),
            (unrelated @ Overlays::Unrelated(..), _) => unrelated,
            (_, Standing::Unrelated(commit)) => Overlays::Unrelated(target, commit),
            (Overlays::Behind, _) | (_, Standing::Behind) => Overlays::Behind,
            (Overlays::Current | Overlays::Unread, Standing::Current) => Overlays::Current,
        };
    }
    sum
}
