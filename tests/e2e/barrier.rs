//! Deliveries come in any order, and more than once.

use anyhow::Result;
use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::{
    Scene, SceneOptions,
    scene::{REGISTRY_SECRET, TARGETS},
    until,
};

/// All orders of three things.
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_in_every_order_make_one_pull_request_each() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let tagferry = scene.tagferry().await?;
    for (round, order) in ORDERS.iter().enumerate() {
        let commit = scene.commit(&format!("Change {round}")).await?;
        for (place, index) in order.iter().enumerate() {
            let Some((target, _)) = TARGETS.get(*index) else { continue };
            scene.push(target, &commit)?;
            if place < 2 {
                tagferry.waits_for(&commit, "waiting for the image in").await?;
                assert_eq!(scene.pull_requests().await?.len(), round, "a pull request before all images are there");
            }
        }
        assert_eq!(tagferry.outcome(&commit).await?.0, "merged", "{order:?}");
        assert_eq!(scene.pull_requests().await?.len(), round + 1);
    }
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_at_the_same_time_make_one_pull_request() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let commit = scene.commit("All at once").await?;
    // Everything is announced before the service is there to hear it: the registry repeats it all at its start.
    scene.push_to_all(&commit)?;
    scene.push_to_all(&commit)?;
    let tagferry = scene.tagferry().await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    scene.notified().await;
    assert_eq!(scene.pull_requests().await?.len(), 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_delivery_is_answered_202_and_does_nothing() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Once").await?;
    scene.push_to_all(&commit)?;
    tagferry.outcome(&commit).await?;
    let host = scene.image("aws")?;
    let (host, repository) = host.split_once('/').unwrap_or_default();
    let event = json!({ "events": [{
        "id": "7be5db29-351a-4021-a695-1db63b4a88c1",
        "action": "push",
        "target": {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": format!("sha256:{}", "0".repeat(64)),
            "repository": repository,
            "tag": format!("sha-{commit}"),
            "url": format!("http://{host}/v2/{repository}/manifests/x"),
        },
    }] });
    let mut seen = Vec::new();
    for _ in 0..3 {
        let answer = tagferry.post("registry", &[("authorization", REGISTRY_SECRET)], event.to_string()).await?;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        let answer: Value = answer.json().await?;
        seen.push((answer["delivery"].clone(), answer["repeated"] == true));
    }
    let first = seen.first().map(|(delivery, _)| delivery.clone()).unwrap_or_default();
    assert_eq!(seen, [(first.clone(), false), (first.clone(), true), (first, true)]);

    // The digest that it claims is not the registry's: what counts is what the registry says.
    let claims = format!("not sha256:{} as announced", "0".repeat(64));
    until("the verdict", async || {
        let all = tagferry.announcements().await?;
        Ok(all.iter().any(|one| one["reason"].as_str().is_some_and(|why| why.contains(&claims))).then_some(()))
    })
    .await?;
    let mentions = tagferry.announcements().await?.iter().filter(|one| one["tag"] == format!("sha-{commit}")).count();
    assert_eq!(mentions, 4, "three pushes and one delivery that came three times");
    assert_eq!(scene.pull_requests().await?.len(), 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_without_an_image_is_waited_for_until_the_deadline_and_a_late_one_tries_again() -> Result<()> {
    let options = SceneOptions { application: "    release: { deadline: 2s }\n".to_owned(), ..SceneOptions::default() };
    let scene = Scene::start(options).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Azure is late").await?;
    scene.push("aws", &commit)?;
    scene.push("gcp", &commit)?;
    let (outcome, reason) = tagferry.outcome(&commit).await?;
    assert_eq!(outcome, "refused");
    assert_eq!(reason, "refused: no image in azure within 2 seconds of the first (release.deadline)");
    assert!(scene.pull_requests().await?.is_empty());

    scene.push("azure", &commit)?;
    until("the second try", async || Ok((tagferry.outcome(&commit).await?.0 == "merged").then_some(()))).await?;
    scene.end().await;
    Ok(())
}
