//! The service is killed at every step and started again: one pull request, nothing lost, nothing twice.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use reqwest::StatusCode;
use sandbox::{Action, Fault, Match};
use serde_json::{Value, json};
use testkit::{
    Scene, SceneOptions, Tagferry,
    scene::{GITOPS, REGISTRY_SECRET, TARGETS, Way},
    tagferry::field,
    until,
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

/// Where a request is when the service is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// It has arrived and had no effect.
    Before,
    /// It has had its effect, and the answer is lost.
    After,
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_any_request_to_the_forge_it_goes_on_where_it_was() -> Result<()> {
    killed_at_every_request(Moment::Before, SceneOptions::default()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_any_request_to_the_forge_it_goes_on_where_it_was() -> Result<()> {
    killed_at_every_request(Moment::After, SceneOptions::default()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_any_request_it_goes_on_where_it_was_though_the_forge_makes_the_commits() -> Result<()> {
    killed_at_every_request(Moment::Before, Way::Api.options()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_any_request_it_goes_on_where_it_was_though_the_forge_makes_the_commits() -> Result<()> {
    killed_at_every_request(Moment::After, Way::Api.options()).await
}

/// Kills at the first request of a release, at the second, and so on until a release needs fewer.
async fn killed_at_every_request(moment: Moment, options: SceneOptions) -> Result<()> {
    let scene = Scene::start(options).await?;
    let mut kills = 0;
    for nth in 1.. {
        ensure!(nth < 60, "a release that takes {nth} requests");
        if !release_killed_at(&scene, nth, moment).await? {
            break;
        }
        kills += 1;
    }
    testkit::say(&format!("{kills} releases, each with the service killed {moment:?} another of its requests"))?;
    assert!(kills >= 8, "a release takes at least eight requests, {kills} were seen");
    let all = scene.pull_requests().await?;
    assert_eq!(all.len(), kills + 1, "not one pull request for each release: {all:#?}");
    assert!(all.iter().all(|one| one.state == "merged" && one.labels == ["release"]), "{all:#?}");
    let left = scene.forge.repository(GITOPS).await?.branches;
    assert_eq!(left.keys().collect::<Vec<_>>(), ["main"], "branches are left behind");
    scene.end().await;
    Ok(())
}

/// One release during which the service is killed at its `nth` request and started again; whether it had so many.
async fn release_killed_at(scene: &Scene, nth: u64, moment: Moment) -> Result<bool> {
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit(&format!("Killed at request {nth}, {moment:?}")).await?;
    let action = match moment {
        Moment::Before => Action::Delay { milliseconds: 60_000 },
        Moment::After => Action::ApplyThenDrop,
    };
    scene.forge.clear_requests();
    scene.forge.add_fault(Fault::new(Match { nth, ..Match::any() }, action));
    scene.push_to_all(&commit)?;
    let was_met = until("the fault, or the end", async || {
        if scene.forge.requests().iter().any(|one| one.fault.is_some()) {
            return Ok(Some(true));
        }
        let release = tagferry.release(&commit).await?;
        let is_settled = release.is_some_and(|one| one.pointer("/promotions/0/outcome").is_some_and(Value::is_string));
        Ok(is_settled.then_some(false))
    })
    .await?;
    let tagferry = if was_met { killed_and_started_again(scene, tagferry).await? } else { tagferry };
    scene.forge.clear_faults();
    let (outcome, reason) = tagferry.outcome(&commit).await?;
    ensure!(outcome == "merged", "request {nth}, {moment:?}: {outcome}: {reason}");
    for target in ["aws", "gcp", "azure"] {
        ensure!(
            scene.overlay(target).await?.contains(&commit),
            "request {nth}, {moment:?}: {target} is not at {commit}"
        );
    }
    let release = tagferry.release(&commit).await?.context("the release is gone")?;
    ensure!(
        field(&release, "promotions").as_array().map(Vec::len) == Some(1),
        "request {nth}, {moment:?}: {release:#}"
    );
    ensure!(field(&release, "builds").as_array().map(Vec::len) == Some(3), "request {nth}, {moment:?}: {release:#}");
    tagferry.kill().await?;
    Ok(was_met)
}

async fn killed_and_started_again(scene: &Scene, tagferry: Tagferry) -> Result<Tagferry> {
    tagferry.kill().await?;
    scene.tagferry().await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_delivery_and_intake_it_loses_nothing() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let commit = scene.commit("Kept").await?;
    // The registry answers nothing for a minute, so that intake hangs while deliveries are taken.
    let stuck = Duration::from_secs(60);
    scene.registry.add_fault(sandbox::registry::Fault::delay("/v2/", 100, stuck));
    let tagferry = scene.tagferry().await?;
    scene.push_to_all(&commit)?;
    scene.notified().await;
    assert_eq!(tagferry.announcements().await?.iter().filter(|one| one["verdict"] == "pending").count(), 3);
    tagferry.kill().await?;
    scene.registry.clear_faults();
    let tagferry = scene.tagferry().await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    assert_eq!(scene.pull_requests().await?.len(), 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_while_it_was_down_is_recorded_at_the_next_start() -> Result<()> {
    // Nothing tells it, and by itself it would look again in an hour.
    let options = SceneOptions { forge_webhooks: false, check_after: None, ..SceneOptions::default() };
    let scene = Scene::start(options).await?;
    let tagferry = scene.tagferry().await?;
    let (commit, one) = scene.propose("Merged at night").await?;
    tagferry.waits_for(&commit, "waits for check `validate`").await?;
    tagferry.kill().await?;
    scene.pass_check(one.number).await?;
    scene.forge.until_merged(GITOPS, one.number, until::PATIENCE).await?;
    let tagferry = scene.tagferry().await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_answers_a_delivery_it_takes_the_repetition_for_what_it_is() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    scene.registry.set_notifications(&scene.hook("nobody"), None);
    let mut stored = 0;
    // Somewhere between the first byte and the answer: before it is stored, after that, or while it is answered.
    for milliseconds in [0, 1, 2, 3, 5, 8, 13, 40] {
        let tagferry = scene.tagferry().await?;
        let commit = scene.commit(&format!("Killed after {milliseconds} ms")).await?;
        scene.push_to_all(&commit)?;
        let deliveries = TARGETS.map(|(target, repository)| (format!("{target}-{milliseconds}"), repository));
        let address = tagferry.url().trim_start_matches("http://").to_owned();
        let mut connections = Vec::new();
        for (id, repository) in &deliveries {
            let body = pushed(id, repository, &commit);
            let length = body.len();
            let mut connection = TcpStream::connect(&address).await?;
            let request = format!(
                "POST /v1/hooks/registry HTTP/1.1\r\nHost: {address}\r\nAuthorization: {REGISTRY_SECRET}\r\nContent-Length: {length}\r\n\r\n{body}"
            );
            connection.write_all(request.as_bytes()).await?;
            connections.push(connection);
        }
        tagferry.kill_after(Duration::from_millis(milliseconds)).await?;
        drop(connections);

        let tagferry = scene.tagferry().await?;
        for (id, repository) in &deliveries {
            let headers = [("authorization", REGISTRY_SECRET)];
            let answer = tagferry.post("registry", &headers, pushed(id, repository, &commit)).await?;
            ensure!(answer.status() == StatusCode::ACCEPTED, "{id}: {}", answer.status());
            stored += usize::from(answer.json::<Value>().await?["repeated"] == true);
        }
        assert_eq!(tagferry.outcome(&commit).await?.0, "merged", "{milliseconds} ms");
        let tag = format!("sha-{commit}");
        let announced = tagferry.announcements().await?.iter().filter(|one| one["tag"] == tag).count();
        assert_eq!(announced, deliveries.len(), "{milliseconds} ms");
        tagferry.kill().await?;
    }
    testkit::say(&format!("{stored} of 24 deliveries were stored when the service was killed"))?;
    let all = scene.pull_requests().await?;
    assert_eq!(all.len(), 8, "not one pull request for each release: {all:#?}");
    scene.end().await;
    Ok(())
}

/// What a registry says of the image of a commit.
fn pushed(id: &str, repository: &str, commit: &str) -> String {
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let target = json!({ "mediaType": media_type, "repository": repository, "tag": format!("sha-{commit}") });
    json!({ "events": [{ "id": id, "action": "push", "target": target }] }).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_database_is_refused() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let first = scene.tagferry().await?;
    let refused = scene.tagferry().await.err().context("a second one started")?;
    assert!(format!("{refused:#}").contains("store.url"), "{refused:#}");
    assert!(first.terminate().await?);
    scene.end().await;
    Ok(())
}
