//! What would be done is what is done then, and looking does nothing.

use std::{path::Path, process::Stdio};

use anyhow::{Context as _, Result, ensure};
use sandbox::Push;
use serde_json::{Value, json};
use testkit::{
    Scene, SceneOptions,
    binaries::program,
    overlays, port,
    scene::{GITOPS, TARGETS},
};
use tokio::{io::AsyncWriteExt as _, process::Command};

/// How the program ended, and what it printed.
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ended {
    fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.out).with_context(|| format!("{}\n{}", self.out, self.err))
    }
}

/// Plans with the scene's configuration; `body` is on standard input.
async fn plan(config: &Path, arguments: &[&str], body: &str) -> Result<Ended> {
    let mut child = Command::new(program("tagferry")?)
        .args(["plan", "--config"])
        .arg(config)
        .args(arguments)
        .env_remove("TAGFERRY_CONFIG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().context("standard input is a pipe")?;
    // Who refuses the arguments reads nothing.
    drop(input.write_all(body.as_bytes()).await);
    drop(input);
    let ended = child.wait_with_output().await?;
    Ok(Ended {
        code: ended.status.code(),
        out: String::from_utf8(ended.stdout)?,
        err: String::from_utf8(ended.stderr)?,
    })
}

/// A push of `tag` to each of the repositories, as the scene's registry announces it.
fn pushed(repositories: &[&str], tag: &str) -> String {
    let event = |repository: &&str| {
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let target = json!({ "mediaType": media_type, "repository": repository, "tag": tag });
        json!({ "id": repository, "action": "push", "target": target })
    };
    json!({ "events": repositories.iter().map(event).collect::<Vec<_>>() }).to_string()
}

/// Fails when the forge was asked to change anything, or a file of the service was made.
async fn assert_untouched(scene: &Scene) -> Result<()> {
    assert_eq!(scene.forge.mutations(), Vec::<String>::new());
    ensure!(!scene.forge.requests().is_empty(), "the forge was not even asked");
    assert!(scene.forge.requests().iter().all(|one| !one.path.ends_with("git-receive-pack")));
    let branches = scene.forge.repository(GITOPS).await?.branches;
    assert_eq!(branches.len(), 1, "{branches:?}");
    assert!(scene.pull_requests().await?.is_empty());
    for file in ["tagferry.db", "git"] {
        ensure!(!scene.directory().join(file).exists(), "{file} was made");
    }
    Ok(())
}

/// Applies what was printed as the diff to the overlays as they were, and gives a target's overlay then.
async fn apply(diff: &str, directory: &Path) -> Result<()> {
    for (path, text) in overlays::files() {
        let file = directory.join(path);
        std::fs::create_dir_all(file.parent().context("in a directory")?)?;
        std::fs::write(file, text)?;
    }
    let patch = directory.join("plan.diff");
    std::fs::write(&patch, diff)?;
    let git = Command::new("git").arg("apply").arg(&patch).current_dir(directory).output().await?;
    ensure!(git.status.success(), "{}\n{diff}", String::from_utf8_lossy(&git.stderr));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_planned_is_what_the_service_proposes_then() -> Result<()> {
    let pinned = "    release: { pin_digest: true }\n".to_owned();
    for application in [String::new(), pinned] {
        let scene = Scene::start(SceneOptions { application, check_after: None, ..SceneOptions::default() }).await?;
        let commit = scene.commit("Fix @someone's `zoom` #1").await?;
        scene.push_to_all(&commit)?;
        let body = pushed(&TARGETS.map(|(_, repository)| repository), &format!("sha-{commit}"));
        scene.forge.clear_requests();
        let planned =
            plan(&scene.config(), &["--delivery", "-", "--sender", "registry", "--output", "json"], &body).await?;
        assert_eq!(planned.code, Some(0), "{}", planned.err);
        assert_untouched(&scene).await?;
        let text = plan(&scene.config(), &["--delivery", "-"], &body).await?;
        let image = format!("{}:sha-{commit}", scene.image("gcp")?);
        let by_tag = plan(&scene.config(), &["--image", &image, "--output", "json"], "").await?;
        assert_untouched(&scene).await?;

        let planned = planned.json()?;
        assert_eq!(planned["announcements"].as_array().map(Vec::len), Some(3));
        let [release] = planned["releases"].as_array().context("a list")?.as_slice() else {
            anyhow::bail!("one release was expected: {planned}");
        };
        assert_eq!(by_tag.json()?["releases"], planned["releases"]);
        assert_eq!((&release["verdict"], &release["next"]["step"]), (&json!("passed"), &json!("propose")));
        let proposal = &release["proposal"];

        let tagferry = scene.tagferry().await?;
        let open = scene.open_pull_request().await?;
        assert_eq!(proposal["title"], open.title);
        assert_eq!(proposal["body"], json!(open.body));
        assert_eq!((&proposal["branch"], &proposal["base"]), (&json!(open.head_branch), &json!(open.base_branch)));
        let files = proposal["files"].as_array().context("a list")?;
        let diffs: Vec<&str> = files.iter().filter_map(|file| file["diff"].as_str()).collect();
        let directory = tempfile::tempdir()?;
        apply(&diffs.concat(), directory.path()).await?;
        for (path, _) in overlays::files() {
            let proposed = scene.forge.read_file(GITOPS, &open.head.to_string(), path).await?;
            assert_eq!(Some(std::fs::read_to_string(directory.path().join(path))?), proposed, "{path}");
        }
        for part in
            diffs.iter().copied().chain([open.body.as_deref().unwrap_or_default(), "next: open the pull request"])
        {
            assert!(text.out.contains(part), "{part} is missing: {}", text.out);
        }
        assert!(tagferry.terminate().await?);
        scene.end().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_without_the_image_and_an_open_pull_request_are_named() -> Result<()> {
    let scene = Scene::start(SceneOptions { check_after: None, ..SceneOptions::default() }).await?;
    let commit = scene.commit("Half there").await?;
    for target in ["aws", "azure"] {
        scene.push(target, &commit)?;
    }
    let image = format!("{}:sha-{commit}", scene.image("azure")?);
    let waiting = plan(&scene.config(), &["--image", &image], "").await?;
    assert_eq!(waiting.code, Some(0), "{}", waiting.err);
    assert!(waiting.out.contains("    pending   image: waiting for the image in gcp\n"), "{}", waiting.out);
    assert!(waiting.out.contains("    next: wait: waiting for the image in gcp\n"), "{}", waiting.out);
    assert_eq!(waiting.out.matches("+++ b/apps/mandelbrot/overlays/").count(), 3, "{}", waiting.out);
    assert_untouched(&scene).await?;

    let tagferry = scene.tagferry().await?;
    scene.push("gcp", &commit)?;
    let open = scene.open_pull_request().await?;
    let known = plan(&scene.config(), &["--image", &image], "").await?;
    let said = format!("    pull request #{} of its branch is open: {}\n", open.number, open.url);
    assert!(known.out.contains(&said), "{}", known.out);

    scene.armed(open.number).await?;
    scene.pass_check(open.number).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    let current = plan(&scene.config(), &["--image", &image], "").await?;
    assert!(current.code == Some(0) && current.out.contains("next: end: the overlays name this release already"));
    assert!(!current.out.contains("+++"), "{}", current.out);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_ends_with_1_and_what_is_ignored_with_0() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let commit = scene.commit_on("smooth", "Not on main").await?;
    scene.push_to_all(&commit)?;
    let config = scene.config();
    let image = scene.image("aws")?;
    let refused = plan(&config, &["--image", &format!("{image}:sha-{commit}")], "").await?;
    assert_eq!(refused.code, Some(1), "{}", refused.err);
    let why = "is not on an allowed branch of acme/mandelbrot (main)";
    assert!(refused.out.contains("    failed    branch: ") && refused.out.contains(why), "{}", refused.out);
    assert!(refused.out.contains("    next: end: refused: ") && !refused.out.contains("+++"), "{}", refused.out);
    assert_untouched(&scene).await?;

    for (tag, reason) in [
        ("latest".to_owned(), "ignored: tag does not name a commit: latest is not of the form sha-{commit}".to_owned()),
        (format!("pr-7-{commit}"), "ignored: pull-request tag".to_owned()),
        (format!("sha-{}", "0".repeat(40)), format!("ignored: the registry has no {image}:sha-000")),
    ] {
        let ignored = plan(&config, &["--delivery", "-"], &pushed(&["trinity-dev-aws-mandelbrot"], &tag)).await?;
        assert_eq!(ignored.code, Some(0), "{}", ignored.err);
        assert!(ignored.out.contains(&reason), "{}", ignored.out);
    }
    let nobodys = plan(&config, &["--delivery", "-"], &pushed(&["elsewhere"], "x")).await?;
    assert!(nobodys.code == Some(0) && nobodys.out.contains("ignored: no application uses"), "{}", nobodys.out);

    // One bad element does not hide the good one beside it, and is told by the exit code.
    let mixed = pushed(&["Illegal", "elsewhere"], "x");
    let mixed = plan(&config, &["--delivery", "-", "--output", "json"], &mixed).await?;
    let verdicts: Vec<Value> =
        mixed.json()?["announcements"].as_array().into_iter().flatten().map(|one| one["verdict"].clone()).collect();
    assert_eq!((mixed.code, verdicts), (Some(1), vec![json!("unusable"), json!("ignored")]));
    let unusable = plan(&config, &["--delivery", "-", "--sender", "registry"], "[]").await?;
    assert!(unusable.code == Some(1) && unusable.out.contains("unusable: the body is not a JSON object"));

    let mut push = Push { branch: "main".to_owned(), ..Push::default() };
    push.files.insert(overlays::path("gcp"), None);
    scene.forge.push(GITOPS, push).await?;
    let commit = scene.commit("On main").await?;
    scene.push_to_all(&commit)?;
    let unreadable = plan(&config, &["--image", &format!("{image}:sha-{commit}")], "").await?;
    let why = "next: wait until an overlay can be edited: there is no directory apps/mandelbrot/overlays/gcp";
    assert!(unreadable.code == Some(1) && unreadable.out.contains(why), "{}", unreadable.out);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_needed_and_does_not_answer_is_told_apart_from_usage() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let commit = scene.commit("Unreachable").await?;
    scene.push_to_all(&commit)?;
    let image = format!("{}:sha-{commit}", scene.image("aws")?);
    let config = scene.config();
    for (arguments, body, part) in [
        (vec![], "", "--delivery"),
        (vec!["--delivery", "-", "--image", &image], "", "cannot be used with"),
        (vec!["--image", "no-tag"], "", "it is written HOST/REPO:TAG"),
        (vec!["--image", &image, "--sender", "registry"], "", "--sender"),
        (vec!["--delivery", "-", "--sender", "nobody"], "{}", "has no sender nobody; it has github, registry"),
        (vec!["--delivery", "-"], "{}", "no sender can read the body as it is: name one with --sender"),
        (vec!["--delivery", "-", "--sender", "github"], "{}", "give --header 'X-GitHub-Event: …'"),
        (vec!["--delivery", "-", "--header", "x"], "{}", "it is written `Name: value`"),
    ] {
        let ended = plan(&config, &arguments, body).await?;
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{arguments:?}: {}", ended.err);
        assert!(ended.err.contains(part), "{arguments:?}: {}", ended.err);
    }
    let moved = json!({ "repository": { "full_name": GITOPS } }).to_string();
    let event = ["--delivery", "-", "--header", "X-GitHub-Event: push"];
    let moved = plan(&config, &event, &moved).await?;
    assert!(moved.code == Some(0) && moved.out.contains("promotions into or from acme/trinity would be looked at"));
    let large = plan(&config, &["--delivery", "-", "--sender", "registry"], &" ".repeat(1024 * 1024 + 1)).await?;
    assert!(large.code == Some(1) && large.err.contains("a delivery has at most 1048576 bytes"), "{}", large.err);

    let good = std::fs::read_to_string(&config)?;
    let nowhere = format!("127.0.0.1:{}", port::reserve()?);
    std::fs::write(&config, good.replace(&scene.forge.url(), &format!("http://{nowhere}")))?;
    let ended = plan(&config, &["--image", &image], "").await?;
    assert_eq!((ended.code, ended.out.as_str()), (Some(3), ""), "{}", ended.err);
    assert!(ended.err.contains("does not answer: "), "{}", ended.err);

    let host = scene.image("azure")?.replace("/mandelbrot", "");
    std::fs::write(&config, good.replace(&host, &nowhere))?;
    let ended = plan(&config, &["--image", &image.replace(&host, &nowhere)], "").await?;
    assert_eq!((ended.code, ended.out.as_str()), (Some(3), ""), "{}", ended.err);
    assert!(ended.err.contains("the registry could not be reached"), "{}", ended.err);

    // Neither a sender's secrets nor the database are needed.
    for file in ["registry-secret", "forge-secret"] {
        std::fs::remove_file(scene.directory().join(file))?;
    }
    std::fs::write(&config, good.replace("sqlite://", "sqlite:///no/such/directory"))?;
    let body = scene.directory().join("body.json");
    std::fs::write(&body, pushed(&["trinity-dev-aws-mandelbrot"], &format!("sha-{commit}")))?;
    let ended = plan(&config, &["--delivery", &body.display().to_string(), "--sender", "registry"], "").await?;
    assert!(ended.code == Some(0) && ended.out.contains("next: open the pull request"), "{}", ended.err);
    let help = plan(&config, &["--help"], "").await?;
    assert!(help.code == Some(0) && help.out.contains("tagferry plan --config tagferry.yaml --image"), "{}", help.out);
    scene.end().await;
    Ok(())
}
