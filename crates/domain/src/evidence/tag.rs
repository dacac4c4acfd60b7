//! Whether the tag spells a full commit. Always asked for: without it there is nothing to release.

use super::{Evidence, Kind};
use crate::{application::Application, commit::Commit};

/// Passed: a tag that spells no commit makes no release.
#[must_use]
pub fn tag(application: &Application, commit: Commit) -> Evidence {
    Evidence::passed(Kind::Tag, format!("tag {} names commit {}", application.tag.tag(commit), commit.short()))
}
