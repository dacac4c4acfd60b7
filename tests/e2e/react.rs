//! What the forge tells us, and what we tell the forge.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use sandbox::Protection;
use testkit::{
    Scene, SceneOptions,
    scene::{CHECK, GITOPS},
    until,
};

/// How often a merge is timed; the fastest counts, for a busy machine adds its own time.
const MERGES: usize = 5;

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_is_in_the_ledger_within_a_second() -> Result<()> {
    let scene = Scene::start(SceneOptions { check_after: None, ..SceneOptions::default() }).await?;
    let tagferry = scene.tagferry().await?;
    let mut times = Vec::new();
    for number in 0..MERGES {
        let (commit, one) = scene.propose(&format!("Release {number}")).await?;
        scene.pass_check(one.number).await?;
        // The forge has merged by now, as the check passed.
        let start = Instant::now();
        assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let fastest = *times.first().context("nothing was timed")?;
    let milliseconds: Vec<u128> = times.iter().map(Duration::as_millis).collect();
    testkit::say(&format!("merge to ledger, in ms: {milliseconds:?}"))?;
    assert!(fastest < Duration::from_secs(1), "{milliseconds:?}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_that_requires_our_verdict_gets_it_and_takes_the_release() -> Result<()> {
    let scene = Scene::start(SceneOptions { check_after: None, ..SceneOptions::default() }).await?;
    let required_checks = vec![CHECK.to_owned(), "tagferry/verdict".to_owned()];
    let protection = Protection { required_checks, require_pull_request: true, ..Protection::default() };
    scene.forge.protect(GITOPS, "main", Some(protection)).await?;
    let without = scene.tagferry().await?;
    let (commit, one) = scene.propose("Proven").await?;
    scene.pass_check(one.number).await?;
    without.waits_for(&commit, "waits for check `tagferry/verdict`").await?;
    without.kill().await?;

    let config = std::fs::read_to_string(scene.config())?;
    let wanted = config.replace("labels: [release] }", "labels: [release], verdict_status: true }");
    assert_ne!(wanted, config);
    std::fs::write(scene.config(), wanted)?;
    let tagferry = scene.tagferry().await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    let reports = || scene.forge.requests().into_iter().filter(|one| one.path.contains("/statuses/")).count();
    assert_eq!(reports(), 1, "it is said once");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_that_may_not_be_reported_is_told_to_people() -> Result<()> {
    let scene = Scene::start(SceneOptions { check_after: None, ..SceneOptions::default() }).await?;
    let config = std::fs::read_to_string(scene.config())?;
    std::fs::write(scene.config(), config.replace("labels: [release] }", "labels: [release], verdict_status: true }"))?;
    let mut permissions = scene.forge.app().await?.permissions;
    permissions.insert("statuses".to_owned(), "read".to_owned());
    scene.forge.change_app(sandbox::AppChange { permissions: Some(permissions), ..Default::default() }).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Unsaid").await?;
    scene.push_to_all(&commit)?;
    let waiting = tagferry.waits_for(&commit, "Commit statuses: write").await?;
    assert!(waiting.contains("reporting the verdict on commit"), "{waiting}");
    until("a pull request", async || Ok((scene.pull_requests().await?.len() == 1).then_some(()))).await?;
    scene.end().await;
    Ok(())
}
