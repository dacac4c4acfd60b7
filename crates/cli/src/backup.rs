//! `tagferry backup`: a copy of the database of a service that runs.

use std::path::PathBuf;

use anyhow::Context as _;
use secrecy::ExposeSecret as _;
use serde_json::json;
use server::Config;
use store::{Backup, Store};

use crate::output::{Output, print};

/// What `backup` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tagferry backup --config /etc/tagferry/tagferry.yaml --to /backup/tagferry.db
  tagferry backup --to /backup/$(date +%u).db --force --output json

The service may run: the copy holds everything that was recorded before, and nothing by halves. It is checked before it
is put in its place. To restore it, stop the service, put it where store.url says, and remove the files beside that
which end in -wal and -shm. A PostgreSQL database is backed up by pg_dump.
Exit codes: 0 done; 1 refused or failed; 2 usage.")]
pub(crate) struct Arguments {
    /// The configuration file, of which only the store is needed.
    #[arg(long, short, env = "TAGFERRY_CONFIG", value_name = "FILE")]
    config: PathBuf,
    /// Where the copy is to be; its directory must exist.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Replace a file that is there.
    #[arg(long)]
    force: bool,
    /// How the outcome is printed.
    #[arg(long, default_value = "text", value_enum, value_name = "FORMAT")]
    output: Output,
}

/// Copies the database.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let config = Config::read(&arguments.config)?;
    let address = config.store.address()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
    let copied = Store::back_up(address.expose_secret(), &arguments.to, arguments.force);
    let Backup { bytes, releases, deliveries } = runtime.block_on(copied)?;
    let to = arguments.to.display();
    match arguments.output {
        Output::Text => print(&format!("{to}: {bytes} bytes with {releases} releases and {deliveries} deliveries\n")),
        Output::Json => {
            let told = json!({ "to": to.to_string(), "bytes": bytes, "releases": releases, "deliveries": deliveries });
            print(&format!("{told}\n"))
        }
    }
}
