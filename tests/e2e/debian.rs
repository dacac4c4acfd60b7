//! Debian's own registry with its notifications on, and skopeo as the client that pushes, pulls and deletes.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use reqwest::StatusCode;
use sandbox::registry::{self, Image, SandboxRegistry};
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;
use testkit::{
    DockerRegistry, Scene, SceneOptions, Tagferry, port,
    scene::{REGISTRY_SECRET, TARGETS},
    tagferry::{field, text},
    until,
};

/// How long the registry waits where the store is away: longer than the five seconds after which that is answered.
const LONG_PATIENCE: Duration = Duration::from_secs(20);

/// A Tagferry whose overlays pull from a real registry, which announces to it.
struct Debian {
    directory: TempDir,
    docker: DockerRegistry,
    /// Where images are made that nobody hears of.
    staging: SandboxRegistry,
    scene: Scene,
    tagferry: Tagferry,
}

impl Debian {
    async fn start(patience: Duration) -> Result<Self> {
        let (directory, port) = (TempDir::new()?, port::reserve()?);
        let url = format!("http://127.0.0.1:{port}/v1/hooks/registry");
        let docker = DockerRegistry::start_with_patience(directory.path(), &url, REGISTRY_SECRET, patience).await?;
        let staging = SandboxRegistry::start(registry::Options::default()).await?;
        let options = SceneOptions {
            registry_host: Some(docker.host().to_owned()),
            port: Some(port),
            application: "    release: { pin_digest: true }\n".to_owned(),
            ..SceneOptions::default()
        };
        let scene = Scene::start(options).await?;
        let tagferry = scene.tagferry().await?;
        Ok(Self { directory, docker, staging, scene, tagferry })
    }

    /// Makes the image of a new commit, and pushes it to every target's repository; gives commit and digest.
    async fn push(&self, subject: &str, image: Image) -> Result<(String, String)> {
        let commit = self.scene.commit(subject).await?;
        let image = image.label("org.opencontainers.image.revision", &commit);
        let tag = format!("sha-{commit}");
        let digest = self.staging.push_image("mandelbrot", &tag, &image)?;
        let from = format!("{}/mandelbrot:{tag}", self.staging.host());
        for (_, repository) in TARGETS {
            self.docker.copy(&from, repository, &tag).await?;
        }
        Ok((commit, digest.to_string()))
    }

    /// Whether every overlay names this tag, this digest and the registry.
    async fn check_overlays(&self, commit: &str, digest: &str) -> Result<()> {
        for (target, _) in TARGETS {
            let overlay = self.scene.overlay(target).await?;
            for part in [&format!("sha-{commit}"), digest, self.docker.host()] {
                ensure!(overlay.contains(part), "{target} lacks {part}: {overlay}");
            }
        }
        Ok(())
    }

    /// How many things were understood and not wanted so far.
    fn unwanted(&self) -> usize {
        self.tagferry.log().matches("a delivery says nothing of interest").count()
    }

    /// Waits until more is not wanted than was.
    async fn more_unwanted(&self, what: &str, before: usize) -> Result<()> {
        until(what, async || Ok((self.unwanted() > before).then_some(()))).await
    }

    async fn end(self) -> Result<()> {
        self.docker.stop().await?;
        self.staging.shutdown().await;
        self.scene.end().await;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn images_pushed_by_skopeo_to_docker_registry_become_one_merged_pull_request() -> Result<()> {
    let debian = Debian::start(Duration::from_secs(1)).await?;
    let (commit, digest) = debian.push("Through the real registry", Image::default()).await?;
    assert_eq!(debian.tagferry.outcome(&commit).await?.0, "merged");
    assert_eq!(debian.scene.pull_requests().await?.len(), 1);
    debian.check_overlays(&commit, &digest).await?;
    debian.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_index_pulled_retagged_and_deleted_only_the_index_is_released() -> Result<()> {
    let debian = Debian::start(Duration::from_secs(1)).await?;
    let image = Image::default().platform("linux/amd64").platform("linux/arm64");
    let (commit, digest) = debian.push("For two platforms", image).await?;
    assert_eq!(debian.tagferry.outcome(&commit).await?.0, "merged");
    // The digest in the overlays is the index's, and not that of an image in it.
    debian.check_overlays(&commit, &digest).await?;
    let (tag, repository) = (format!("sha-{commit}"), "mandelbrot");
    let announced = debian.tagferry.announcements().await?;
    let tags: Vec<String> = announced.iter().map(|one| text(field(one, "tag"))).filter(|tag| !tag.is_empty()).collect();
    assert_eq!(tags, [tag.as_str(); 3], "{announced:?}");
    ensure!(debian.unwanted() >= 6, "each of the three indexes has two images: {}", debian.tagferry.log());

    let before = debian.unwanted();
    debian.docker.pull(repository, &tag, &debian.directory.path().join("pulled")).await?;
    debian.more_unwanted("the announcement of a pull", before).await?;

    debian.docker.copy(&debian.docker.image(repository, &tag), repository, "stable").await?;
    let host = debian.docker.host();
    let (verdict, reason) = debian.tagferry.reason(&format!("{host}/{repository}"), "stable").await?;
    assert_eq!(verdict, "ignored");
    assert_eq!(reason, "tag does not name a commit: stable is not of the form sha-{commit}");

    let (before, kept) = (debian.unwanted(), debian.tagferry.announcements().await?.len());
    debian.docker.delete(repository, &tag).await?;
    debian.more_unwanted("the announcement of a deletion", before).await?;
    assert_eq!(debian.tagferry.announcements().await?.len(), kept, "a deletion is not kept");
    assert_eq!(debian.scene.pull_requests().await?.len(), 1);
    debian.end().await
}

/// Posts a push as the registry does while the store is away, and judges the answer.
async fn check_unavailable(tagferry: &Tagferry) -> Result<()> {
    let target = json!({ "repository": "mandelbrot", "tag": "during", "digest": format!("sha256:{}", "a".repeat(64)) });
    let body = json!({ "events": [{ "id": "during", "action": "push", "target": target }] }).to_string();
    let answer = tagferry.post("registry", &[("authorization", REGISTRY_SECRET)], body).await?;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "5");
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Value = answer.json().await?;
    assert_eq!(text(field(&problem, "type")), "https://tagferry.dev/problems/store-unavailable");
    assert_eq!(text(field(&problem, "detail")), "the store is not available; try again");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_answered_503_announces_again_and_its_push_is_released() -> Result<()> {
    let debian = Debian::start(LONG_PATIENCE).await?;
    let database = debian.scene.directory().join("tagferry.db");
    let mut somebody = SqliteConnection::connect(&format!("sqlite://{}", database.display())).await?;
    sqlx::query("begin exclusive").execute(&mut somebody).await.context("locking the store")?;
    let (commit, digest) = debian.push("While the store is away", Image::default()).await?;
    until("the registry's word that it was answered 503", async || {
        Ok(debian.docker.log().contains("503 Service Unavailable").then_some(()))
    })
    .await?;
    check_unavailable(&debian.tagferry).await?;
    ensure!(debian.tagferry.announcements().await?.is_empty(), "what was answered 503 is not kept");
    assert_eq!(debian.tagferry.release(&commit).await?, None);

    sqlx::query("rollback").execute(&mut somebody).await.context("giving the store back")?;
    somebody.close().await?;
    // Nobody pushes again: it is the registry that does not give up.
    assert_eq!(debian.tagferry.outcome(&commit).await?.0, "merged");
    debian.check_overlays(&commit, &digest).await?;
    let refused = debian.tagferry.log().matches("the store did not do what a request needs").count();
    testkit::say(&format!("the store was away for {refused} deliveries, and nothing was lost"))?;
    debian.end().await
}
