//! Whether the tag never had another digest.

use std::collections::BTreeSet;

use super::{Evidence, Kind, join};
use crate::{
    application::{Application, Demand, Name},
    release::Build,
};

/// Passed where each target's tag was only ever seen at one digest, else failed: the first is remembered for ever.
#[must_use]
pub fn immutable(application: &Application, builds: &[Build]) -> Evidence {
    if application.verify.immutable == Demand::Off {
        let seen = "moved tags were not looked for: verify.immutable is off";
        return Evidence::skipped(Kind::Immutable, seen.to_owned());
    }
    let moved: BTreeSet<&Name> = builds
        .iter()
        .filter(|one| builds.iter().any(|other| other.target == one.target && other.digest != one.digest))
        .map(|build| &build.target)
        .collect();
    if moved.is_empty() {
        return Evidence::passed(Kind::Immutable, "no tag was moved to another digest".to_owned());
    }
    let moved = join(moved.into_iter());
    Evidence::failed(Kind::Immutable, format!("the tag was moved to another digest in {moved}"))
}
