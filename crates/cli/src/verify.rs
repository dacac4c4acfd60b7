//! `tagferry verify`: the evidence about any image, now.

use std::{
    fmt::Write as _,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use chrono::Utc;
use domain::{
    application::Name,
    commit::Commit,
    evidence::{Outcome, Verdict},
};
use reconciler::{Image, Planner, Verified};
use serde_json::{Value, json};
use server::Config;

use crate::{
    failure::unanswered,
    install_crypto,
    output::{self, Output, printable},
    say_error,
};

/// How long to wait before asking again.
const PAUSE: Duration = Duration::from_secs(10);

/// What `verify` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tagferry verify registry.example.com/aws/mandelbrot:sha-8e35171… --application mandelbrot --config tagferry.yaml
  tagferry verify registry.example.com/staging/mandelbrot@sha256:4f1c… --commit 8e35171… --application mandelbrot
  tagferry verify registry.example.com/aws/mandelbrot --commit 8e35171… --application mandelbrot --wait 10m --output json

The image is held to the policy of the application, `applications.NAME.verify`, wherever it is. No server is needed: the
registry and the forge are asked with the credentials of the configuration. What only the service knows is skipped:
whether the tag had another digest before. What GitHub Actions posted is pending where it is required.
Exit codes: 0 the evidence passed; 1 it failed, or something is still missing; 2 usage; 3 the registry or the forge can not
be reached.")]
pub(crate) struct Arguments {
    /// The image; without a tag it is the tag of the commit.
    #[arg(value_name = "IMAGE[:TAG|@DIGEST]", value_parser = image)]
    image: Image,
    /// Whose policy it is held to.
    #[arg(long, value_name = "NAME")]
    application: Name,
    /// The commit that it is to be built from, in full; that which the tag names, or else the image itself, by default.
    #[arg(long, value_name = "SHA")]
    commit: Option<Commit>,
    /// The configuration file.
    #[arg(long, short, env = "TAGFERRY_CONFIG", value_name = "FILE")]
    config: PathBuf,
    /// How long to ask again for what is still missing, as 10m; not at all by default.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    wait: Option<Duration>,
    /// How the outcome is printed.
    #[arg(long, default_value = "text", value_enum, value_name = "FORMAT")]
    output: Output,
}

/// Verifies, and prints what was seen.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let config = Config::read(&arguments.config)?;
    install_crypto()?;
    let directory = tempfile::tempdir().context("making a directory for the forge")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    let verified = runtime.block_on(async {
        let planner = server::planner(&config, directory.path().join("git"))?;
        ask(&planner, arguments).await
    })?;
    match arguments.output {
        Output::Text => output::print(&text_of(&verified))?,
        Output::Json => output::print(&(serde_json::to_string(&json_of(&verified)).context("writing JSON")? + "\n"))?,
    }
    Ok(if verified.verdict == Verdict::Passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Asks until nothing is pending, as long as that is wanted.
async fn ask(planner: &Planner, arguments: &Arguments) -> anyhow::Result<Verified> {
    let image = Image { commit: arguments.commit, ..arguments.image.clone() };
    let until = Instant::now() + arguments.wait.unwrap_or_default();
    loop {
        let verified = planner.verify(&arguments.application, &image, Utc::now()).await.map_err(unanswered)?;
        match &verified.verdict {
            Verdict::Pending { why, .. } if Instant::now() + PAUSE < until => {
                say_error(&format!("waiting: {}", printable(why)));
                tokio::time::sleep(PAUSE).await;
            }
            Verdict::Pending { .. } | Verdict::Passed | Verdict::Failed { .. } => return Ok(verified),
        }
    }
}

fn text_of(verified: &Verified) -> String {
    let mut text = String::new();
    let mut line = |words: &str| writeln!(text, "{words}").expect("a string takes everything that is written to it");
    let image = verified.reference.as_ref().map_or_else(String::new, |reference| format!(" {reference}"));
    line(&format!("{}{image}", verified.application));
    if let Some(digest) = &verified.digest {
        line(&format!("    {digest}"));
    }
    for one in &verified.evidence {
        let (kind, outcome) = (one.kind.as_str(), one.outcome.as_str());
        line(&format!("    {kind:<11} {outcome:<8} {}", printable(&one.seen)));
    }
    line(&match &verified.verdict {
        Verdict::Passed => "passed: every piece of evidence that is asked for is there".to_owned(),
        Verdict::Pending { why, .. } => format!("pending: {}", printable(why)),
        Verdict::Failed { why } => format!("failed: {}", printable(why)),
    });
    text
}

fn json_of(verified: &Verified) -> Value {
    let evidence: Vec<Value> = verified
        .evidence
        .iter()
        .map(|one| {
            let until = if let Outcome::Pending { until } = one.outcome { Some(until.to_rfc3339()) } else { None };
            let (kind, outcome) = (one.kind.as_str(), one.outcome.as_str());
            json!({ "kind": kind, "outcome": outcome, "until": until, "seen": one.seen, "link": one.link })
        })
        .collect();
    let (verdict, why) = match &verified.verdict {
        Verdict::Passed => ("passed", None),
        Verdict::Pending { why, .. } => ("pending", Some(why)),
        Verdict::Failed { why } => ("failed", Some(why)),
    };
    json!({
        "application": verified.application.as_str(),
        "commit": verified.commit.map(|commit| commit.to_string()),
        "image": verified.reference.as_ref().map(ToString::to_string),
        "digest": verified.digest.as_ref().map(ToString::to_string),
        "evidence": evidence,
        "verdict": verdict,
        "why": why,
    })
}

/// Cuts an image's name behind its last slash; before that a colon belongs to a host.
fn image(text: &str) -> Result<Image, String> {
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest.parse().map_err(|why| format!("{digest}: {why}"))?)),
        None => (text, None),
    };
    let (name, tag) = match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag.parse().map_err(|why| format!("{tag}: {why}"))?)),
        Some(_) | None => (rest, None),
    };
    let repository = name.parse().map_err(|why| format!("{name}: {why}"))?;
    Ok(Image { repository, tag, digest, commit: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_named_by_tag_by_digest_by_both_or_by_neither() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        for (text, tag, has_digest) in [
            ("r.example:5000/a/b:v1".to_owned(), Some("v1"), false),
            (format!("r.example:5000/a/b@{digest}"), None, true),
            (format!("r.example/a/b:v1@{digest}"), Some("v1"), true),
            ("r.example:5000/a/b".to_owned(), None, false),
        ] {
            let image = image(&text).unwrap();
            assert!(image.repository.to_string().ends_with("/a/b"), "{text}");
            assert_eq!(image.tag.as_ref().map(domain::image::Tag::as_str), tag, "{text}");
            assert_eq!(image.digest.is_some(), has_digest, "{text}");
        }
        for text in ["mandelbrot", "r.example/a@sha256:00", "r.example/a:", "r.example/A:v1"] {
            assert!(image(text).is_err(), "{text}");
        }
    }
}
