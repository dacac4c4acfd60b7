//! One application that hangs or floods does not delay another, though both ask the same registry and the same forge.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use reqwest::StatusCode;
use serde_json::json;
use testkit::{
    Tagferry,
    fleet::{CLOUDS, Database, Fleet, FleetOptions},
    scene::REGISTRY_SECRET,
};

/// How long a release may take while another application is in trouble: a few times what it takes alone.
const SOON: Duration = Duration::from_secs(15);

async fn fleet() -> Result<Fleet> {
    let options = FleetOptions {
        database: Database::Sqlite,
        applications: 2,
        lease: Duration::from_secs(60),
        latency: None,
        reconciliation: "off",
    };
    let mut fleet = Fleet::start(options, 1).await?;
    fleet.launch(0).await?;
    Ok(fleet)
}

async fn announce(tagferry: &Tagferry, repository: &str, tags: impl Iterator<Item = String>) -> Result<()> {
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let events: Vec<_> = tags
        .map(|tag| {
            let target = json!({ "mediaType": media_type, "repository": repository, "tag": tag });
            json!({ "id": format!("{repository} {tag}"), "action": "push", "target": target })
        })
        .collect();
    let body = json!({ "events": events }).to_string();
    let answer = tagferry.post("registry", &[("authorization", REGISTRY_SECRET)], body).await?;
    ensure!(answer.status() == StatusCode::ACCEPTED, "{}", answer.status());
    Ok(())
}

/// Releases the second application, and says how long that took.
async fn release_the_other(fleet: &Fleet, tagferry: &Tagferry) -> Result<Duration> {
    let began = Instant::now();
    let commit = fleet.commit("app1", "Not to be delayed").await?;
    for cloud in CLOUDS {
        let repository = fleet.push("app1", cloud, &commit)?;
        announce(tagferry, &repository, std::iter::once(format!("sha-{commit}"))).await?;
    }
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    Ok(began.elapsed())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_whose_repositories_hang_does_not_delay_another() -> Result<()> {
    let fleet = fleet().await?;
    let (_, tagferry) = fleet.running().next().expect("it was launched");
    for cloud in CLOUDS {
        let stuck = Duration::from_secs(600);
        fleet.registry.add_fault(sandbox::Fault::delay(&format!("/v2/{cloud}/app0/"), 1_000, stuck));
        announce(tagferry, &format!("{cloud}/app0"), (0..20).map(|number| format!("sha-{number:040}"))).await?;
    }
    let took = release_the_other(&fleet, tagferry).await?;
    assert!(took < SOON, "it took {took:?}");
    fleet.registry.clear_faults();
    fleet.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_floods_does_not_delay_another() -> Result<()> {
    let fleet = fleet().await?;
    let (_, tagferry) = fleet.running().next().expect("it was launched");
    for cloud in CLOUDS {
        // The registry needs a moment for each, so that the flood takes minutes.
        let slow = Duration::from_millis(500);
        fleet.registry.add_fault(sandbox::Fault::delay(&format!("/v2/{cloud}/app0/"), 100_000, slow));
        announce(tagferry, &format!("{cloud}/app0"), (0..200).map(|number| format!("sha-{number:040}"))).await?;
    }
    let took = release_the_other(&fleet, tagferry).await?;
    assert!(took < SOON, "it took {took:?}");
    fleet.end().await;
    Ok(())
}
