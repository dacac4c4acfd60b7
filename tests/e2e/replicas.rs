//! Several replicas on one PostgreSQL database, and one that starts before its database.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use reqwest::{Client, StatusCode};
use testkit::{
    Tagferry,
    fleet::{Announcer, CLOUDS, Database, Fleet, FleetOptions},
    until,
};

/// Longer than any test: what waits for its end has failed.
const LEASE: Duration = Duration::from_secs(300);

async fn fleet() -> Result<Fleet> {
    let options = FleetOptions {
        database: Database::Postgres,
        applications: 1,
        lease: LEASE,
        latency: None,
        reconciliation: "off",
    };
    Fleet::start(options, 2).await
}

/// Pushes the images of a new commit and announces them at any replica.
async fn push(fleet: &Fleet) -> Result<String> {
    let commit = fleet.commit("app0", "Change").await?;
    for cloud in CLOUDS {
        let repository = fleet.push("app0", cloud, &commit)?;
        let status = announce(fleet, &repository, &commit).await?;
        ensure!(status == StatusCode::ACCEPTED, "{status}");
    }
    Ok(commit)
}

async fn announce(fleet: &Fleet, repository: &str, commit: &str) -> Result<StatusCode> {
    let id = format!("{repository} {commit}");
    Ok(Announcer::new(fleet).announce(&id, repository, &format!("sha-{commit}")).await?.status())
}

async fn ready(tagferry: &Tagferry) -> Result<StatusCode> {
    Ok(Client::new().get(format!("{}/readyz", tagferry.url())).send().await?.status())
}

fn running(fleet: &Fleet) -> Result<&Tagferry> {
    Ok(fleet.running().next().context("no replica runs")?.1)
}

#[tokio::test(flavor = "multi_thread")]
async fn before_its_database_is_there_it_says_what_is_missing_and_then_it_takes_deliveries() -> Result<()> {
    let mut fleet = fleet().await?;
    fleet.cluster.as_mut().context("there is a server")?.crash()?;
    fleet.launch(0).await?;
    let answer = Client::new().get(format!("{}/readyz", running(&fleet)?.url())).send().await?;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.text().await?.contains("store.url"));
    assert_eq!(announce(&fleet, "aws/app0", "1").await?, StatusCode::SERVICE_UNAVAILABLE);
    fleet.cluster.as_mut().context("there is a server")?.resume()?;
    until("readiness", async || Ok((ready(running(&fleet)?).await? == StatusCode::NO_CONTENT).then_some(()))).await?;
    let commit = push(&fleet).await?;
    assert_eq!(running(&fleet)?.outcome(&commit).await?.0, "merged");
    fleet.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_replica_can_not_finish_before_it_stops_another_does_at_once() -> Result<()> {
    let mut fleet = fleet().await?;
    fleet.launch(0).await?;
    fleet.registry.add_fault(sandbox::Fault::delay("/v2/", 1_000, LEASE));
    let commit = push(&fleet).await?;
    until("the registry to be asked", async || Ok((fleet.registry.requests().len() >= 3).then_some(()))).await?;
    let stopping = fleet.take(0)?;
    fleet.launch(1).await?;
    let began = Instant::now();
    fleet.registry.clear_faults();
    ensure!(stopping.terminate().await?, "it did not end with 0");
    assert_eq!(running(&fleet)?.outcome(&commit).await?.0, "merged");
    assert!(began.elapsed() < LEASE / 4, "it took {:?}", began.elapsed());
    fleet.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_readiness_hears_that_it_stops_while_deliveries_are_still_taken() -> Result<()> {
    let mut fleet = fleet().await?;
    fleet.launch(0).await?;
    let tagferry = running(&fleet)?;
    assert_eq!(ready(tagferry).await?, StatusCode::NO_CONTENT);
    tagferry.signal("TERM").await?;
    until("the no", async || Ok((ready(tagferry).await? == StatusCode::SERVICE_UNAVAILABLE).then_some(()))).await?;
    assert_eq!(announce(&fleet, "aws/app0", &"1".repeat(40)).await?, StatusCode::ACCEPTED);
    let stopping = fleet.take(0)?;
    ensure!(stopping.ended().await?, "it did not end with 0");
    fleet.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn any_replica_answers_for_what_another_has_taken() -> Result<()> {
    let mut fleet = fleet().await?;
    fleet.launch(0).await?;
    fleet.launch(1).await?;
    let commit = push(&fleet).await?;
    for (_, replica) in fleet.running() {
        assert_eq!(replica.outcome(&commit).await?.0, "merged");
    }
    fleet.end().await;
    Ok(())
}
