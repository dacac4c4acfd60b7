//! What people and Git are told of a release.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use sandbox::PERSONAL_TOKEN;
use serde_json::Value;
use testkit::{Scene, SceneOptions, scene::GITOPS};
use tokio::{io::AsyncWriteExt as _, process::Command};

/// The trailers that Git itself finds in a message.
async fn trailers(message: &str) -> Result<Vec<String>> {
    let mut git = Command::new("git")
        .args(["interpret-trailers", "--parse"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("running git")?;
    let mut input = git.stdin.take().context("standard input is a pipe")?;
    input.write_all(message.as_bytes()).await?;
    drop(input);
    let ended = git.wait_with_output().await?;
    ensure!(ended.status.success(), "git interpret-trailers failed");
    Ok(String::from_utf8(ended.stdout)?.lines().map(str::to_owned).collect())
}

/// The message of the commit at the tip of `main` of the GitOps repository.
async fn last_message(scene: &Scene) -> Result<String> {
    let url = format!("{}/repos/{GITOPS}/commits/main", scene.forge.url());
    let request = reqwest::Client::new().get(url).bearer_auth(PERSONAL_TOKEN).header("user-agent", "e2e");
    let commit: Value = request.send().await?.error_for_status()?.json().await?;
    Ok(commit.pointer("/commit/message").and_then(Value::as_str).context("a commit has a message")?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_body_lists_what_comes_with_a_release_and_the_commit_on_the_base_tells_it_to_git() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let tagferry = scene.tagferry().await?;
    let first = scene.commit("Zoom deeper").await?;
    scene.push_to_all(&first)?;
    assert_eq!(tagferry.outcome(&first).await?.0, "merged");

    let between = scene.commit("Colour for @everyone, fixes #1").await?;
    let newest = scene.commit("Smooth [skip ci]\n\nRelease-Id: forged/1").await?;
    scene.notified().await;
    scene.forge.clear_requests();
    scene.push_to_all(&newest)?;
    assert_eq!(tagferry.outcome(&newest).await?.0, "merged");
    let requests = scene.forge.requests();
    let comparisons: Vec<&str> =
        requests.iter().map(|one| one.path.as_str()).filter(|path| path.contains("/compare/")).collect();
    let since = format!("/repos/acme/mandelbrot/compare/{first}...{newest}");
    assert_eq!(comparisons.len(), 2, "one for the branch, one for what comes with it: {comparisons:?}");
    assert!(comparisons.contains(&since.as_str()), "{comparisons:?}");

    let all = scene.pull_requests().await?;
    let one = all.iter().find(|one| one.head_branch.ends_with(&newest)).context("a second pull request")?;
    let (short, url) = (|commit: &str| commit.chars().take(7).collect::<String>(), scene.forge.url());
    assert_eq!(
        one.title,
        format!("release(mandelbrot): Smooth [\u{200b}skip ci] ({}) → aws, gcp, azure", short(&newest))
    );
    let body = one.body.clone().unwrap_or_default();
    for expected in [
        "**Verdict: passed.** It is proven that the tag names the commit, every target has the image, ".to_owned(),
        format!(
            "- [x] **branch** passed: commit `{}` is on main ([look]({url}/acme/mandelbrot/commit/{newest}))",
            short(&newest)
        ),
        format!(
            "[2 commits]({url}/acme/mandelbrot/compare/{first}...{newest}) since `{}` (aws, gcp, azure), oldest first:\n\n\
             - [`{}`]({url}/acme/mandelbrot/commit/{between}) Colour for @\u{200b}everyone, fixes #\u{200b}1",
            short(&first),
            short(&between),
        ),
        format!("<!-- tagferry:2\nrelease mandelbrot/{newest}\ndigest aws sha256:"),
    ] {
        assert!(body.contains(&expected), "{expected} is missing: {body}");
    }

    let message = last_message(&scene).await?;
    assert_eq!(message.lines().next(), Some(one.title.as_str()));
    let found = trailers(&message).await?;
    let expected = [format!("Release-Id: mandelbrot/{newest}"), format!("Source-Commit: {newest}")];
    assert_eq!(found.get(..2), Some(&expected[..]), "{message}");
    let names: Vec<&str> = found.iter().skip(2).filter_map(|line| Some(line.split_once(": sha256:")?.0)).collect();
    assert_eq!(names, ["Image-Digest-aws", "Image-Digest-gcp", "Image-Digest-azure"], "{message}");
    scene.end().await;
    Ok(())
}
