//! A commit whose images reach every registry and which still does not go into the overlays.

use anyhow::{Result, ensure};

use crate::{
    place::{Commit, Scene, TARGETS},
    say::{Sign, Teller, brief},
    wait::until,
};

/// Pushes a commit's image to all targets and tells why it goes no further.
///
/// # Errors
///
/// The outcome is another than was expected.
pub(super) async fn tell(teller: &Teller, scene: &Scene, commit: &Commit, expected: &str) -> Result<()> {
    let text = format!("{} \"{}\" is on {}", commit.short(), commit.subject, commit.branch);
    teller.line(Sign::Step, "commit", &text)?;
    let mut names = Vec::new();
    for target in TARGETS {
        scene.sandbox.push_image(target, &commit.tag(), &commit.sha).await?;
        names.push(target.name);
    }
    teller.line(Sign::Step, "push", &brief(&format!("{} to {}", commit.tag(), names.join(", "))))?;
    let what = format!("the outcome of {}", commit.short());
    let promotion = until(&what, async || {
        let release = scene.tagferry.release(&commit.sha).await?;
        Ok(release.and_then(|release| release.promotions.into_iter().next_back()).filter(|it| it.outcome.is_some()))
    })
    .await?;
    for evidence in promotion.evidence.iter().filter(|evidence| evidence.outcome == "failed") {
        teller.line(Sign::No, &evidence.kind, &brief(&evidence.seen))?;
    }
    let (outcome, reason) = (promotion.outcome.unwrap_or_default(), promotion.reason.unwrap_or_default());
    teller.line(Sign::No, &outcome, &brief(&reason))?;
    ensure!(outcome == expected, "{} was to be {expected}, and is {outcome}: {reason}", commit.short());
    let branch = &promotion.branch;
    let all = scene.sandbox.pull_requests(crate::place::GITOPS).await?;
    ensure!(all.iter().all(|one| one.head_branch != *branch), "{branch} was to have no pull request, and has one");
    Ok(())
}
