//! The `tagferry` binary: `serve`, and the commands that people and CI run.

mod serve;
mod set_image;

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
    /// Set images in kustomizations here, and leave every other byte of them alone.
    SetImage(set_image::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Serve(arguments) => serve::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Check(arguments) => serve::check(&arguments).map(|()| ExitCode::SUCCESS),
        Command::SetImage(arguments) => set_image::run(&arguments),
    };
    done.unwrap_or_else(|error| {
        say_error(&format!("{error:#}"));
        ExitCode::FAILURE
    })
}

#[expect(clippy::print_stderr, reason = "a command says on standard error why it failed")]
fn say_error(sentence: &str) {
    eprintln!("tagferry: {sentence}");
}
