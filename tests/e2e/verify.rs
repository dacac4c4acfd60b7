//! `tagferry verify`: the evidence about an image, without a server.

use anyhow::{Context as _, Result};
use sandbox::registry::Image;
use serde_json::Value;
use testkit::{
    Scene, SceneOptions,
    binaries::program,
    scene::TARGETS,
    tagferry::{field, text},
};
use tokio::process::Command;

const REVISION: &str = "org.opencontainers.image.revision";

/// Runs it; its exit code, what it prints, and what it complains about.
async fn verify(scene: &Scene, arguments: &[&str]) -> Result<(i32, String, String)> {
    let mut command = Command::new(program("tagferry")?);
    command.arg("verify").args(arguments).args(["--application", "mandelbrot", "--config"]).arg(scene.config());
    let output = command.output().await?;
    let said = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Ok((output.status.code().context("it was killed")?, said(&output.stdout), said(&output.stderr)))
}

async fn asking(verify: &str) -> Result<Scene> {
    let application = format!("    verify: {{ {verify} }}\n");
    Scene::start(SceneOptions { application, ..SceneOptions::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_verified_by_tag_and_by_digest_and_the_exit_code_is_the_verdict() -> Result<()> {
    let scene = asking("revision: required").await?;
    let commit = scene.commit("Verified").await?;
    scene.push("aws", &commit)?;
    let image = scene.image("aws")?;
    let tagged = format!("{image}:sha-{commit}");
    let (code, table, _) = verify(&scene, &[&tagged]).await?;
    assert_eq!(code, 0, "{table}");
    let short = commit.get(..7).context("a commit has forty digits")?;
    for line in [
        format!("    tag         passed   tag sha-{commit} names commit {short}"),
        format!("    branch      passed   commit {short} is on main"),
        "    image       passed   every target has the image: aws".to_owned(),
        "    immutable   skipped  whether the tag had another digest before is known to the service alone".to_owned(),
        format!("    revision    passed   the images say that they were built from {short}"),
        "passed: every piece of evidence that is asked for is there".to_owned(),
    ] {
        assert!(table.lines().any(|one| one == line), "{line} is missing in {table}");
    }

    let (code, json, _) = verify(&scene, &[&tagged, "--output", "json"]).await?;
    let json: Value = serde_json::from_str(&json)?;
    assert_eq!((code, text(field(&json, "verdict"))), (0, "passed".to_owned()), "{json}");
    let digest = text(field(&json, "digest"));
    let pinned = format!("{image}@{digest}");
    let (code, table, _) = verify(&scene, &[&pinned]).await?;
    assert_eq!(code, 0, "the image names its commit itself: {table}");
    let (code, table, _) = verify(&scene, &[&image, "--commit", &commit]).await?;
    assert_eq!(code, 0, "{table}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_of_no_target_is_held_to_the_same_policy() -> Result<()> {
    let scene = asking("revision: required, platforms: [linux/amd64]").await?;
    let commit = scene.commit("In staging").await?;
    let image = Image::default().label(REVISION, &commit).platform("linux/amd64");
    scene.registry.push_image("staging/mandelbrot", &format!("sha-{commit}"), &image)?;
    let staging = format!("{}/staging/mandelbrot:sha-{commit}", scene.registry.host());
    let (code, table, _) = verify(&scene, &[&staging]).await?;
    assert_eq!(code, 0, "{table}");
    let (code, table, _) = verify(&scene, &[&staging, "--commit", &"0".repeat(40)]).await?;
    assert!(code == 1 && table.contains("does not name commit 0000000"), "{table}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_pass_ends_with_1() -> Result<()> {
    let scene = asking("revision: required, provenance: required").await?;
    let elsewhere = scene.commit_on("feature", "Elsewhere").await?;
    let (_, aws) = TARGETS[0];
    let digest = scene.registry.push_image(aws, &format!("sha-{elsewhere}"), &Image::default())?;
    scene.registry.push_image(aws, "v1", &Image::default().label("x", "1"))?;
    let image = scene.image("aws")?;
    let commit = scene.commit("Not pushed").await?;
    let other = format!("sha256:{}", "0a".repeat(32));
    for (name, expected) in [
        (format!("{image}:sha-{elsewhere}"), "failed: commit "),
        (format!("{image}:v1"), "failed: tag v1 does not name a commit, as sha-{commit} would: say which it is to be"),
        (format!("{image}@{digest}"), "failed: the image does not say which commit it was built from"),
        (format!("{image}@{other}"), "failed: the registry has no sha256:0a0a"),
        (format!("{image}:sha-{elsewhere}@{other}"), ", not sha256:0a0a"),
        (format!("{image}:sha-{commit}"), "pending: waiting for the image in aws"),
        (image.clone(), "failed: neither a tag nor a digest nor a commit is named"),
    ] {
        let (code, table, complaint) = verify(&scene, &[&name]).await?;
        assert_eq!(code, 1, "{name}: {table} {complaint}");
        assert!(table.lines().last().is_some_and(|last| last.contains(expected)), "{name}: {table}");
    }
    let digest =
        scene.registry.push_image(aws, &format!("sha-{commit}"), &Image::default().label(REVISION, &commit))?;
    let (code, table, complaint) = verify(&scene, &[&format!("{image}@{digest}"), "--wait", "1s"]).await?;
    assert!(code == 1 && table.contains("pending: no provenance for aws"), "{table} {complaint}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_answer_and_what_makes_no_sense_have_exit_codes_of_their_own() -> Result<()> {
    let scene = asking("revision: required").await?;
    let commit = "0".repeat(40);
    let (code, _, complaint) = verify(&scene, &["mandelbrot"]).await?;
    assert_eq!(code, 2, "{complaint}");
    let (code, _, complaint) = verify(&scene, &[&format!("127.0.0.1:1/mandelbrot:sha-{commit}")]).await?;
    assert_eq!(code, 3, "{complaint}");
    scene.end().await;
    Ok(())
}
