//! What was answered 202 lasts: whatever happens to the process, and to the disk.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use anyhow::{Result, ensure};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use testkit::{
    Scene, SceneOptions, Tagferry,
    scene::REGISTRY_SECRET,
    tagferry::{field, text},
    until,
};
use tokio::task::JoinSet;

/// How many clients send at once.
const CLIENTS: usize = 16;

/// How many deliveries are answered before the service is killed under the load of more.
const ANSWERED: usize = 300;

/// A push of a tag that says which delivery it came with.
fn pushed(id: &str) -> String {
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let target = json!({ "mediaType": media_type, "repository": "elsewhere", "tag": id });
    json!({ "events": [{ "id": id, "action": "push", "target": target }] }).to_string()
}

async fn post(tagferry: &Tagferry, id: &str) -> Result<(StatusCode, Value)> {
    let answer = tagferry.post("registry", &[("authorization", REGISTRY_SECRET)], pushed(id)).await?;
    Ok((answer.status(), answer.json().await?))
}

/// Sends one delivery after the other until the service is gone: the ids of those that were answered 202, and the one
/// that was not answered.
async fn send_until_it_is_gone(
    url: String,
    client: usize,
    answered: Arc<AtomicUsize>,
) -> Result<(Vec<String>, String)> {
    let (http, mut kept) = (Client::new(), Vec::new());
    for number in 0.. {
        let id = format!("{client}-{number}");
        let request = http.post(&url).header("authorization", REGISTRY_SECRET).body(pushed(&id));
        match request.send().await {
            Ok(answer) if answer.status() == StatusCode::ACCEPTED => kept.push(id),
            Ok(answer) => anyhow::bail!("{id} was answered {}", answer.status()),
            Err(_gone) => return Ok((kept, id)),
        }
        answered.fetch_add(1, Ordering::Relaxed);
    }
    anyhow::bail!("numbers have no end")
}

/// How often each tag was announced, over all deliveries.
async fn announced(tagferry: &Tagferry) -> Result<BTreeMap<String, usize>> {
    let mut times = BTreeMap::new();
    let mut page = "/v1/deliveries?limit=200".to_owned();
    loop {
        let answer = tagferry.get(&page).await?;
        for delivery in field(&answer, "deliveries").as_array().into_iter().flatten() {
            for announcement in field(delivery, "announcements").as_array().into_iter().flatten() {
                *times.entry(text(field(announcement, "tag"))).or_default() += 1;
            }
        }
        match field(&answer, "next").as_str() {
            Some(next) => page = format!("/v1/deliveries?limit=200&before={next}"),
            None => return Ok(times),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_under_load_it_has_every_delivery_that_was_answered_and_none_twice() -> Result<()> {
    let scene = Scene::start(SceneOptions { forge_webhooks: false, ..SceneOptions::default() }).await?;
    let tagferry = scene.tagferry().await?;
    let answered = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        clients.spawn(send_until_it_is_gone(scene.hook("registry"), client, Arc::clone(&answered)));
    }
    until("enough deliveries", async || Ok((answered.load(Ordering::Relaxed) >= ANSWERED).then_some(()))).await?;
    tagferry.kill().await?;
    let (mut kept, mut unanswered) = (Vec::new(), Vec::new());
    while let Some(client) = clients.join_next().await {
        let (ids, last) = client??;
        kept.extend(ids);
        unanswered.push(last);
    }

    let tagferry = scene.tagferry().await?;
    let times = announced(&tagferry).await?;
    for id in &kept {
        ensure!(times.get(id) == Some(&1), "{id} was answered and is there {:?} times", times.get(id));
    }
    let stored = unanswered.iter().filter(|id| times.contains_key(*id)).count();
    ensure!(times.len() == kept.len() + stored && times.values().all(|times| *times == 1), "{times:?}");
    testkit::say(&format!("{} deliveries were answered, {stored} of {CLIENTS} others were stored", kept.len()))?;
    // Whoever was not answered tries again, and some of those who were.
    for id in unanswered.iter().chain(kept.iter().take(20)) {
        let (status, answer) = post(&tagferry, id).await?;
        ensure!(status == StatusCode::ACCEPTED && answer["repeated"] == times.contains_key(id), "{id}: {answer}");
    }
    let times = announced(&tagferry).await?;
    ensure!(times.len() == kept.len() + CLIENTS && times.values().all(|times| *times == 1), "{times:?}");
    assert!(tagferry.terminate().await?);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_disk_is_full_deliveries_are_answered_503_and_taken_when_they_come_again() -> Result<()> {
    let scene = Scene::start(SceneOptions { forge_webhooks: false, ..SceneOptions::default() }).await?;
    let log = scene.directory().join("tagferry.log");
    let tagferry = Tagferry::start_with_a_disk_that_can_fill(&scene.config(), &log).await?;
    ensure!(post(&tagferry, "before").await?.0 == StatusCode::ACCEPTED);
    tagferry.reason(&scene.image("azure")?.replace("mandelbrot", "elsewhere"), "before").await?;
    let size = std::fs::metadata(scene.directory().join("tagferry.db-wal"))?.len();
    tagferry.limit_file_size(Some(size)).await?;
    for _ in 0..3 {
        let answer = tagferry.post("registry", &[("authorization", REGISTRY_SECRET)], pushed("during")).await?;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers()["retry-after"], "5");
        assert_eq!(answer.json::<Value>().await?["type"], "https://tagferry.dev/problems/store-unavailable");
    }
    assert_eq!(announced(&tagferry).await?.len(), 1, "what is there can be read all the same");
    tagferry.limit_file_size(None).await?;
    for repeated in [false, true] {
        let (status, answer) = post(&tagferry, "during").await?;
        assert_eq!((status, &answer["repeated"]), (StatusCode::ACCEPTED, &json!(repeated)));
    }
    tagferry.kill().await?;
    let tagferry = scene.tagferry().await?;
    assert_eq!(announced(&tagferry).await?.into_keys().collect::<Vec<_>>(), ["before", "during"]);
    scene.end().await;
    Ok(())
}
