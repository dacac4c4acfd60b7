//! The place that the story happens in: two running programs, two repositories, a configuration.

mod configuration;
mod gitops;
mod source;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use reqwest::Client;
use serde_json::json;
use tokio::process::Command;

pub(crate) use source::{Commit, History};

use crate::{
    programs::{Binaries, Programs},
    sandbox::Sandbox,
    say::Teller,
    tagferry::Tagferry,
};

/// Where the code is.
pub(crate) const SOURCE: &str = "acme/mandelbrot";

/// Where the overlays are.
pub(crate) const GITOPS: &str = "acme/trinity";

/// The branch that clusters follow.
pub(crate) const BASE: &str = "main";

/// The check that the base branch requires.
pub(crate) const CHECK: &str = "validate";

/// How long the check runs: long enough to be seen, and a good deal less than a real one.
pub(crate) const CHECK_MILLISECONDS: u64 = 1000;

/// The targets with their image repositories, named as three clouds would have it.
pub(crate) const TARGETS: [Target; 3] = [
    Target { name: "aws", repository: "trinity-dev-aws-mandelbrot" },
    Target { name: "gcp", repository: "trinity-k8s/trinity-dev-gcp/mandelbrot" },
    Target { name: "azure", repository: "mandelbrot" },
];

/// A cloud.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// The image repository in the registry that its cluster pulls from.
    pub(crate) repository: &'static str,
}

/// Everything that the story needs.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) sandbox: Sandbox,
    pub(crate) tagferry: Tagferry,
    pub(crate) history: History,
    pub(crate) directory: PathBuf,
    /// The configuration that Tagferry runs with.
    pub(crate) configuration: PathBuf,
}

impl Target {
    /// The path of its kustomization in the GitOps repository.
    pub(crate) fn kustomization(&self) -> String {
        format!("apps/mandelbrot/overlays/{}/kustomization.yaml", self.name)
    }
}

impl Scene {
    /// A target's image repository as references spell it.
    pub(crate) fn image(&self, target: Target) -> String {
        format!("{}/{}", self.sandbox.registry_host(), target.repository)
    }
}

/// Starts everything and fills the repositories.
///
/// # Errors
///
/// A program does not start, or the sandbox refuses something.
pub(crate) async fn prepare(teller: &Teller, binaries: &Binaries, programs: &mut Programs) -> Result<Scene> {
    let directory = programs.directory().to_owned();
    // Everything is on loopback, whatever proxy the environment names.
    let client = Client::builder().no_proxy().build().context("making an HTTP client")?;

    teller.chapter("The place")?;
    let sandbox = start_sandbox(&binaries.sandbox, programs, &client).await?;
    told(teller, "forge", sandbox.forge(), "tagferry-sandbox, in place of GitHub")?;
    told(teller, "registry", sandbox.registry(), "tagferry-sandbox, in place of three clouds' registries")?;
    let history = source::fill(&sandbox).await?;
    told(teller, "source", SOURCE, "three commits on main, one on a branch")?;
    let files = gitops::files(sandbox.registry_host(), &history.deployed);
    fill_gitops(&sandbox, &files).await?;
    told(teller, "GitOps", GITOPS, &format!("three overlays, `{BASE}` is protected and requires `{CHECK}`"))?;

    let configuration = configuration::write(&directory, &sandbox)?;
    let tagferry = start_tagferry(&binaries.tagferry, programs, &configuration, &client).await?;
    told(teller, "tagferry", tagferry.url(), "on SQLite")?;
    sandbox.set_webhook(&hook(&tagferry, "github"), configuration::FORGE_SECRET).await?;
    sandbox.set_notifications(&hook(&tagferry, "registry"), configuration::REGISTRY_SECRET).await?;
    Ok(Scene { sandbox, tagferry, history, directory, configuration })
}

async fn start_sandbox(binary: &Path, programs: &mut Programs, client: &Client) -> Result<Sandbox> {
    let mut command = Command::new(binary);
    command.args(["serve", "--registry-listen", "127.0.0.1:0", "--data"]);
    command.arg(programs.directory().join(configuration::FORGE));
    let lines = programs.start("tagferry-sandbox", command, "registry").await?;
    let address = |name: &str| {
        let found = lines.iter().find_map(|line| line.strip_prefix(name)).map(str::trim);
        found.with_context(|| format!("tagferry-sandbox does not say where its {name} is"))
    };
    Ok(Sandbox::new(client.clone(), address("forge ")?, address("registry ")?))
}

async fn start_tagferry(
    binary: &Path,
    programs: &mut Programs,
    configuration: &Path,
    client: &Client,
) -> Result<Tagferry> {
    const LISTENS: &str = "tagferry listens on ";
    let mut command = Command::new(binary);
    command.args(["serve", "--config"]).arg(configuration);
    let lines = programs.start("tagferry", command, LISTENS).await?;
    let url = lines.iter().find_map(|line| line.strip_prefix(LISTENS));
    Ok(Tagferry::new(client.clone(), url.context("tagferry does not say where it listens")?))
}

async fn fill_gitops(sandbox: &Sandbox, files: &[(&str, String)]) -> Result<()> {
    let files: serde_json::Map<_, _> = files.iter().map(|(path, text)| ((*path).to_owned(), json!(text))).collect();
    let check = json!({
        "name": CHECK, "outcome": "success", "kind": "check_run", "after_ms": CHECK_MILLISECONDS,
    });
    let settings = json!({ "allow_auto_merge": true, "delete_branch_on_merge": true, "automatic_checks": [check] });
    let new = json!({ "name": GITOPS, "default_branch": BASE, "files": files, "settings": settings });
    sandbox.create_repository(&new).await?;
    sandbox.protect(GITOPS, BASE, CHECK).await
}

/// Where a sender of this name is taken.
fn hook(tagferry: &Tagferry, sender: &str) -> String {
    format!("{}/v1/hooks/{sender}", tagferry.url())
}

fn told(teller: &Teller, noun: &str, name: &str, text: &str) -> Result<()> {
    teller.line(crate::say::Sign::Good, noun, &format!("{name:<24} {text}"))
}
