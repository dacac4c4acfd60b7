//! Where a commit is and what its checks say, before it is released.

use anyhow::{Context as _, Result};
use sandbox::{Push, Reporter, RunReport};
use testkit::{Scene, SceneOptions, scene::SOURCE};

async fn asking(verify: &str) -> Result<Scene> {
    let application = format!("    verify: {{ {verify} }}\n");
    Scene::start(SceneOptions { application, ..SceneOptions::default() }).await
}

/// A check run of the source commit: in progress without a conclusion.
async fn report(scene: &Scene, commit: &str, name: &str, conclusion: Option<&str>, app: Option<&str>) -> Result<()> {
    let app = app.map(|slug| Reporter { id: 77, slug: slug.to_owned() });
    let conclusion = conclusion.map(str::to_owned);
    let report = RunReport { name: name.to_owned(), conclusion, app, details_url: None };
    Ok(scene.forge.report_run(SOURCE, commit, report).await?)
}

/// Has the source repository allow another branch.
fn allow(scene: &Scene, branches: &str) -> Result<()> {
    let config = std::fs::read_to_string(scene.config())?;
    Ok(std::fs::write(scene.config(), config.replacen("branches: [main]", &format!("branches: [{branches}]"), 1))?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_waits_for_the_checks_of_its_commit_and_goes_on_when_the_forge_tells_that_they_passed() -> Result<()>
{
    // Nobody looks again by itself within an hour.
    let scene = asking("checks: [ci, 'build (*)']").await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Checked").await?;
    report(&scene, &commit, "ci", None, None).await?;
    scene.push_to_all(&commit)?;
    tagferry.waits_for(&commit, "check ci is not done, check build (*) was not heard of").await?;
    report(&scene, &commit, "build (amd64)", Some("success"), None).await?;
    tagferry.waits_for(&commit, "check ci is not done").await?;
    report(&scene, &commit, "ci", Some("success"), None).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_failed_or_is_not_of_the_right_app_keeps_a_release_back() -> Result<()> {
    for (checks, conclusion, app, expected) in [
        ("ci", "failure", None, "refused: check ci ended as failure"),
        ("ci", "timed_out", None, "refused: check ci ended as timed_out"),
        ("ci", "skipped", None, "refused: check ci was skipped, which does not count (verify.checks[].accept)"),
        ("{ name: ci, accept: [skipped] }", "skipped", None, "merged"),
        ("{ name: ci, app: builder }", "success", Some("builder"), "merged"),
        ("{ name: ci, app: 77 }", "success", Some("builder"), "merged"),
        ("{ name: ci, app: builder }", "success", Some("somebody"), "check ci of builder was not heard of"),
    ] {
        let scene = asking(&format!("checks: [{checks}]")).await?;
        let tagferry = scene.tagferry().await?;
        let commit = scene.commit("Judged").await?;
        report(&scene, &commit, "ci", Some(conclusion), app).await?;
        scene.push_to_all(&commit)?;
        if expected.contains("not heard of") {
            tagferry.waits_for(&commit, expected).await?;
        } else {
            let (outcome, reason) = tagferry.outcome(&commit).await?;
            assert_eq!(if outcome == "merged" { outcome } else { reason }, expected, "{checks} {conclusion}");
        }
        scene.end().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_that_do_not_end_in_time_refuse_a_release() -> Result<()> {
    let application = "    verify: { checks: [ci], deadline: 1s }\n".to_owned();
    let scene = Scene::start(SceneOptions { application, ..SceneOptions::default() }).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Never checked").await?;
    scene.push_to_all(&commit)?;
    let (_, reason) = tagferry.outcome(&commit).await?;
    assert_eq!(reason, "refused: check ci was not heard of, and that for too long (verify.deadline)");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_on_a_branch_that_a_pattern_names_is_released() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    allow(&scene, "main, 'release/*'")?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit_on("release/1.x", "Mended").await?;
    scene.push_to_all(&commit)?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    let other = scene.commit_on("topic", "Not yet").await?;
    scene.push_to_all(&other)?;
    let (_, reason) = tagferry.outcome(&other).await?;
    assert!(reason.ends_with("is not on an allowed branch of acme/mandelbrot (main, release/*)"), "{reason}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_a_forced_push_took_off_the_branch_is_refused_with_that_reason() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let tagferry = scene.tagferry().await?;
    let first = scene.commit("First").await?;
    let gone = scene.commit("Gone").await?;
    scene.forge.push(SOURCE, Push::new("main", [("src/main.rs", "other")]).onto(&first).message("Other")).await?;
    scene.push_to_all(&gone)?;
    let (_, reason) = tagferry.outcome(&gone).await?;
    let short = gone.get(..7).context("a commit has forty digits")?;
    let expected = format!("refused: commit {short} was on main of acme/mandelbrot until that was force-pushed on ");
    assert!(reason.starts_with(&expected), "{reason}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_takes_the_forges_place_in_proving_where_a_commit_is() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    scene.forge.add_personal_token("sesame", "octocat").await?;
    let password = scene.directory().join("git-password");
    std::fs::write(&password, "sesame")?;
    let (url, config) = (scene.forge.git_url(SOURCE), std::fs::read_to_string(scene.config())?);
    let git = format!("git: {{ url: '{url}', username: tagferry, password: {{ file: '{}' }} }}", password.display());
    std::fs::write(scene.config(), config.replacen("branches: [main]", &format!("branches: [main], {git}"), 1))?;
    let tagferry = scene.tagferry().await?;
    let first = scene.commit("First").await?;
    scene.push_to_all(&first)?;
    assert_eq!(tagferry.outcome(&first).await?.0, "merged");
    let second = scene.commit("Second").await?;
    scene.push_to_all(&second)?;
    assert_eq!(tagferry.outcome(&second).await?.0, "merged");
    let body =
        scene.pull_requests().await?.into_iter().find(|one| one.title.contains("Second")).and_then(|one| one.body);
    let body = body.context("there is no pull request")?;
    let short = second.get(..7).context("a commit has forty digits")?;
    assert!(body.contains(&format!("**branch** passed: commit `{short}` is on main")), "{body}");
    assert!(body.contains("1 commit") && body.contains("Second"), "{body}");
    let aside = scene.commit_on("topic", "Aside").await?;
    scene.push_to_all(&aside)?;
    let (_, reason) = tagferry.outcome(&aside).await?;
    assert!(reason.contains("is not on an allowed branch of acme/mandelbrot (main)"), "{reason}");
    let asked = scene.forge.requests();
    assert!(asked.iter().all(|one| !one.path.contains("/acme/mandelbrot/compare/")), "the forge was asked");
    scene.end().await;
    Ok(())
}
