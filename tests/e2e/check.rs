//! `tagferry check --online`: what would keep the first release from landing.

use anyhow::Result;
use sandbox::{AppChange, Protection, Push, Settings, Target};
use testkit::{
    Scene, SceneOptions,
    binaries::program,
    overlays,
    scene::{CHECK, GITOPS, SOURCE},
};
use tokio::process::Command;

/// The exit code, and the lines that say good, warning or problem.
async fn check(scene: &Scene) -> Result<(Option<i32>, Vec<String>)> {
    let mut command = Command::new(program("tagferry")?);
    let output = command.args(["check", "--online", "--config"]).arg(scene.config()).output().await?;
    let said = String::from_utf8(output.stdout)? + &String::from_utf8(output.stderr)?;
    let is_finding = |line: &&str| ["good ", "warning ", "problem "].iter().any(|mark| line.starts_with(mark));
    let findings: Vec<String> = said.lines().filter(is_finding).map(str::to_owned).collect();
    assert!(!findings.is_empty(), "{said}");
    Ok((output.status.code(), findings))
}

fn holds(findings: &[String], mark: &str, words: &str) {
    let is_it = |line: &&String| line.starts_with(mark) && line.contains(words);
    assert_eq!(findings.iter().filter(is_it).count(), 1, "{mark} {words}: {findings:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scene_in_order_is_good_line_by_line_and_nothing_is_changed() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let (code, findings) = check(&scene).await?;
    assert!(findings.iter().all(|line| line.starts_with("good ")), "{findings:#?}");
    assert_eq!(code, Some(0));
    holds(&findings, "good", &format!("{SOURCE} main: releases come from here"));
    holds(&findings, "good", &format!("{GITOPS} main: pull requests may merge themselves"));
    holds(&findings, "good", &format!("{GITOPS} main: a pull request needs the check {CHECK}"));
    for target in ["aws", "gcp", "azure"] {
        holds(&findings, "good", &format!("{} has one entry for mandelbrot", overlays::path(target)));
    }
    assert_eq!(findings.iter().filter(|line| line.ends_with("the registry answers")).count(), 3, "{findings:#?}");
    let mutations =
        scene.forge.requests().into_iter().filter(|one| one.mutating && !one.path.contains("access_tokens"));
    assert_eq!(mutations.count(), 0);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_a_release_from_landing_is_a_problem_that_says_what_to_do() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let settings = Settings { allow_auto_merge: false, allow_squash_merge: false, ..Settings::default() };
    scene.forge.set_settings(GITOPS, settings).await?;
    scene.forge.protect(GITOPS, "main", Some(Protection { strict: true, ..Protection::default() })).await?;
    let twice = format!("{0}{1}", overlays::GCP, "  - name: mandelbrot\n    newTag: again\n");
    scene.forge.push(GITOPS, Push::new("main", [(overlays::path("gcp").as_str(), twice.as_str())])).await?;
    let config = std::fs::read_to_string(scene.config())?;
    std::fs::write(scene.config(), config.replace("branches: [main]", "branches: [main, gone, 'release/*']"))?;
    let (code, findings) = check(&scene).await?;
    assert_eq!(code, Some(1), "{findings:#?}");
    holds(&findings, "problem", "switch on Allow auto-merge in the repository's settings");
    holds(
        &findings,
        "problem",
        "merging by squash is not allowed: set applications.mandelbrot.pull_request.auto_merge to",
    );
    holds(&findings, "problem", &format!("{SOURCE} gone: "));
    holds(&findings, "warning", &format!("{SOURCE} release/*: no branch is like this yet"));
    holds(&findings, "problem", &overlays::path("gcp"));
    holds(&findings, "warning", "and no check: require one, or a person merges what has had none");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_app_lacks_and_is_not_told_is_said_with_what_it_is_for() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let (_, findings) = check(&scene).await?;
    holds(&findings, "good", &format!("the App's webhook: it goes to {}", scene.hook("github")));
    for repository in [SOURCE, GITOPS] {
        holds(&findings, "good", &format!("{repository}, the App's installation: it has all permissions"));
    }

    let mut permissions = scene.forge.app().await?.permissions;
    permissions.remove("checks");
    permissions.insert("pull_requests".to_owned(), "read".to_owned());
    let events = ["push", "check_run", "status"].map(str::to_owned).into();
    let change = AppChange { permissions: Some(permissions), events: Some(events), ..AppChange::default() };
    scene.forge.change_app(change).await?;
    let elsewhere = Target { url: "https://old.example.com/hook".to_owned(), ..Target::default() };
    scene.forge.set_webhook(Some(elsewhere)).await?;
    let (code, findings) = check(&scene).await?;
    assert_eq!(code, Some(1), "{findings:#?}");
    let installation = |repository: &str, rest: &str| format!("{repository}, the App's installation: it {rest}");
    let lacks = "lacks Checks: read, for seeing what a pull request waits for: grant it in the App's settings";
    holds(&findings, "warning", &installation(SOURCE, lacks));
    holds(&findings, "warning", &installation(GITOPS, lacks));
    let lacks = "lacks Pull requests: write, for opening and merging pull requests";
    holds(&findings, "problem", &installation(GITOPS, lacks));
    holds(&findings, "warning", &installation(GITOPS, "is not told about pull_request, which is found by polling"));
    holds(&findings, "warning", "it goes to https://old.example.com/hook: set it to");

    scene.forge.set_webhook(None).await?;
    let (_, findings) = check(&scene).await?;
    holds(&findings, "warning", "there is none, so that merges are found by polling: set its URL to");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_and_a_forge_that_do_not_answer_are_problems() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let config = std::fs::read_to_string(scene.config())?;
    let away = config.replace(&scene.forge.url(), "http://127.0.0.1:1");
    assert_ne!(away, config);
    std::fs::write(scene.config(), away.replace(scene.registry.host(), "127.0.0.1:1"))?;
    let (code, findings) = check(&scene).await?;
    assert_eq!(code, Some(1));
    assert!(findings.iter().all(|line| line.starts_with("problem ")), "{findings:#?}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_evidence_needs_is_read_before_a_release_needs_it() -> Result<()> {
    for (verify, expected) in [
        ("provenance: { keys: [/nowhere.pub] }", "reading the key in /nowhere.pub"),
        ("gate: { url: 'http://scanner.example/' }", "a gate is asked over https, or on this machine"),
        ("gate: { url: 'https://scanner.example/', token: { file: /nowhere } }", "verify.gate.token"),
    ] {
        let application = format!("    verify: {{ {verify} }}\n");
        let scene = Scene::start(SceneOptions { application, ..SceneOptions::default() }).await?;
        let output =
            Command::new(program("tagferry")?).arg("check").arg("--config").arg(scene.config()).output().await?;
        let said = String::from_utf8(output.stderr)?;
        assert!(output.status.code() == Some(1) && said.contains(expected), "{verify}: {said}");
        scene.end().await;
    }
    Ok(())
}
