//! The release: a commit's image is pushed to three registries and becomes one merged pull request.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use super::watch::{Moments, Watch};
use crate::{
    git::{Changes, Clone},
    place::{CHECK, CHECK_MILLISECONDS, GITOPS, SOURCE, Scene, TARGETS, Target},
    sandbox::PullRequest,
    say::{Sign, Teller, brief},
    wait::until,
};

/// Tells the release and gives the merged pull request.
///
/// # Errors
///
/// It did not come out so.
pub(super) async fn tell(teller: &Teller, scene: &Scene) -> Result<PullRequest> {
    let commit = &scene.history.newest;
    teller.chapter("A commit reaches three registries and becomes one pull request")?;
    let text = format!("{} \"{}\" is on {} of {SOURCE}", commit.short(), commit.subject, commit.branch);
    teller.line(Sign::Step, "commit", &text)?;
    let mut watch = Watch::new(teller, scene, commit);
    let mut last_push = Instant::now();
    for (index, target) in TARGETS.into_iter().enumerate() {
        last_push = Instant::now();
        push(teller, scene, target).await?;
        let missing = TARGETS.get(index + 1..).unwrap_or_default();
        if !missing.is_empty() {
            wait_at_barrier(&mut watch, target, missing).await?;
        }
    }
    let (pull_request, moments) = until("the merge", async || watch.merged().await).await?;
    moments.expect_all()?;
    watch.expect_evidence()?;
    expect_pull_request(&pull_request, scene)?;
    show_changes(teller, scene, &pull_request).await?;
    say_how_long(teller, last_push, &moments)?;
    Ok(pull_request)
}

async fn push(teller: &Teller, scene: &Scene, target: Target) -> Result<()> {
    let commit = &scene.history.newest;
    let digest = scene.sandbox.push_image(target, &commit.tag(), &commit.sha).await?;
    let reference = format!("{}:{}", scene.image(target), commit.tag());
    teller.line(Sign::Step, &format!("push {}", target.name), &brief(&reference))?;
    teller.more(&brief(&digest))
}

/// Waits until Tagferry knows the target's build and says which are missing.
async fn wait_at_barrier(watch: &mut Watch<'_>, target: Target, missing: &[Target]) -> Result<()> {
    let names: Vec<&str> = missing.iter().map(|target| target.name).collect();
    let what = format!("the build for {}, with {} missing", target.name, names.join(" and "));
    until(&what, async || {
        let Some(waiting) = watch.look().await?.and_then(|release| {
            let is_built = release.builds.iter().any(|build| build.target == target.name);
            release.promotion().and_then(|promotion| promotion.waiting.clone()).filter(|_| is_built)
        }) else {
            return Ok(None);
        };
        let is_told = names.iter().all(|name| waiting.contains(name)) && !waiting.contains(target.name);
        Ok(is_told.then_some(()))
    })
    .await
}

fn expect_pull_request(pull_request: &PullRequest, scene: &Scene) -> Result<()> {
    let commit = &scene.history.newest;
    let branch = format!("mandelbrot/deploy-{}", commit.sha);
    ensure!(pull_request.head_branch == branch, "the branch was to be {branch}, and is {}", pull_request.head_branch);
    let title = &pull_request.title;
    ensure!(title.contains(commit.subject), "the title was to name the commit's subject, and is {title:?}");
    ensure!(pull_request.labels == ["release"], "the label release is missing: {:?}", pull_request.labels);
    Ok(())
}

/// Shows the merged commit as Git does, and makes sure that it changed one image in three overlays and nothing else.
async fn show_changes(teller: &Teller, scene: &Scene, pull_request: &PullRequest) -> Result<()> {
    let merge = pull_request.merge_commit.as_deref().context("a merged pull request has a commit")?;
    let clone = Clone::make(&scene.sandbox.git_url(GITOPS), &scene.directory.join("clone")).await?;
    teller.chapter(&format!("What is on main of {GITOPS} now"))?;
    teller.plain(&format!("  $ git show {}", merge.get(..7).unwrap_or(merge)))?;
    teller.quote(&clone.show(merge, teller.colours()).await?)?;
    teller.plain("")?;
    let deployed = format!("sha-{}", scene.history.deployed);
    expect_changes(&clone.changes(merge).await?, &deployed, &scene.history.newest.tag())?;
    let text = "three overlays name the new tag, every other byte is what it was";
    teller.line(Sign::Good, "overlays", text)
}

/// Each tag that was there is another now, with the rest of its line as it was, and one overlay gets its first.
fn expect_changes(changes: &Changes, deployed: &str, tag: &str) -> Result<()> {
    let mut files: Vec<String> = TARGETS.iter().map(Target::kustomization).collect();
    files.sort();
    ensure!(changes.files == files, "three kustomizations were to change, and these did: {:?}", changes.files);
    let mut expected: Vec<String> = changes.removed.iter().map(|line| line.replace(deployed, tag)).collect();
    expected.push(format!("    newTag: {tag}"));
    expected.sort();
    let mut added = changes.added.clone();
    added.sort();
    ensure!(added == expected, "the lines {expected:?} were to be new, and these are: {added:?}");
    let is_new = |line: &&String| line.contains("newTag:") && line.contains(tag);
    let new = added.iter().filter(is_new).count();
    ensure!(new == files.len(), "each overlay was to get {tag}, and these lines are new: {added:?}");
    Ok(())
}

/// From the last image's push, with what of it was only the check. The check's time is what the sandbox was told: seen
/// from outside, it ends in the same moment as the forge's merge, whose time is not the check's.
fn say_how_long(teller: &Teller, last_push: Instant, moments: &Moments) -> Result<()> {
    let since = |moment: Option<Instant>| moment.map(|moment| moment.saturating_duration_since(last_push).as_millis());
    let opened = since(moments.opened).context("the pull request was never seen")?;
    let merged = since(moments.merged).context("the merge was never seen")?;
    teller.line(Sign::Good, "how long", &format!("push to pull request {opened} ms"))?;
    teller.more(&format!("push to merge {merged} ms, of which the check `{CHECK}` took {CHECK_MILLISECONDS} ms"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REMOVED: [&str; 2] = ["    newTag: sha-1 # set by the release", "  newTag: 'sha-1'"];
    const ADDED: [&str; 3] = ["    newTag: sha-2 # set by the release", "    newTag: sha-2", "  newTag: 'sha-2'"];

    fn changed(removed: &[&str], added: &[&str]) -> bool {
        let mut files: Vec<String> = TARGETS.iter().map(Target::kustomization).collect();
        files.sort();
        let lines = |all: &[&str]| all.iter().map(|&line| line.to_owned()).collect();
        expect_changes(&Changes { files, removed: lines(removed), added: lines(added) }, "sha-1", "sha-2").is_ok()
    }

    #[test]
    fn three_new_tags_and_nothing_else_are_as_told() {
        assert!(changed(&REMOVED, &ADDED));
    }

    #[test]
    fn anything_else_is_not_as_told() {
        let [aws, azure, gcp] = ADDED;
        assert!(!changed(&REMOVED, &[aws, gcp]), "an overlay is missing");
        assert!(!changed(&REMOVED, &["    newTag: sha-2", azure, gcp]), "a comment is lost");
        assert!(!changed(&REMOVED, &[aws, azure, "  newTag: sha-2"]), "quotes are lost");
        assert!(!changed(&REMOVED, &[aws, azure, gcp, "namespace: other"]), "something is new");
        assert!(!changed(&["resources:", "  newTag: 'sha-1'"], &["resources:", azure, gcp]), "another line moved");
    }
}
