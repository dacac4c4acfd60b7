//! What each kind of evidence says, and what all of it adds up to.

mod commit;
mod images;
mod monotone;
mod provenance;
mod verdict;

use super::*;
use crate::{
    application::Application,
    sample::{application, at, build, commit},
};

/// A piece of evidence as `kind outcome: sentence`.
fn words(one: &Evidence) -> String {
    format!("{} {}: {}", one.kind, one.outcome.as_str(), one.seen)
}

/// Now is the beginning of 1970, and waiting ends after so many seconds.
fn wait(until: i64) -> Wait {
    Wait { now: at(0), until: at(until) }
}

#[test]
fn each_kind_is_found_again_by_its_word() {
    for kind in Kind::ALL {
        assert_eq!(Kind::from_word(kind.as_str()), Some(kind));
    }
    assert_eq!(Kind::from_word("Tag"), None);
    let mut sorted = Kind::ALL;
    sorted.sort();
    assert_eq!(sorted, Kind::ALL);
}

#[test]
fn what_is_missing_is_waited_for_from_the_last_image_on() {
    let mut application = application();
    let builds = [build("aws", 1, 0), build("gcp", 1, 500)];
    assert_eq!(Wait::new(&application, &builds, at(7), at(0)).until, at(500 + 1800));
    // A release that was given a new chance waits anew.
    assert_eq!(Wait::new(&application, &builds, at(900), at(0)).until, at(900 + 1800));
    application.verify.deadline = std::time::Duration::MAX;
    assert_eq!(Wait::new(&application, &[], at(0), at(0)).until, DateTime::<Utc>::MAX_UTC);
}
