//! How many promotions a second two replicas bring to their end, and one: `cargo bench -p testkit --bench replicas`,
//! which `cargo xtask bench replicas` runs.
//!
//! The service is the release build on loopback. The forge and the registry are the sandbox's, a round trip away that
//! takes as long as one through half a continent; the replicas share a PostgreSQL of their own. In each round the same
//! number of releases is announced at once to one replica and to two, in turn.

use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::StatusCode;
use serde_json::Value;
use testkit::{
    Tagferry,
    fleet::{Announcer, CLOUDS, Database, Fleet, FleetOptions},
    tagferry::{field, text},
    until,
};

/// How many applications are released at once.
const APPLICATIONS: u16 = 48;

/// How often each is measured; the figure is the median.
const ROUNDS: usize = 5;

/// What a round trip to the forge and the registry takes longer.
const LATENCY: Duration = Duration::from_millis(50);

/// What two replicas are to be better than one.
const FACTOR: f64 = 1.7;

#[tokio::main]
async fn main() -> Result<()> {
    if cfg!(debug_assertions) {
        bail!("only the release build says something: run it with cargo bench");
    }
    let options = FleetOptions {
        database: Database::Postgres,
        applications: usize::from(APPLICATIONS),
        lease: Duration::from_secs(60),
        latency: Some(LATENCY),
        reconciliation: "off",
    };
    let mut fleet = Fleet::start(options, 2).await?;
    let (mut ones, mut twos) = (Vec::new(), Vec::new());
    // The first is no measurement: everything is empty and cold.
    for round in 0..=ROUNDS {
        let (one, two) = (measure(&mut fleet, 1).await?, measure(&mut fleet, 2).await?);
        testkit::say(&format!("round {round}: one {one}, two {two}, ratio {:.2}", two.rate / one.rate))?;
        if round > 0 {
            ones.push(one.rate);
            twos.push(two.rate);
        }
    }
    fleet.end().await;
    let ratios = ones.iter().zip(&twos).map(|(one, two)| two / one);
    let ratio = median(ratios);
    testkit::say(&format!(
        "median of {ROUNDS} rounds: one {:.2} promotions/s, two {:.2} promotions/s, ratio {ratio:.2}",
        median(ones.iter().copied()),
        median(twos.iter().copied()),
    ))?;
    ensure!(ratio >= FACTOR, "two replicas are to be at least {FACTOR} times as fast as one");
    Ok(())
}

/// What was measured of so many replicas.
struct Measured {
    /// Promotions a second.
    rate: f64,
    /// Requests to the forge for each promotion.
    requests: f64,
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}/s with {:.1} requests each", self.rate, self.requests)
    }
}

/// Has every application released once by so many replicas.
async fn measure(fleet: &mut Fleet, replicas: usize) -> Result<Measured> {
    for number in 0..replicas {
        fleet.launch(number).await?;
    }
    let announcer = Announcer::new(fleet);
    let mut pushed = Vec::new();
    for application in fleet.applications() {
        let commit = fleet.commit(&application, "Change").await?;
        for cloud in CLOUDS {
            pushed.push((fleet.push(&application, cloud, &commit)?, commit.clone()));
        }
    }
    let (began, asked) = (Instant::now(), fleet.forge.requests().len());
    for (repository, commit) in &pushed {
        let id = format!("{repository} {commit}");
        let answer = announcer.announce(&id, repository, &format!("sha-{commit}")).await?;
        ensure!(answer.status() == StatusCode::ACCEPTED, "{} was answered", answer.status());
    }
    through(fleet, &pushed).await?;
    let rate = f64::from(APPLICATIONS) / began.elapsed().as_secs_f64();
    let requests = u32::try_from(fleet.forge.requests().len() - asked).context("too many requests")?;
    for number in 0..replicas {
        ensure!(fleet.take(number)?.terminate().await?, "replica {number} did not end with 0");
    }
    Ok(Measured { rate, requests: f64::from(requests) / f64::from(APPLICATIONS) })
}

/// Waits until the releases of all these commits are merged.
async fn through(fleet: &Fleet, pushed: &[(String, String)]) -> Result<()> {
    let tagferry = fleet.running().next().context("a replica runs")?.1;
    until("the merge of all", async || {
        let merged = merged(tagferry).await?;
        Ok(pushed.iter().all(|(_, commit)| merged.contains(commit)).then_some(()))
    })
    .await
}

/// The commits of the latest releases that are merged.
async fn merged(tagferry: &Tagferry) -> Result<Vec<String>> {
    let answer = tagferry.get("/v1/releases?limit=200").await?;
    let all: &Vec<Value> = field(&answer, "releases").as_array().context("releases is a list")?;
    let merged = all.iter().filter(|one| field(one, "outcome") == "merged");
    Ok(merged.map(|one| text(field(one, "commit"))).collect())
}

/// The middle one; 0 where there is none.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
