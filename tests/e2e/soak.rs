//! Short runs of what `cargo xtask soak` does for long: at random moments everything goes wrong that can.

use anyhow::Result;
use testkit::{
    fleet::Database,
    soak::{self, Plan},
};

/// Enough that each thing happens; a minute at most.
const KILLS: u32 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn killed_and_paused_at_random_one_process_on_a_file_loses_nothing_and_does_nothing_twice() -> Result<()> {
    short(Database::Sqlite).await
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_paused_added_and_removed_at_random_replicas_lose_nothing_and_do_nothing_twice() -> Result<()> {
    short(Database::Postgres).await
}

async fn short(database: Database) -> Result<()> {
    let plan = Plan { seed: fastrand::u64(..), kills: KILLS, database, applications: 3 };
    testkit::say(&format!("{plan:?}"))?;
    testkit::say(&format!("{}", soak::run(plan).await?))
}
