//! Starts the two binaries as a user would and tells the story of a release.
//!
//! Read the modules in this order:
//!
//! - [`story`]: the chapters, each of which checks what it tells.
//! - [`place`]: the repositories and the configuration that the story happens in.
//! - [`tagferry`] and [`sandbox`]: what the two programs are asked over HTTP.
//! - [`programs`]: building them, starting them, stopping them.
//! - [`git`]: a clone, and what Git says changed in it.
//! - [`wait`]: looking again until something is there, with a deadline.
//! - [`say`]: how it looks.

mod git;
mod place;
mod programs;
mod sandbox;
mod say;
mod story;
mod tagferry;
mod wait;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, Result};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::{programs::Programs, say::Teller};

const EXAMPLES: &str = "\
Examples:
  cargo demo                    tell the story, then stay up until Ctrl-C
  cargo demo -- --once          tell the story and stop
  cargo demo -- --once --keep   leave the repositories, database and logs behind

It needs git and the Rust toolchain. The programs are built first, which takes
some minutes the first time; they listen on free ports of 127.0.0.1 alone, and
keep everything in a temporary directory.

Exit code: 0 when all came out as told, 1 when something did not or was late,
130 when it was interrupted before the end.";

/// The exit code of a program that Ctrl-C ended, as shells have it: 128 and the signal's number.
const INTERRUPTED: u8 = 130;

/// Carry an image from a push to a merged pull request, with the real programs, on this machine
#[derive(Debug, Parser)]
#[command(bin_name = "cargo demo --", after_help = EXAMPLES)]
struct Arguments {
    /// Stop at the end of the story
    #[arg(long)]
    once: bool,
    /// Keep the directory with the repositories, the database and the logs
    #[arg(long)]
    keep: bool,
    /// The cargo that builds the programs
    #[arg(long, env = "CARGO", default_value = "cargo", hide = true)]
    cargo: PathBuf,
    /// No colours, whatever its value (<https://no-color.org>)
    #[arg(long, env = "NO_COLOR", hide = true)]
    no_color: Option<String>,
}

/// How it ended when nothing went wrong.
enum Ending {
    Told,
    Interrupted,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse_from(arguments());
    match run(&arguments).await {
        Ok(Ending::Told) => ExitCode::SUCCESS,
        Ok(Ending::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(error) => {
            say::complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// What was given, without a `--` in front: the alias ends with one, and people who know cargo type another.
fn arguments() -> impl Iterator<Item = OsString> {
    let is_second_separator = |(index, argument): &(usize, OsString)| *index == 1 && argument == "--";
    let given = std::env::args_os().enumerate();
    given.filter(move |argument| !is_second_separator(argument)).map(|(_, argument)| argument)
}

/// Tells the story and stops what it started, however it ends.
async fn run(arguments: &Arguments) -> Result<Ending> {
    let mut interrupt = signal(SignalKind::interrupt()).context("waiting for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("waiting for SIGTERM")?;
    let mut programs = Programs::new()?;
    let mut told = false;
    let ended = tokio::select! {
        ended = tell(arguments, &mut programs, &mut told) => ended.map(|()| Ending::Told),
        _ = interrupt.recv() => Ok(Ending::Interrupted),
        _ = terminate.recv() => Ok(Ending::Interrupted),
    };
    let stopped = programs.stop().await;
    if ended.is_err() {
        say::logs(&programs.log_tails());
        // A program that ended by itself is why nobody answered.
        if let Err(also) = &stopped {
            say::complain(also);
        }
    }
    if arguments.keep || (ended.is_err() && programs.has_logs()) {
        say::progress(format_args!("everything is kept in {}", programs.keep().display()));
    }
    match ended? {
        Ending::Interrupted if !told => stopped.map(|()| Ending::Interrupted),
        Ending::Interrupted | Ending::Told => stopped.map(|()| Ending::Told),
    }
}

/// Tells the story; without `--once` it ends only when it is interrupted. `told` says that the end was reached.
async fn tell(arguments: &Arguments, programs: &mut Programs, told: &mut bool) -> Result<()> {
    git::check().await?;
    let binaries = programs::build(&arguments.cargo).await?;
    // The seconds in front of the lines are those of the story, not of the compiler.
    let teller = Teller::new(arguments.no_color.as_ref().is_some_and(|value| !value.is_empty()));
    let scene = place::prepare(&teller, &binaries, programs).await?;
    story::tell(&teller, &scene).await?;
    *told = true;
    if !arguments.once {
        story::invite(&teller, &scene)?;
        std::future::pending::<()>().await;
    }
    Ok(())
}
