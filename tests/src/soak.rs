//! A run in which everything goes wrong that can.
//!
//! Replicas are killed, paused, added and removed at random moments while releases of several applications are under
//! way; the forge and the registry fail; the database is cut off, restarted and slow. At the end everything is as if
//! nothing had been.
//!
//! What happens follows from the seed; when exactly it meets what the replicas do does not.

mod act;
mod deliveries;
mod verdict;

use std::{fmt, time::Duration};

use anyhow::{Context as _, Result};

use self::{act::Acts, deliveries::Deliveries};
use crate::fleet::{Database, Fleet, FleetOptions};

/// How long a replica has its work that is not heard of any more: pauses are longer.
const LEASE: Duration = Duration::from_secs(2);

/// How many replicas there are at most, where they share a database.
const MOST_REPLICAS: usize = 3;

/// What is to be done in a run.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What everything at random follows from.
    pub seed: u64,
    /// How often a replica is killed.
    pub kills: u32,
    /// What the replicas remember in.
    pub database: Database,
    /// How many applications are released.
    pub applications: usize,
}

/// What was done in a run, all of which came out well.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How often a replica was killed with SIGKILL.
    pub kills: u32,
    /// How often one was stopped with SIGSTOP for longer than its lease.
    pub pauses: u32,
    /// How often one was told to stop by SIGTERM, and did.
    pub removals: u32,
    /// How often the database server crashed and came back.
    pub crashes: u32,
    /// How often all its connections were cut.
    pub cuts: u32,
    /// How often it did nothing for a while.
    pub stalls: u32,
    /// How many requests to the forge and the registry were made to fail.
    pub faults: u32,
    /// How many releases there were.
    pub releases: usize,
    /// How many of them were merged; the others gave way to newer ones.
    pub merged: usize,
    /// How many deliveries were answered with 202.
    pub deliveries: usize,
    /// How long it took.
    pub elapsed: Duration,
}

/// Does a run and judges it.
///
/// # Errors
///
/// Something did not come out well; the error says what, and the seed.
pub async fn run(plan: Plan) -> Result<Report> {
    attempt(plan).await.with_context(|| format!("the seed was {} ({:?})", plan.seed, plan.database))
}

async fn attempt(plan: Plan) -> Result<Report> {
    let began = std::time::Instant::now();
    let most = if plan.database == Database::Sqlite { 1 } else { MOST_REPLICAS };
    let options = FleetOptions {
        database: plan.database,
        applications: plan.applications,
        lease: LEASE,
        latency: None,
        reconciliation: "3s",
    };
    let mut fleet = Fleet::start(options, most).await?;
    fleet.launch(0).await?;
    let deliveries = Deliveries::to(&fleet);
    let mut acts = Acts::new(plan, &deliveries);
    while acts.report.kills < plan.kills {
        acts.one(&mut fleet).await?;
    }
    acts.calm(&mut fleet).await?;
    let mut report = acts.report.clone();
    let accepted = deliveries.all().await?;
    verdict::judge(&fleet, &acts.released, &accepted, &mut report).await?;
    fleet.end().await;
    report.elapsed = began.elapsed();
    Ok(report)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, pauses, removals, crashes, cuts, stalls, faults, releases, merged, deliveries, elapsed } =
            self;
        write!(
            f,
            "{kills} kills, {pauses} pauses, {removals} removals; the database crashed {crashes} times, was cut off {cuts} \
             times and stalled {stalls} times; {faults} requests failed; of {releases} releases {merged} were merged and \
             the others gave way to newer ones; {deliveries} deliveries were taken and none was lost; {:.0} s",
            elapsed.as_secs_f64()
        )
    }
}
