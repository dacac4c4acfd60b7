//! Whether every target has the image, for each platform that is asked for. Always asked for.

use super::{Evidence, Images, Kind, Outcome, Wait, gone, join};
use crate::{
    application::{Application, Demand},
    release::{Barrier, Build, newest},
};

/// Passed where every target's registry has the tag; pending while some have not, until `release.deadline`.
///
/// Failed after that, and where the digests are not the same or a platform is missing, if that is asked for.
#[must_use]
pub fn image(
    application: &Application,
    builds: &[Build],
    (barrier, images): (&Barrier, &Images),
    wait: Wait,
) -> Evidence {
    match barrier {
        Barrier::Complete => whole(application, builds, images, wait),
        Barrier::Open { missing, until } => Evidence {
            kind: Kind::Image,
            outcome: Outcome::Pending { until: *until },
            seen: format!("waiting for the image in {}", join(missing.iter())),
            link: None,
        },
        Barrier::Overdue { missing } => Evidence::failed(
            Kind::Image,
            format!(
                "no image in {} within {} seconds of the first (release.deadline)",
                join(missing.iter()),
                application.release.deadline.as_secs()
            ),
        ),
    }
}

/// What is so of the images when all targets have one.
fn whole(application: &Application, builds: &[Build], images: &Images, wait: Wait) -> Evidence {
    let chosen: Vec<&Build> = application.targets().iter().filter_map(|target| newest(builds, &target.name)).collect();
    let is_same = chosen.iter().all(|one| chosen.first().is_none_or(|first| first.digest == one.digest));
    if application.verify.same_digest == Demand::Required && !is_same {
        let digests = join(chosen.iter().map(|build| format!("{} has {}", build.target, build.digest.short())));
        let advice = "verify.same_digest is off where each target's image is built by itself";
        return Evidence::failed(Kind::Image, format!("the digests are not the same: {digests}; {advice}"));
    }
    let wanted = &application.verify.platforms;
    if !wanted.is_empty() {
        let absent: Vec<_> = chosen
            .iter()
            .filter(|build| !images.contains_key(&build.digest))
            .map(|build| (build.digest.short(), &build.target))
            .collect();
        if !absent.is_empty() {
            return wait.pending(Kind::Image, &gone(&absent));
        }
        let lacking: Vec<String> = chosen
            .iter()
            .flat_map(|build| {
                let contents = images.get(&build.digest);
                wanted
                    .iter()
                    .filter(move |platform| contents.is_none_or(|contents| !contents.serves(platform)))
                    .map(|platform| format!("{} has no image for {platform}", build.target))
            })
            .collect();
        if !lacking.is_empty() {
            return Evidence::failed(Kind::Image, format!("{} (verify.platforms)", join(lacking.iter())));
        }
    }
    let targets = join(chosen.iter().map(|build| &build.target));
    let platforms = if wanted.is_empty() { String::new() } else { format!(", for {}", join(wanted.iter())) };
    Evidence::passed(Kind::Image, format!("every target has the image: {targets}{platforms}"))
}
