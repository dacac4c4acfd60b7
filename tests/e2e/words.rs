//! What people and Git are told of a release.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use sandbox::{PERSONAL_TOKEN, PullRequestChange, PullRequestView, Push};
use serde_json::Value;
use testkit::{Scene, SceneOptions, overlays, scene::GITOPS, until};
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
    assert_eq!(comparisons, [since.as_str()], "what comes with it");

    let all = scene.pull_requests().await?;
    let one = all.iter().find(|one| one.head_branch.ends_with(&newest)).context("a second pull request")?;
    let (short, url) = (|commit: &str| commit.chars().take(7).collect::<String>(), scene.forge.url());
    assert_eq!(
        one.title,
        format!("release(mandelbrot): Smooth [\u{200b}skip ci] ({}) → aws, gcp, azure", short(&newest))
    );
    let body = one.body.clone().unwrap_or_default();
    for expected in [
        "**Verdict: passed.** It is proven that the tag names the commit, the commit exists, ".to_owned(),
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

/// Puts this commit's tag into the overlay of gcp on the base, which conflicts with what is proposed.
async fn overtake(scene: &Scene, commit: &str) -> Result<()> {
    let text = overlays::GCP.replace("'bootstrap'", &format!("'sha-{commit}'"));
    scene.forge.push(GITOPS, Push::new("main", [(overlays::path("gcp").as_str(), text.as_str())])).await?;
    Ok(())
}

/// A pull request whose words a person changed so, after its branch was made anew on a base that names another commit:
/// that commit, and the pull request.
async fn made_anew_after(
    change: impl FnOnce(&PullRequestView) -> PullRequestChange,
) -> Result<(String, PullRequestView)> {
    let scene = Scene::start(SceneOptions { check_after: None, ..SceneOptions::default() }).await?;
    let tagferry = scene.tagferry().await?;
    let earlier = scene.commit("Earlier").await?;
    let (_commit, one) = scene.propose("Zoom deeper").await?;
    let told = one.body.clone().unwrap_or_default();
    ensure!(told.contains("`validate`") && !told.contains(&earlier), "{told}");
    scene.forge.change_pull_request(GITOPS, one.number, change(&one)).await?;
    overtake(&scene, &earlier).await?;
    let anew = until("the branch to be made anew", async || {
        let now = scene.forge.pull_request(GITOPS, one.number).await?;
        Ok((now.head != one.head).then_some(now))
    })
    .await?;
    drop(tagferry);
    scene.end().await;
    Ok((earlier, anew))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_that_is_made_anew_tells_what_it_proposes_now() -> Result<()> {
    let (earlier, anew) = made_anew_after(|_| PullRequestChange::default()).await?;
    let body = anew.body.unwrap_or_default();
    ensure!(body.contains(&format!("sha-{earlier}")), "{body}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_title_that_a_person_wrote_stays_when_a_pull_request_is_made_anew() -> Result<()> {
    let title = "Not before the demo";
    let change =
        |_: &PullRequestView| PullRequestChange { title: Some(title.to_owned()), ..PullRequestChange::default() };
    let (earlier, anew) = made_anew_after(change).await?;
    assert_eq!(anew.title, title);
    let body = anew.body.unwrap_or_default();
    ensure!(body.contains(&format!("sha-{earlier}")), "{body}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_a_person_wrote_into_stays_when_a_pull_request_is_made_anew() -> Result<()> {
    let edited =
        |one: &PullRequestView| format!("Please look at the colours.\n\n{}", one.body.clone().unwrap_or_default());
    let mut expected = String::new();
    let change = |one: &PullRequestView| {
        expected = edited(one);
        PullRequestChange { body: Some(expected.clone()), ..PullRequestChange::default() }
    };
    let (_earlier, anew) = made_anew_after(change).await?;
    assert_eq!(anew.body.as_deref(), Some(expected.as_str()));
    Ok(())
}
