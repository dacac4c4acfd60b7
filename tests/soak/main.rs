//! The long run: `cargo xtask soak` starts it. Its arguments are the seed, the number of kills and the database.

use anyhow::{Context as _, Result, bail};
use testkit::{
    fleet::Database,
    soak::{self, Plan},
};

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [seed, kills, database] = arguments.as_slice() else { bail!("a seed, a number of kills and a database") };
    let database = match database.as_str() {
        "sqlite" => Database::Sqlite,
        "postgres" => Database::Postgres,
        other => bail!("there is no database {other}"),
    };
    let plan = Plan {
        seed: seed.parse().context("the seed")?,
        kills: kills.parse().context("the number of kills")?,
        database,
        applications: 4,
    };
    testkit::say(&format!("{plan:?}"))?;
    let report = soak::run(plan).await?;
    testkit::say(&format!("{report}"))
}
