//! The `tagferry` binary: `serve`, and the commands that people and CI run.

mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Carries verified image tags from container registries into GitOps overlays.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Receive webhooks and carry what they announce until it is merged.
    Serve(serve::Arguments),
    /// Read a configuration and its secrets, and say what is wrong.
    Check(serve::CheckArguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Check(arguments) => serve::check(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say_error(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a command says on standard error why it failed")]
fn say_error(error: &anyhow::Error) {
    eprintln!("tagferry: {error:#}");
}
