//! `tagferry plan`: what a tag or a saved webhook body would do, with nothing done.
//!
//! What is asked and decided is the reconciler's; here a body is read, and what comes out is printed.

mod report;
mod source;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use chrono::Utc;
use domain::{
    announcement::{Announcement, Pushed},
    image::Reference,
};
use reconciler::{Named, Planned, PlannedRelease, Planner};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use server::Config;
use store::Element;

use crate::{failure::unanswered, install_crypto, output::Output};

/// What `plan` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tagferry plan --config tagferry.yaml --image registry.example.com/aws/mandelbrot:sha-8e35171…
  tagferry plan --config tagferry.yaml --delivery body.json --sender registry
  curl … | tagferry plan --config tagferry.yaml --delivery - --sender gitea --header 'X-Gitea-Event: package'
  tagferry plan --config tagferry.yaml --delivery body.json --output json

The registries and the forge are asked as the service would ask them, with the credentials of the configuration; the
secrets of senders and the database are not needed. Nothing is recorded, pushed, opened or merged.
What only the database of the service knows is not looked at: what a person declined, other releases on their way, a
digest that the tag had before, and how long other targets have been waited for.
Exit codes: 0 something would be done, or it is rightly ignored; 1 refused or failed; 2 usage; 3 a registry or the forge
can not be reached.")]
#[command(group = clap::ArgGroup::new("what").required(true).args(["delivery", "image"]))]
pub(crate) struct Arguments {
    /// The configuration file.
    #[arg(long, short, env = "TAGFERRY_CONFIG", value_name = "FILE")]
    config: PathBuf,
    /// A saved webhook body, as it was sent; `-` for standard input.
    #[arg(long, value_name = "FILE")]
    delivery: Option<OsString>,
    /// The sender whose body it is, by its name in the configuration; not needed where only one can read it.
    #[arg(long, value_name = "NAME", conflicts_with = "image")]
    sender: Option<String>,
    /// A header that the body came with, for the kinds that say there what it is; may be given several times.
    #[arg(long = "header", value_name = "NAME: VALUE", conflicts_with = "image", value_parser = header)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// A pushed tag, in place of a body.
    #[arg(long, value_name = "HOST/REPO:TAG", value_parser = image)]
    image: Option<Reference>,
    /// How the outcome is printed.
    #[arg(long, default_value = "text", value_enum, value_name = "FORMAT")]
    output: Output,
}

/// Everything that would be done, and what would not.
#[derive(Debug)]
struct Plan {
    /// Whose body it is; `None` for a tag.
    sender: Option<String>,
    /// How many things the body says that are understood and not wanted.
    unwanted: usize,
    announcements: Vec<PlannedElement>,
    /// Each release once, however many announcements are about it.
    releases: Vec<PlannedRelease>,
}

/// One thing that a body says, and what would become of it.
#[derive(Debug)]
enum PlannedElement {
    Pushed(Pushed, Planned),
    Moved(domain::forge::Repository),
    Unusable { text: String, reason: String },
}

/// Plans, and prints that.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let config = Config::read(&arguments.config)?;
    let source = source::Source::read(arguments, &config)?;
    install_crypto()?;
    let directory = tempfile::tempdir().context("making a directory for the clones of GitOps repositories")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    let plan = runtime.block_on(async {
        let planner = server::planner(&config, directory.path().join("git"))?;
        Plan::make(&planner, source).await.map_err(unanswered)
    })?;
    report::print(&plan, arguments.output)?;
    Ok(if plan.is_refused() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

impl Plan {
    async fn make(planner: &Planner, source: source::Source) -> Result<Self, reconciler::Error> {
        let source::Source { sender, said } = source;
        let mut plan = Self { sender, unwanted: said.unwanted, announcements: Vec::new(), releases: Vec::new() };
        for element in said.elements {
            let planned = match element {
                Element::Unusable { text, reason } => PlannedElement::Unusable { text, reason },
                Element::Announced(Announcement::Moved(moved))
                | Element::Ignored { announcement: Announcement::Moved(moved), reason: _ } => {
                    PlannedElement::Moved(moved.repository)
                }
                Element::Announced(Announcement::Pushed(pushed))
                | Element::Ignored { announcement: Announcement::Pushed(pushed), reason: _ } => {
                    let planned = planner.identify(&pushed).await?;
                    if let Planned::Accepted { releases, .. } = &planned {
                        plan.add_releases(planner, releases).await?;
                    }
                    PlannedElement::Pushed(pushed, planned)
                }
            };
            plan.announcements.push(planned);
        }
        Ok(plan)
    }

    async fn add_releases(&mut self, planner: &Planner, releases: &[Named]) -> Result<(), reconciler::Error> {
        for release in releases {
            if !self.releases.iter().any(|known| known.release == *release) {
                self.releases.push(planner.plan(release, Utc::now()).await?);
            }
        }
        Ok(())
    }

    /// Whether anything would not be done that somebody may have wanted to be done.
    fn is_refused(&self) -> bool {
        self.announcements.iter().any(|one| matches!(one, PlannedElement::Unusable { .. }))
            || self.releases.iter().any(report::is_refused)
    }
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("it is written `Name: value`")?;
    let name = name.trim().parse().map_err(|_unhelpful| "the name of a header has letters, digits and dashes")?;
    let value = value.trim().parse().map_err(|_unhelpful| "the value of a header is printable ASCII")?;
    Ok((name, value))
}

fn image(text: &str) -> Result<Reference, String> {
    let form = "it is written HOST/REPO:TAG, as registry.example.com/aws/mandelbrot:sha-8e35171…";
    let (repository, tag) = text.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).ok_or(form)?;
    let repository = repository.parse().map_err(|why| format!("{repository}: {why}"))?;
    let tag = tag.parse().map_err(|why| format!("{tag}: {why}"))?;
    Ok(Reference { repository, tag })
}

impl Arguments {
    fn header_map(&self) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in &self.headers {
            map.append(name.clone(), value.clone());
        }
        map
    }
}
