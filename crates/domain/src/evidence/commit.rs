//! Whether the commit exists in the source repository. Always asked for.

use super::{Evidence, Kind, Lookup};
use crate::{application::Application, commit::Commit};

/// Passed where the forge knows the commit, else failed: an image is pushed after the commit that it was built from.
#[must_use]
pub fn commit(application: &Application, commit: Commit, lookup: &Lookup) -> Evidence {
    let repository = &application.source.repository;
    match lookup {
        Lookup::Absent => Evidence::failed(Kind::Commit, format!("commit {commit} does not exist in {repository}")),
        Lookup::Present { subject, url, .. } => {
            Evidence::passed(Kind::Commit, format!("commit {} exists in {repository}: {subject}", commit.short()))
                .at(Some(url))
        }
    }
}
