//! `tagferry deliveries` and `tagferry replay`: why was my push ignored, and try it again.

use std::{fmt::Write as _, num::NonZeroU64};

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    client::{ServerArguments, ask},
    output::{Output, print, printable},
};

/// What `deliveries` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  export TAGFERRY_TOKEN=…
  tagferry deliveries --server https://tagferry.example.com
  tagferry deliveries --server https://tagferry.example.com 1204
  tagferry deliveries --server https://tagferry.example.com --limit 200 --output json

Any role may read. With more than one page, the last line says how to go on.
Exit codes: 0 done; 1 refused or failed; 2 usage; 3 the server can not be reached.")]
pub(crate) struct Arguments {
    /// The delivery to show; without it the newest ones are listed.
    #[arg(value_name = "ID")]
    id: Option<NonZeroU64>,
    /// How many are listed.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(1..=200), conflicts_with = "id")]
    limit: Option<u8>,
    /// List those that are older than this one.
    #[arg(long, value_name = "ID", conflicts_with = "id")]
    before: Option<NonZeroU64>,
    #[command(flatten)]
    server: ServerArguments,
}

/// What `replay` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  export TAGFERRY_TOKEN=…
  tagferry replay --server https://tagferry.example.com 1204
  tagferry replay --server https://tagferry.example.com 1204 --output json

A token with the role releaser or admin is needed. The body that was kept is read again as its sender is configured
now, where that needs no header; what is pending already stays as it is, and what was released is not released again.
Exit codes: 0 done; 1 refused or failed; 2 usage; 3 the server can not be reached.")]
pub(crate) struct ReplayArguments {
    /// The delivery to look at once more.
    #[arg(value_name = "ID")]
    id: NonZeroU64,
    #[command(flatten)]
    server: ServerArguments,
}

/// A page as the server gives it.
#[derive(Deserialize)]
struct Page {
    deliveries: Vec<Delivery>,
    next: Option<String>,
}

/// A delivery as the server gives it.
#[derive(Deserialize)]
struct Delivery {
    id: String,
    sender: String,
    received_at: String,
    announcements: Vec<Announcement>,
}

#[derive(Deserialize)]
struct Announcement {
    text: Option<String>,
    repository: Option<String>,
    tag: Option<String>,
    verdict: String,
    reason: Option<String>,
    release: Option<String>,
}

/// Shows one delivery, or lists the newest.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let Arguments { id, limit, before, server } = arguments;
    if let Some(id) = id {
        let answer = ask(server, async |client| client.get(&["deliveries", &id.to_string()], &[]).await)?;
        return show(server.output, answer, Delivery::text);
    }
    let limit = limit.map(|limit| ("limit", limit.to_string()));
    let before = before.map(|before| ("before", before.to_string()));
    let parameters: Vec<_> = limit.into_iter().chain(before).collect();
    let answer = ask(server, async |client| client.get(&["deliveries"], &parameters).await)?;
    show(server.output, answer, Page::text)
}

/// Has a delivery looked at once more.
pub(crate) fn replay(arguments: &ReplayArguments) -> anyhow::Result<()> {
    let ReplayArguments { id, server } = arguments;
    let answer = ask(server, async |client| client.post(&["deliveries", &id.to_string(), "replay"]).await)?;
    show(server.output, answer, Delivery::text)
}

/// Prints an answer: as it came, or what it says.
fn show<T: for<'de> Deserialize<'de>>(output: Output, answer: Value, text: fn(&T) -> String) -> anyhow::Result<()> {
    match output {
        Output::Json => print(&format!("{answer}\n")),
        Output::Text => print(&text(
            &serde_json::from_value(answer).context("the answer is not one of a Tagferry of this version")?,
        )),
    }
}

impl Page {
    fn text(&self) -> String {
        let mut text: String = self.deliveries.iter().map(Delivery::text).collect();
        if self.deliveries.is_empty() {
            text.push_str("no deliveries\n");
        }
        if let Some(next) = &self.next {
            line(&mut text, format_args!("older ones: --before {}", printable(next)));
        }
        text
    }
}

impl Delivery {
    /// A line for it, and one for each thing that it says.
    fn text(&self) -> String {
        let mut text = String::new();
        let head = format!("{}  {}  {}", self.id, self.received_at, self.sender);
        line(&mut text, format_args!("{}", printable(&head)));
        for one in &self.announcements {
            line(&mut text, format_args!("    {}", printable(&one.text())));
        }
        text
    }
}

impl Announcement {
    fn text(&self) -> String {
        let what = match (&self.repository, &self.tag) {
            (Some(repository), Some(tag)) => format!("{repository}:{tag}"),
            (Some(repository), None) => repository.clone(),
            (None, _) => self.text.clone().unwrap_or_default(),
        };
        let reason = self.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        let release = self.release.as_ref().map_or_else(String::new, |release| format!(" (release {release})"));
        format!("{}  {what}{reason}{release}", self.verdict)
    }
}

/// Appends a line; writing to a string does not fail.
fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(text, "{arguments}").expect("a string takes everything that is written to it");
}
