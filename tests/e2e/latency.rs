//! How long a push takes to become a pull request when every round trip takes 50 ms longer.

use std::time::{Duration, Instant};

use anyhow::Result;
use testkit::{Scene, SceneOptions, until};

/// What a round trip takes longer, on every connection.
const LATENCY: Duration = Duration::from_millis(50);

/// The bound, in round trips: the smallest possible number is about eight, and a busy machine adds its own time.
const MOST_ROUND_TRIPS: f64 = 24.0;

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_is_open_a_few_round_trips_after_the_last_push() -> Result<()> {
    let options = SceneOptions { latency: Some(LATENCY), check_after: None, ..SceneOptions::default() };
    let scene = Scene::start(options).await?;
    let tagferry = scene.tagferry().await?;
    // The first release finds everything cold, as after an installation; the second is what a team sees every day.
    let (first, cold) = scene.propose("Cold").await?;
    scene.pass_check(cold.number).await?;
    assert_eq!(tagferry.outcome(&first).await?.0, "merged");
    let commit = scene.commit("From afar").await?;
    scene.push("aws", &commit)?;
    scene.push("gcp", &commit)?;
    tagferry.waits_for(&commit, "waiting for the image in azure").await?;
    let before = scene.forge.requests().len();
    let start = Instant::now();
    scene.push("azure", &commit)?;
    until("a pull request", async || Ok((scene.pull_requests().await?.len() == 2).then_some(()))).await?;
    let took = start.elapsed();
    let requests: Vec<String> = scene
        .forge
        .requests()
        .split_off(before)
        .into_iter()
        .map(|one| format!("{} {}", one.method, one.path))
        .collect();
    let round_trips = took.as_secs_f64() / LATENCY.as_secs_f64();
    let millis = took.as_millis();
    let count = requests.len();
    testkit::say(&format!(
        "push to pull request at 50 ms added latency on every connection: {millis} ms, as long as {round_trips:.1} \
         round trips ({count} requests to the forge)"
    ))?;
    assert!(round_trips < MOST_ROUND_TRIPS, "it took {millis} ms: {requests:#?}");
    scene.end().await;
    Ok(())
}
