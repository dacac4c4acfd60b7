//! Developer commands: set-up and tests.
//!
//! Read the modules in this order:
//!
//! - [`stage`]: what a test run consists of, and running it.
//! - [`tally`]: how many tests ran, read from what they print.
//! - [`mod@bench`]: what is measured, and running it.
//! - [`soak`]: the long run in which everything goes wrong that can.
//! - [`setup`]: the programs that the tests run, and installing those that are missing.
//! - [`kubectl`]: the Kustomize that judges edits.
//! - [`python`]: what the tests run that comes from the Python registry.
//! - [`examples`]: GitHub's own examples of what its webhooks send.
//! - [`fuzz`]: the fuzzers, what they begin with, and running them.
//! - [`say`]: the lines that these commands add to those of the programs they run.

mod bench;
mod examples;
mod fuzz;
mod kubectl;
mod python;
mod say;
mod setup;
mod soak;
mod stage;
mod tally;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::{bench::Benchmark, stage::Stage};

const EXAMPLES: &str = "\
Examples:
  cargo xtask test                 set up, then run every stage
  cargo xtask test --only clippy   run one stage
  cargo xtask test --skip-setup    install nothing and look for nothing
  cargo xtask setup                only install what the tests need
  cargo xtask bench intake         how many deliveries a second are durable
  cargo xtask soak                 kill replicas 1000 times on each database
  cargo xtask soak --seed 7 --database postgres
  cargo xtask fuzz                 which fuzzers there are
  cargo xtask fuzz ecr             run one of them for a minute";

/// Developer commands of Tagferry
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run formatting, clippy, rustdoc and all tests; stop at the first stage that fails
    ///
    /// The exit code is that of the stage that failed.
    /// It is 1 when no test ran or one was ignored.
    #[command(after_help = EXAMPLES)]
    Test {
        /// Run this stage alone
        #[arg(long, value_name = "STAGE")]
        only: Option<Stage>,
        /// Neither look for nor install the programs that the tests run
        #[arg(long)]
        skip_setup: bool,
    },
    /// Measure the release build, for some minutes; nothing else should run meanwhile
    Bench {
        /// What to measure
        #[arg(value_name = "BENCHMARK")]
        benchmark: Benchmark,
    },
    /// Kill, pause, add and remove replicas at random while releases are under way and everything else fails as well
    ///
    /// At the end every release must be settled, with one pull request each, and nothing lost or done twice. A thousand
    /// kills take about half an hour on each database. What happens follows from the seed, which is printed.
    Soak {
        /// How often a replica is killed
        #[arg(long, value_name = "N", default_value_t = 1000)]
        kills: u32,
        /// What everything at random follows from; another each time unless it is given
        #[arg(long, value_name = "N")]
        seed: Option<u64>,
        /// One database alone
        #[arg(long, value_name = "DATABASE")]
        database: Option<soak::Database>,
    },
    /// Let a fuzzer look for an input that a parser does not survive; without a target, tell which there are
    ///
    /// It needs cargo-fuzz. What it learns is kept in target/fuzz.
    Fuzz {
        /// A target, or `all`
        #[arg(value_name = "TARGET")]
        target: Option<String>,
        /// How long each target runs
        #[arg(long, value_name = "N", default_value_t = 60)]
        seconds: u64,
        /// More inputs to begin with
        #[arg(long, value_name = "DIRECTORY", env = "TAGFERRY_CORPUS")]
        corpus: Option<PathBuf>,
    },
    /// Install the programs that the tests run, where they are missing
    ///
    /// They come as Debian packages, installed as root or through sudo. A kubectl that is missing or too old,
    /// Schemathesis, and GitHub's examples of its webhooks go into target/tools.
    Setup,
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().command {
        Command::Setup => {
            setup::run()?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Soak { kills, seed, database } => soak::run(kills, seed, database),
        Command::Bench { benchmark } => bench::run(benchmark),
        Command::Fuzz { target, seconds, corpus } => fuzz::run(target.as_deref(), seconds, corpus.as_deref()),
        Command::Test { only, skip_setup } => {
            let stages = only.map_or_else(|| Stage::ALL.to_vec(), |stage| vec![stage]);
            if stages.contains(&Stage::Test) && !skip_setup {
                setup::run()?;
            }
            stage::run(&stages)
        }
    }
}
