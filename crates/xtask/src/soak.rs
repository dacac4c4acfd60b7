//! The long run in which everything goes wrong that can, on each database.

use std::{
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use clap::ValueEnum;

use crate::{
    say,
    stage::{cargo, code, status},
};

/// Which database the replicas have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Database {
    /// A file, for one replica
    Sqlite,
    /// A server, for several
    Postgres,
}

impl Database {
    const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// Kills so often on each database, or on one; says what came of it.
///
/// # Errors
/// `cargo` cannot be started.
pub(crate) fn run(kills: u32, seed: Option<u64>, database: Option<Database>) -> anyhow::Result<ExitCode> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    let seed = seed.unwrap_or(now.as_secs());
    for database in Database::ALL.into_iter().filter(|one| database.is_none_or(|wanted| wanted == *one)) {
        say::line(format_args!("soak on {} with the seed {seed} …", database.name()))?;
        let mut command = cargo("run --quiet --locked --package testkit --bin soak --");
        let done = status(command.args([&seed.to_string(), &kills.to_string(), database.name()]))?;
        if !done.success() {
            return Ok(code(done));
        }
    }
    Ok(ExitCode::SUCCESS)
}
