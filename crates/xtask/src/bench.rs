//! What is measured, and running it.
//!
//! Like the stages of a test run, each is a `cargo` command that anybody could type.

use std::process::ExitCode;

use clap::ValueEnum;

use crate::stage::{cargo, code, status};

/// One thing to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Benchmark {
    /// Durable deliveries a second, and how long they take
    Intake,
    /// Promotions a second of two replicas and of one, 50 ms away from everything
    Replicas,
}

/// Builds what is measured as it is released, and measures it.
///
/// # Errors
/// `cargo` cannot be started.
pub(crate) fn run(benchmark: Benchmark) -> anyhow::Result<ExitCode> {
    let name = match benchmark {
        Benchmark::Intake => "intake",
        Benchmark::Replicas => "replicas",
    };
    Ok(code(status(cargo("bench --locked --package testkit --bench").arg(name))?))
}
