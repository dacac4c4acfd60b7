//! The ways in which a release is written: by Git, signed or not, and by the forge's own interface.

use anyhow::{Context as _, Result, ensure};
use sandbox::Push;
use serde_json::Value;
use testkit::{
    Scene, SceneOptions, overlays,
    scene::{GITOPS, Way},
    until,
};
use tokio::process::Command;

/// Runs a program that must succeed; gives what it printed.
async fn run(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output().await.with_context(|| format!("running {program}"))?;
    ensure!(output.status.success(), "{program} {arguments:?}: {output:?}");
    Ok(String::from_utf8(output.stdout)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_by_the_api_is_verified_and_needs_no_clone() -> Result<()> {
    let scene = Scene::start(Way::Api.options()).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("By the API").await?;
    scene.push_to_all(&commit)?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    for target in ["aws", "gcp", "azure"] {
        assert!(scene.overlay(target).await?.contains(&commit), "{target}");
    }
    let all = scene.pull_requests().await?;
    let [one] = all.as_slice() else { anyhow::bail!("one pull request was expected: {all:?}") };
    let url = format!("{}/repos/{GITOPS}/commits/{}", scene.forge.url(), one.head);
    let shown: Value =
        reqwest::Client::new().get(url).bearer_auth(sandbox::PERSONAL_TOKEN).send().await?.json().await?;
    assert_eq!(shown.pointer("/commit/verification/verified"), Some(&Value::Bool(true)), "{shown:#}");
    assert!(!scene.forge.requests().iter().any(|one| one.path.contains(".git/")), "Git was spoken");
    assert!(!scene.directory().join("git").exists(), "a clone was made");
    assert_eq!(scene.forge.repository(GITOPS).await?.branches.len(), 1, "branches are left behind");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_that_conflicts_is_made_anew_by_the_api_and_stays_open() -> Result<()> {
    let scene = Scene::start(SceneOptions { check_after: None, ..Way::Api.options() }).await?;
    let tagferry = scene.tagferry().await?;
    let (commit, one) = scene.propose("In conflict").await?;
    let moved = overlays::GCP.replace("'bootstrap'", "'hotfix' # by hand");
    scene.forge.push(GITOPS, Push::new("main", [(overlays::path("gcp").as_str(), moved.as_str())])).await?;
    let anew = until("another head", async || {
        let now = scene.forge.pull_request(GITOPS, one.number).await?;
        Ok((now.head != one.head).then_some(now))
    })
    .await?;
    assert_eq!(anew.state, "open");
    scene.armed(one.number).await?;
    scene.pass_check(one.number).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    let gcp = scene.overlay("gcp").await?;
    assert!(gcp.contains(&format!("'sha-{commit}' # by hand")), "{gcp}");
    assert_eq!(scene.pull_requests().await?.len(), 1);
    assert_eq!(scene.forge.repository(GITOPS).await?.branches.len(), 1, "branches are left behind");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_in_the_way_is_named_and_its_removal_lets_the_release_go_on() -> Result<()> {
    for options in [SceneOptions::default(), Way::Api.options()] {
        let scene = Scene::start(options).await?;
        scene.forge.push(GITOPS, Push::new("mandelbrot", [("README.md", "x")])).await?;
        let tagferry = scene.tagferry().await?;
        let commit = scene.commit("In the way").await?;
        scene.push_to_all(&commit)?;
        tagferry.waits_for(&commit, "delete or rename mandelbrot").await?;
        assert!(scene.pull_requests().await?.is_empty());
        scene.forge.delete_branch(GITOPS, "mandelbrot").await?;
        // Nothing tells that a branch is gone: it would be seen after the next pause, or a new start.
        tagferry.kill().await?;
        let tagferry = scene.tagferry().await?;
        assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
        scene.end().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_release_is_verified_by_git() -> Result<()> {
    let keys = tempfile::tempdir()?;
    let (key, allowed) = (keys.path().join("key"), keys.path().join("allowed"));
    let path = key.to_string_lossy().into_owned();
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &path]).await?;
    let public = std::fs::read_to_string(keys.path().join("key.pub"))?;
    std::fs::write(&allowed, format!("bot@example.com {public}"))?;
    let github = format!(
        "  author: {{ name: Release Bot, email: bot@example.com }}\n  signing: {{ format: ssh, key: {{ file: '{path}' }} }}\n"
    );
    let scene = Scene::start(SceneOptions { github, ..SceneOptions::default() }).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Signed").await?;
    scene.push_to_all(&commit)?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    let head = scene.forge.pull_request(GITOPS, 1).await?.head.to_string();
    let directory = scene.forge.repository(GITOPS).await?.directory.to_string_lossy().into_owned();
    let setting = format!("gpg.ssh.allowedSignersFile={}", allowed.display());
    let shown =
        run("git", &["-c", &setting, "--git-dir", &directory, "log", "-1", "--format=%G? %GS %an", &head]).await?;
    assert_eq!(shown.trim(), "G bot@example.com Release Bot");
    scene.end().await;
    Ok(())
}
