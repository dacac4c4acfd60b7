//! The `tagferry` binary: `serve`, and the commands that people and CI run.

mod backup;
mod check;
mod client;
mod deliveries;
mod failure;
mod output;
mod plan;
mod serve;
mod set_image;
mod verify;

use std::process::ExitCode;

use anyhow::anyhow;
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
    /// Read a configuration and its secrets, ask outside where that is wanted, and say what is wrong.
    Check(check::Arguments),
    /// Set images in kustomizations here, and leave every other byte of them alone.
    SetImage(set_image::Arguments),
    /// Show what a tag or a saved webhook body would do, and change nothing.
    Plan(plan::Arguments),
    /// Say what is known of an image: the evidence of its tag, commit, digest and builder.
    Verify(verify::Arguments),
    /// Copy the database of a service that runs.
    Backup(backup::Arguments),
    /// Ask a server what senders said, and what became of it.
    Deliveries(deliveries::Arguments),
    /// Have a server look at a delivery once more.
    Replay(deliveries::ReplayArguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Serve(arguments) => serve::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Check(arguments) => check::run(&arguments),
        Command::SetImage(arguments) => set_image::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Backup(arguments) => backup::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Deliveries(arguments) => deliveries::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Replay(arguments) => deliveries::replay(&arguments).map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        say_error(&format!("{error:#}"));
        failure::exit_code(&error)
    })
}

/// One crypto provider for every TLS connection of the process.
fn install_crypto() -> anyhow::Result<()> {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_already| anyhow!("another crypto provider is installed already"))
}

#[expect(clippy::print_stderr, reason = "a command says on standard error why it failed")]
fn say_error(sentence: &str) {
    eprintln!("tagferry: {sentence}");
}
