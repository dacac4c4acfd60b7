//! What nobody told us is found: images, merges and edits by hand.

use anyhow::{Context as _, Result};
use sandbox::Push;
use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection};
use testkit::{
    Scene, SceneOptions, Tagferry,
    scene::{GITOPS, TARGETS},
    tagferry::{field, text},
    until,
};

fn options() -> SceneOptions {
    // It is the last of what is written, so that it may end the application.
    SceneOptions { application: "reconciliation: { interval: 1s }\n".to_owned(), ..SceneOptions::default() }
}

/// Waits for a row of the ledger of a release.
async fn told(tagferry: &Tagferry, commit: &str, what: &str) -> Result<String> {
    until(&format!("{what} of {commit}"), async || {
        let Some(release) = tagferry.release(commit).await? else { return Ok(None) };
        let rows = field(&release, "ledger").as_array().context("ledger is a list")?;
        Ok(rows.iter().find(|row| field(row, "what") == what).map(|row| text(field(row, "why"))))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn images_that_nobody_announced_are_released() -> Result<()> {
    let scene = Scene::start(options()).await?;
    scene.registry.set_notifications(&scene.hook("nobody"), None);
    let (older, newest) = (scene.commit("Older").await?, scene.commit("Newest").await?);
    scene.push_to_all(&older)?;
    scene.push_to_all(&newest)?;
    let tagferry = scene.tagferry().await?;
    assert_eq!(tagferry.outcome(&newest).await?.0, "merged");
    assert_eq!(tagferry.release(&older).await?, None, "it would have given way");
    let deliveries = tagferry.get("/v1/deliveries").await?;
    let senders = field(&deliveries, "deliveries").as_array().context("deliveries is a list")?.iter();
    let ours = senders.filter(|one| field(one, "sender") == "reconciliation").count();
    assert_eq!(ours, TARGETS.len());
    scene.end().await;
    Ok(())
}

/// Records an image as one that was announced before, and came to nothing.
async fn record_ignored(scene: &Scene, commit: &str, target: &str) -> Result<()> {
    let (repository, tag) = (scene.image(target)?, format!("sha-{commit}"));
    let database = scene.directory().join("tagferry.db");
    let mut database = SqliteConnection::connect(&format!("sqlite://{}", database.display())).await?;
    sqlx::query(
        "insert into deliveries (sender, sender_delivery_id, received_at_ms, body) \
         values ('reconciliation', $1 || ':' || $2, 1000, x'')",
    )
    .bind(&repository)
    .bind(&tag)
    .execute(&mut database)
    .await?;
    sqlx::query(
        "insert into announcements (delivery_id, kind, repository, tag, verdict, reason) \
         values (last_insert_rowid(), 'pushed', $1, $2, 'ignored', 'the registry had no such tag')",
    )
    .bind(&repository)
    .bind(&tag)
    .execute(&mut database)
    .await?;
    Ok(database.close().await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_came_to_nothing_when_it_was_found_before_is_looked_at_again() -> Result<()> {
    let scene = Scene::start(options()).await?;
    scene.registry.set_notifications(&scene.hook("nobody"), None);
    scene.tagferry().await?.kill().await?;
    let commit = scene.commit("Pushed, deleted and pushed again").await?;
    for (target, _) in TARGETS {
        record_ignored(&scene, &commit, target).await?;
    }
    scene.push_to_all(&commit)?;
    let tagferry = scene.tagferry().await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    let deliveries = tagferry.get("/v1/deliveries").await?;
    let all = field(&deliveries, "deliveries").as_array().context("deliveries is a list")?;
    assert_eq!(all.iter().filter(|one| field(one, "sender") == "reconciliation").count(), TARGETS.len());
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_empty_database_what_git_and_the_registries_tell_is_known_again() -> Result<()> {
    let scene = Scene::start(options()).await?;
    let tagferry = scene.tagferry().await?;
    let mut commits = Vec::new();
    for subject in ["First", "Second"] {
        let commit = scene.commit(subject).await?;
        scene.push_to_all(&commit)?;
        assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
        commits.push(tagferry.release(&commit).await?.context("it is there")?);
    }
    tagferry.kill().await?;
    for file in ["tagferry.db", "tagferry.db-wal", "tagferry.db-shm"] {
        std::fs::remove_file(scene.directory().join(file))?;
    }
    let tagferry = scene.tagferry().await?;
    for before in &commits {
        let commit = text(field(before, "commit"));
        tagferry.outcome(&commit).await?;
        let after = tagferry.release(&commit).await?.context("it is there")?;
        let same =
            |pointer: &str| assert_eq!(after.pointer(pointer), before.pointer(pointer), "{pointer} of {after:#}");
        for pointer in ["/promotions/0/outcome", "/promotions/0/reason", "/promotions/0/pull_request"] {
            same(pointer);
        }
        let builds = |release: &Value| {
            let all = field(release, "builds").as_array().cloned().unwrap_or_default();
            let mut all: Vec<String> =
                all.iter().map(|one| format!("{} {} {}", one["target"], one["tag"], one["digest"])).collect();
            all.sort();
            all
        };
        assert_eq!(builds(&after), builds(before));
    }
    assert_eq!(scene.pull_requests().await?.len(), 2, "nothing is proposed again");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn with_an_empty_database_an_open_pull_request_is_taken_up_where_it_is() -> Result<()> {
    let scene = Scene::start(SceneOptions { check_after: None, ..options() }).await?;
    let tagferry = scene.tagferry().await?;
    let (commit, open) = scene.propose("On its way").await?;
    tagferry.kill().await?;
    for file in ["tagferry.db", "tagferry.db-wal", "tagferry.db-shm"] {
        std::fs::remove_file(scene.directory().join(file))?;
    }
    let tagferry = scene.tagferry().await?;
    tagferry.waits_for(&commit, "waits for check `validate`").await?;
    scene.pass_check(open.number).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    assert_eq!(scene.pull_requests().await?.len(), 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_that_was_edited_by_hand_is_told_and_left_alone_until_a_newer_release() -> Result<()> {
    let scene = Scene::start(options()).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Released").await?;
    scene.push_to_all(&commit)?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    let edited = scene.overlay("gcp").await?.replace(&format!("sha-{commit}"), "v1-hotfix");
    let path = testkit::overlays::path("gcp");
    scene.forge.push(GITOPS, Push::new("main", [(path.as_str(), edited.as_str())])).await?;
    let why = told(&tagferry, &commit, "drift").await?;
    assert!(why.contains("gcp") && why.contains("v1-hotfix"), "{why}");
    let applications = tagferry.get("/v1/applications").await?;
    let targets = applications.pointer("/applications/0/targets").and_then(Value::as_array).context("targets")?;
    for target in targets {
        let drift = target.pointer("/drift/has").and_then(Value::as_str);
        assert_eq!(drift, (field(target, "name") == "gcp").then_some("v1-hotfix"), "{target:#}");
        assert_eq!(text(field(target, "released")), format!("sha-{commit}"));
    }
    assert_eq!(scene.overlay("gcp").await?, edited);
    assert_eq!(scene.pull_requests().await?.len(), 1);

    let newer = scene.commit("Newer").await?;
    scene.push_to_all(&newer)?;
    assert_eq!(tagferry.outcome(&newer).await?.0, "merged");
    assert!(scene.overlay("gcp").await?.contains(&newer));
    until("the drift to be over", async || {
        let all = tagferry.get("/v1/applications").await?.to_string();
        Ok((!all.contains("v1-hotfix")).then_some(()))
    })
    .await?;
    scene.end().await;
    Ok(())
}
