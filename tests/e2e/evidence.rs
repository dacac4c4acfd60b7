//! What is asked for beside the tag, the commit and its branch, from the configuration to what people are told.

use anyhow::{Context as _, Result};
use chrono::{TimeDelta, Utc};
use sandbox::{Form, registry::Image};
use serde_json::{Value, json};
use testkit::{
    Scene, SceneOptions, Tagferry,
    scene::{REGISTRY_SECRET, SOURCE, TARGETS},
    sigstore::{Build, Instance, SigningKey},
    tagferry::{field, text},
};

use crate::builds;

const REVISION: &str = "org.opencontainers.image.revision";

/// A scene whose application asks for this.
async fn asking(verify: &str) -> Result<Scene> {
    let application = format!("    verify: {{ {verify} }}\n");
    Scene::start(SceneOptions { application, poll_interval: "200ms", ..SceneOptions::default() }).await
}

/// Pushes the same image to every target; gives its digest.
fn push(scene: &Scene, commit: &str, image: &Image) -> Result<String> {
    let tag = format!("sha-{commit}");
    let mut digest = None;
    for (_, repository) in TARGETS {
        digest = Some(scene.registry.push_image(repository, &tag, image)?);
    }
    Ok(digest.context("there is a target")?.to_string())
}

/// What is recorded of one kind of evidence, as `outcome: sentence`.
async fn evidence(tagferry: &Tagferry, commit: &str, kind: &str) -> Result<String> {
    let release = tagferry.release(commit).await?.context("there is no release")?;
    let promotion = field(&release, "promotions").get(0).context("there is no promotion")?.clone();
    let all = field(&promotion, "evidence").as_array().context("there is no evidence")?.clone();
    let one = all.iter().find(|one| text(field(one, "kind")) == kind).context("it is not there")?;
    Ok(format!("{}: {}", text(field(one, "outcome")), text(field(one, "seen"))))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_an_image_does_not_have_is_refused() -> Result<()> {
    let scene = asking("platforms: [linux/amd64, linux/arm64]").await?;
    let tagferry = scene.tagferry().await?;
    let both = scene.commit("For both").await?;
    push(&scene, &both, &Image::default().platform("linux/amd64").platform("linux/arm64"))?;
    assert_eq!(tagferry.outcome(&both).await?.0, "merged");
    let seen = evidence(&tagferry, &both, "image").await?;
    assert_eq!(seen, "passed: every target has the image: aws, gcp, azure, for linux/amd64, linux/arm64");
    let one = scene.commit("For one").await?;
    push(&scene, &one, &Image::default().platform("linux/amd64").label("x", &one))?;
    let (outcome, reason) = tagferry.outcome(&one).await?;
    assert_eq!(outcome, "refused");
    assert_eq!(
        reason,
        "refused: aws has no image for linux/arm64, gcp has no image for linux/arm64, azure has no image for \
         linux/arm64 (verify.platforms)"
    );
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn images_that_are_not_the_same_are_refused_unless_the_policy_says_so() -> Result<()> {
    for (verify, expected) in [("same_digest: required", "refused"), ("same_digest: off", "merged")] {
        let scene = asking(verify).await?;
        let tagferry = scene.tagferry().await?;
        let commit = scene.commit("Built thrice").await?;
        for (target, repository) in TARGETS {
            let image = Image::default().label("cloud", target);
            scene.registry.push_image(repository, &format!("sha-{commit}"), &image)?;
        }
        let (outcome, reason) = tagferry.outcome(&commit).await?;
        assert_eq!(outcome, expected, "{reason}");
        assert_eq!(reason.contains("verify.same_digest is off where"), expected == "refused", "{reason}");
        scene.end().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_says_another_commit_is_refused() -> Result<()> {
    for (wish, label, expected) in [
        ("if-present", Some("v1.2.3"), "refused"),
        ("if-present", None, "merged"),
        ("required", None, "refused"),
        ("off", Some("v1.2.3"), "merged"),
    ] {
        let scene = asking(&format!("revision: {wish}")).await?;
        let tagferry = scene.tagferry().await?;
        let commit = scene.commit("Labelled").await?;
        let image = label.map_or_else(Image::default, |label| Image::default().label(REVISION, label));
        push(&scene, &commit, &image)?;
        let (outcome, reason) = tagferry.outcome(&commit).await?;
        assert_eq!(outcome, expected, "{wish} {label:?} {reason}");
        scene.end().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_builder_has_not_posted_is_waited_for() -> Result<()> {
    let (scene, tagferry) = builds::opened_with("    verify: { builder: required }\n").await?;
    scene.registry.set_notifications(&scene.hook("registry"), Some(REGISTRY_SECRET));
    let commit = scene.commit("Told late").await?;
    push(&scene, &commit, &Image::default())?;
    let waits = tagferry.waits_for(&commit, "GitHub Actions has not posted").await?;
    assert!(waits.ends_with("has not posted that it built the image in aws, gcp, azure"), "{waits}");
    let all: Vec<Value> =
        TARGETS.iter().map(|(target, _)| builds::build(&scene, target, &commit)).collect::<Result<_>>()?;
    let token = builds::token(&scene, &commit, "").await?;
    builds::post(&tagferry, Some(&token), &json!(all)).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    let seen = evidence(&tagferry, &commit, "builder").await?;
    assert!(
        seen.starts_with("passed: GitHub Actions built the image of aws, gcp, azure, by acme/mandelbrot/"),
        "{seen}"
    );
    scene.end().await;
    Ok(())
}

/// A scene that asks for provenance by an instance of its own.
async fn attested(instance: &Instance, more: &str) -> Result<Scene> {
    let scene = asking(&format!("provenance: {{ policy: required{more} }}, deadline: 1h")).await?;
    trust(&scene, &instance.root())?;
    let config = std::fs::read_to_string(scene.config())?;
    let path = scene.directory().join("roots.jsonl");
    let top = format!("attestations: {{ trusted_root: '{}' }}\n{config}", path.display());
    std::fs::write(scene.config(), top)?;
    Ok(scene)
}

/// Has the file of trust roots hold this one.
fn trust(scene: &Scene, root: &Value) -> Result<()> {
    Ok(std::fs::write(scene.directory().join("roots.jsonl"), root.to_string())?)
}

/// A build of this scene's forge.
fn build(scene: &Scene, digest: &str, commit: &str) -> Build {
    Build { forge: scene.forge.url(), repository: SOURCE.to_owned(), ..Build::new(digest, commit) }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attestation_that_names_another_commit_is_none_and_the_right_one_lets_the_release_go_on() -> Result<()> {
    let instance = Instance::with_log("sigstore.example")?;
    let scene = attested(&instance, "").await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Attested").await?;
    let digest = push(&scene, &commit, &Image::default())?;
    let waits = tagferry.waits_for(&commit, "no provenance").await?;
    assert!(waits.ends_with(": no attestation"), "{waits}");
    let other = Build { commit: "2e".repeat(20), ..build(&scene, &digest, &commit) };
    scene.forge.add_attestation(SOURCE, instance.attest(&other)?, Form::Inline).await?;
    tagferry.waits_for(&commit, "the attestation names 2e2e2e2, not").await?;
    let good = build(&scene, &digest, &commit);
    scene.forge.add_attestation(SOURCE, instance.attest(&good)?, Form::Url).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    let seen = evidence(&tagferry, &commit, "provenance").await?;
    assert!(seen.starts_with("passed: the image was built from "), "{seen}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attestation_that_is_attached_to_the_image_counts_as_well() -> Result<()> {
    let instance = Instance::with_time_stamps("sigstore.example")?;
    let scene = attested(&instance, ", workflows: ['acme/mandelbrot/.github/workflows/build.yml']").await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Attached").await?;
    let digest = push(&scene, &commit, &Image::default())?;
    tagferry.waits_for(&commit, "no provenance").await?;
    let bundle = instance.attest(&build(&scene, &digest, &commit))?.to_string();
    let (_, repository) = TARGETS[0];
    scene.registry.attach(repository, &digest.parse()?, bundle.as_bytes())?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trust_root_that_is_too_old_is_waited_for_and_can_be_replaced() -> Result<()> {
    let old = Instance::with_log("sigstore.example")?;
    let scene = attested(&old, "").await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Rotated").await?;
    let digest = push(&scene, &commit, &Image::default())?;
    let rotated = old.rotated(Utc::now() - TimeDelta::days(1))?;
    scene.forge.add_attestation(SOURCE, rotated.attest(&build(&scene, &digest, &commit))?, Form::Inline).await?;
    let waits = tagferry.waits_for(&commit, "the trust root is too old").await?;
    assert!(waits.contains("(attestations.trusted_root)"), "{waits}");
    assert!(tagferry.log().contains("ERROR"), "nobody is alerted");
    trust(&scene, &rotated.root())?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configured_key_signs_in_place_of_a_workflow() -> Result<()> {
    let (key, instance) = (SigningKey::generate()?, Instance::with_log("sigstore.example")?);
    let keys = tempfile::NamedTempFile::new()?;
    std::fs::write(keys.path(), key.public_pem())?;
    let scene = attested(&instance, &format!(", keys: ['{}']", keys.path().display())).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("By a key").await?;
    let digest = push(&scene, &commit, &Image::default())?;
    let build = build(&scene, &digest, &commit);
    scene.forge.add_attestation(SOURCE, instance.attest(&build)?, Form::Inline).await?;
    scene.forge.add_attestation(SOURCE, SigningKey::generate()?.attest(&build)?, Form::Inline).await?;
    tagferry.waits_for(&commit, "no provenance").await?;
    scene.forge.add_attestation(SOURCE, key.attest(&build)?, Form::Inline).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    let seen = evidence(&tagferry, &commit, "provenance").await?;
    assert!(seen.ends_with("as a configured key has signed"), "{seen}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_in_time_is_refused() -> Result<()> {
    let scene = asking("provenance: required, deadline: 1s").await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Never attested").await?;
    push(&scene, &commit, &Image::default())?;
    let (outcome, reason) = tagferry.outcome(&commit).await?;
    assert_eq!(outcome, "refused");
    assert!(reason.ends_with(": no attestation, and that for too long (verify.deadline)"), "{reason}");
    scene.end().await;
    Ok(())
}
