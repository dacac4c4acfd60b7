//! A pull request's image is pushed: it names a commit, and is not to be released.

use anyhow::{Result, ensure};

use crate::{
    place::{Scene, TARGETS},
    say::{Sign, Teller, brief},
    wait::until,
};

/// Tells what becomes of a `pr-12-…` tag.
///
/// # Errors
///
/// It is not ignored.
pub(super) async fn tell(teller: &Teller, scene: &Scene) -> Result<()> {
    let commit = &scene.history.unmerged;
    let tag = format!("pr-12-{}", commit.sha);
    let [target, ..] = TARGETS;
    teller.chapter("An image of a pull request is ignored")?;
    scene.sandbox.push_image(target, &tag, &commit.sha).await?;
    let repository = scene.image(target);
    teller.line(Sign::Step, &format!("push {}", target.name), &brief(&format!("{repository}:{tag}")))?;
    let what = format!("the verdict on {tag}");
    let announcement = until(&what, async || {
        let found = scene.tagferry.announcement(&repository, &tag).await?;
        Ok(found.filter(|announcement| announcement.verdict != "pending"))
    })
    .await?;
    let (verdict, reason) = (announcement.verdict, announcement.reason.unwrap_or_default());
    teller.line(Sign::No, &verdict, &brief(&reason))?;
    ensure!(verdict == "ignored", "the tag {tag} was to be ignored, and is {verdict}");
    ensure!(reason.contains("pull-request tag"), "the reason was to be that it is a pull-request tag: {reason}");
    Ok(())
}
