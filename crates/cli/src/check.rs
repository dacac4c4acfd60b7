//! `tagferry check`: a configuration with all that it names, here and, when it is asked for, outside.

use std::{fmt::Write as _, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use reconciler::{Finding, Mark};
use serde_json::json;
use server::Config;

use crate::{
    install_crypto,
    output::{Output, print, printable},
};

/// What `check` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tagferry check --config /etc/tagferry/tagferry.yaml
  tagferry check --online --config tagferry.yaml

Without --online nothing outside is asked. With it, each line is one thing that was looked at: good, a warning, or a
problem that keeps the first release from landing, with what to do about it. The exit code is 1 when there is a problem.")]
pub(crate) struct Arguments {
    /// The configuration file.
    #[arg(long, short, env = "TAGFERRY_CONFIG", value_name = "FILE")]
    config: PathBuf,
    /// Ask the forge and the registries, too; nothing is changed there.
    #[arg(long)]
    online: bool,
    /// How it is printed.
    #[arg(long, default_value = "text", value_enum, value_name = "FORMAT")]
    output: Output,
}

/// Where one sender announces, and how.
struct Door {
    address: String,
    kind: String,
    place: String,
    credential: String,
}

/// Reads a configuration with everything that it names on this machine, and asks outside where that is wanted.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    install_crypto()?;
    let config = Config::read(&arguments.config)?;
    let applications = config.applications()?.len();
    config.store.address()?;
    config.registries()?;
    config.attesters()?;
    config.gates()?;
    config.mirrors(&config.server.data_dir)?;
    config.github.credentials()?;
    config.github.write()?.check()?;
    let doors = doors(&config)?;
    let findings = if arguments.online { Some(survey(&config, &doors)?) } else { None };
    let is_bad = findings.iter().flatten().any(|finding| finding.mark == Mark::Problem);
    match arguments.output {
        Output::Text => print(&text(arguments, applications, config.senders()?.len(), &doors, findings.as_deref()))?,
        Output::Json => print(&(json_of(applications, &doors, findings.as_deref()) + "\n"))?,
    }
    Ok(if is_bad { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn doors(config: &Config) -> anyhow::Result<Vec<Door>> {
    let base = config.server.public_url.as_ref().map_or("", |url| url.as_str().trim_end_matches('/'));
    let mut doors = Vec::new();
    for (name, sender) in &config.senders()? {
        let setup = sender.setup();
        // The secret is not for the screen: whoever pastes the address puts it in.
        let parameter = setup.parameter.map_or_else(String::new, |parameter| format!("?{parameter}=…"));
        doors.push(Door {
            address: format!("{base}/v1/hooks/{name}{parameter}"),
            kind: sender.kind().to_string(),
            place: setup.place.to_owned(),
            credential: setup.credential.to_string(),
        });
    }
    if let Some(actions) = &config.github.actions {
        doors.push(Door {
            address: format!("{base}/v1/builds"),
            kind: "GitHub Actions".to_owned(),
            place: "the input url of the action deploy/github-action, which adds the path itself".to_owned(),
            credential: format!("the identity token of the run, made for the audience {}", actions.audience),
        });
    }
    Ok(doors)
}

fn survey(config: &Config, doors: &[Door]) -> anyhow::Result<Vec<Finding>> {
    let hook = doors.iter().find(|door| door.kind == "github").map(|door| door.address.as_str());
    let directory = tempfile::tempdir().context("making a directory for the clones of GitOps repositories")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(async {
        let planner = server::planner(config, directory.path().join("git"))?;
        Ok(planner.survey(hook).await)
    })
}

fn text(
    arguments: &Arguments,
    applications: usize,
    senders: usize,
    doors: &[Door],
    findings: Option<&[Finding]>,
) -> String {
    let mut text = format!("{} is good: {applications} applications, {senders} senders\n", arguments.config.display());
    for Door { address, kind, place, credential } in doors {
        line(&mut text, format_args!("  {address}  {kind}"));
        line(&mut text, format_args!("      to: {place}"));
        line(&mut text, format_args!("      credential: {credential}"));
    }
    for Finding { subject, mark, sentence } in findings.into_iter().flatten() {
        line(&mut text, format_args!("{:<8} {}: {}", mark.as_str(), printable(subject), printable(sentence)));
    }
    text
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    writeln!(text, "{arguments}").expect("a string takes everything that is written to it");
}

fn json_of(applications: usize, doors: &[Door], findings: Option<&[Finding]>) -> String {
    let senders: Vec<_> = doors
        .iter()
        .map(|door| {
            json!({ "address": door.address, "kind": door.kind, "place": door.place, "credential": door.credential })
        })
        .collect();
    let findings = findings.map(|findings| {
        let one =
            |one: &Finding| json!({ "subject": one.subject, "mark": one.mark.as_str(), "sentence": one.sentence });
        findings.iter().map(one).collect::<Vec<_>>()
    });
    json!({ "applications": applications, "senders": senders, "findings": findings }).to_string()
}
