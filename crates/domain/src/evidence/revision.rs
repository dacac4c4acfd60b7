//! Whether the image says that it was built from the commit: `org.opencontainers.image.revision` and `.source`
//! (<https://github.com/opencontainers/image-spec/blob/main/annotations.md>).
//!
//! Whoever built the image wrote that, so that it tells of mistakes and not of malice.

use super::{Evidence, Images, Kind, Wait, gone, grouped, join};
use crate::{
    application::{Application, Wish},
    commit::Commit,
    excerpt::excerpt,
    forge::Repository,
    image::{Contents, Said},
    release::{Build, newest},
};

/// How many characters of what an image says are shown.
const LONGEST_SHOWN: usize = 100;

/// What one target's image says.
enum Word {
    /// Each of its images says the commit.
    All,
    /// Some do, and the others say nothing.
    Some,
    /// None says anything.
    Nothing,
    /// One says something else.
    Else(String),
}

/// Passed where the images say the commit, and failed where one says something else. One that says nothing fails where
/// it is required, and else does not count.
#[must_use]
pub fn revision(application: &Application, commit: Commit, builds: &[Build], images: &Images, wait: Wait) -> Evidence {
    let wish = application.verify.revision;
    if wish == Wish::Off {
        let seen = "what the image says of its commit was not looked at: verify.revision is off";
        return Evidence::skipped(Kind::Revision, seen.to_owned());
    }
    let (mut silent, mut wrong, mut absent) = (Vec::new(), Vec::new(), Vec::new());
    let mut spoke = false;
    for build in application.targets().iter().filter_map(|target| newest(builds, &target.name)) {
        let Some(contents) = images.get(&build.digest) else {
            absent.push((build.digest.short(), &build.target));
            continue;
        };
        match word(contents, &application.source.repository, commit) {
            Word::All => spoke = true,
            Word::Some if wish == Wish::Required => silent.push(&build.target),
            Word::Some => spoke = true,
            Word::Nothing => silent.push(&build.target),
            Word::Else(why) => wrong.push((why, &build.target)),
        }
    }
    let key = "org.opencontainers.image.revision";
    match (wrong.as_slice(), absent.as_slice(), silent.as_slice()) {
        ([], [], []) => {
            Evidence::passed(Kind::Revision, format!("the images say that they were built from {}", commit.short()))
        }
        ([], [], silent) if wish == Wish::Required => Evidence::failed(
            Kind::Revision,
            format!("no {key} in the image of {}, or not for every platform (verify.revision)", join(silent.iter())),
        ),
        ([], [], silent) if spoke => Evidence::passed(
            Kind::Revision,
            format!("the images say that they were built from {}; no {key} in {}", commit.short(), join(silent.iter())),
        ),
        ([], [], _) => Evidence::skipped(Kind::Revision, format!("the images have no {key}")),
        ([], missing, _) => wait.pending(Kind::Revision, &gone(missing)),
        (wrong, ..) => {
            let groups = grouped(wrong);
            let wrong = groups.iter().map(|(why, targets)| format!("the image of {} {why}", join(targets.iter())));
            let wrong = join(wrong);
            let advice = "labels of a base image that were not replaced say so too (verify.revision)";
            Evidence::failed(Kind::Revision, format!("{wrong}; {advice}"))
        }
    }
}

fn word(contents: &Contents, repository: &Repository, commit: Commit) -> Word {
    for said in &contents.images {
        if let Some(other) = said.revisions.iter().find(|one| !is_commit(one, commit)) {
            return Word::Else(format!("says revision {}", shown(other)));
        }
        // A source alone says nothing: that of a base image is often left as it is.
        if said.revisions.is_empty() {
            continue;
        }
        if let Some(other) = said.sources.iter().find(|one| is_other(one, repository)) {
            return Word::Else(format!("says source {}", shown(other)));
        }
    }
    let speaks = |said: &Said| !said.revisions.is_empty();
    match (contents.images.iter().any(speaks), contents.images.iter().all(speaks)) {
        (true, true) => Word::All,
        (true, false) => Word::Some,
        (false, _) => Word::Nothing,
    }
}

/// Whether a text is the commit in full, in any case and with the word `sha1:` before it or not.
fn is_commit(text: &str, commit: Commit) -> bool {
    let text = text.trim().to_ascii_lowercase();
    text.strip_prefix("sha1:").unwrap_or(&text) == commit.to_string()
}

/// Whether an address is that of another repository, as people and tools write it: a page, a clone, with a branch.
fn is_other(address: &str, repository: &Repository) -> bool {
    named(address).is_none_or(|named| named != *repository)
}

/// The repository in an address: `https://HOST/OWNER/NAME`, `git@HOST:OWNER/NAME.git`, `git+ssh://…`, with whatever
/// stands behind the name.
pub(super) fn named(address: &str) -> Option<Repository> {
    let address = address.trim();
    let address = address.strip_prefix("git+").unwrap_or(address);
    let path = match address.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => address.split_once(':')?.1,
    };
    let path = path.split(['#', '?', '@']).next()?;
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let (owner, name) = (parts.next()?, parts.next()?);
    format!("{owner}/{}", name.strip_suffix(".git").unwrap_or(name)).parse().ok()
}

/// What an image says, for people: no more than is of use.
fn shown(text: &str) -> String {
    excerpt(text).chars().take(LONGEST_SHOWN).collect()
}
