//! `tagferry serve`.

use std::path::PathBuf;

use anyhow::Context as _;
use server::{
    Config, Service,
    telemetry::{self, Format},
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{install_crypto, output::print};

/// What `serve` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tagferry serve --config /etc/tagferry/tagferry.yaml
  tagferry serve --config tagferry.yaml --log info,forge=debug --log-format json

The first line on standard output says where it listens; logs go to standard error.
SIGTERM and Ctrl-C stop it once the passes that have begun are finished.")]
pub(crate) struct Arguments {
    /// The configuration file.
    #[arg(long, short, env = "TAGFERRY_CONFIG", value_name = "FILE")]
    config: PathBuf,
    /// What is logged: a level, and levels of single crates.
    #[arg(long, env = "TAGFERRY_LOG", default_value = "info", value_name = "FILTER")]
    log: String,
    /// How log lines look.
    #[arg(long, env = "TAGFERRY_LOG_FORMAT", default_value = "text", value_enum, value_name = "FORMAT")]
    log_format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Serves until it is told to stop.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let format = match arguments.log_format {
        LogFormat::Text => Format::Text,
        LogFormat::Json => Format::Json,
    };
    telemetry::start(&arguments.log, format).with_context(|| format!("--log {}", arguments.log))?;
    install_crypto()?;
    let config = Config::read(&arguments.config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(async {
        let stop = stop_signal()?;
        let service = Service::start(&config).await?;
        say(&format!("tagferry listens on http://{}", service.address()))?;
        service.run(stop).await?;
        Ok(())
    })
}

/// Cancelled at the first SIGTERM or SIGINT.
fn stop_signal() -> anyhow::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let stop = CancellationToken::new();
    let told = stop.clone();
    // It ends with the process; nothing waits for it.
    drop(tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        told.cancel();
    }));
    Ok(stop)
}

fn say(line: &str) -> anyhow::Result<()> {
    print(&format!("{line}\n"))
}
