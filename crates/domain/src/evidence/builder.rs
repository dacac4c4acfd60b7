//! Whether GitHub Actions posted that it built the image, with the identity token of the run.

use super::{Evidence, Kind, Wait, join};
use crate::{
    application::{Application, Wish},
    image::{Digest, Reference},
    release::{Build, newest},
};

/// What a run of GitHub Actions posted of an image. Its token was verified, and named the repository and the commit of
/// the release that it is kept for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuilderReport {
    /// What it pushed.
    pub reference: Reference,
    /// At which digest, where it said so.
    pub digest: Option<Digest>,
    /// The workflow, with its reference: `acme/mandelbrot/.github/workflows/release.yml@refs/heads/main`.
    pub workflow: String,
    /// Where people read the run.
    pub run_url: Option<String>,
}

/// Passed where a run has posted each target's image, at its digest or at none.
///
/// Where a report is missing or names another digest another one is waited for; one that is missing is passed over where
/// it is not required.
#[must_use]
pub fn builder(application: &Application, builds: &[Build], reports: &[BuilderReport], wait: Wait) -> Evidence {
    let wish = application.verify.builder;
    if wish == Wish::Off {
        let seen = "what GitHub Actions posted was not looked at: verify.builder is off";
        return Evidence::skipped(Kind::Builder, seen.to_owned());
    }
    let (mut good, mut missing, mut other) = (Vec::new(), Vec::new(), Vec::new());
    for build in application.targets().iter().filter_map(|target| newest(builds, &target.name)) {
        let mut mine = reports.iter().filter(|report| report.reference == build.reference).peekable();
        if mine.peek().is_none() {
            missing.push(&build.target);
        } else if let Some(report) = mine.find(|one| one.digest.as_ref().is_none_or(|digest| *digest == build.digest)) {
            good.push((&build.target, report));
        } else {
            other.push(&build.target);
        }
    }
    if !other.is_empty() {
        let seen = format!("GitHub Actions posted another digest of the image in {}", join(other.into_iter()));
        return wait.pending(Kind::Builder, &seen);
    }
    if !missing.is_empty() && wish == Wish::Required {
        let seen = format!("GitHub Actions has not posted that it built the image in {}", join(missing.into_iter()));
        return wait.pending(Kind::Builder, &seen);
    }
    let Some((_, report)) = good.first() else {
        return Evidence::skipped(Kind::Builder, "GitHub Actions has not posted that it built the image".to_owned());
    };
    let targets = join(good.iter().map(|(target, _)| target));
    let seen = format!("GitHub Actions built the image of {targets}, by {}", report.workflow);
    Evidence::passed(Kind::Builder, seen).at(report.run_url.as_ref())
}
