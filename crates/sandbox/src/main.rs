//! The sandbox as a program.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, process::ExitCode, str::FromStr, time::Duration};

use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Args, Parser, Subcommand};
use domain::forge::InvalidRepository;
use sandbox::{
    AutomaticCheck, Key, Kind, NewRepository, Options, Outcome, PERSONAL_TOKEN, Protection, Report, Sandbox, Settings,
    Target, TokenFormat,
    registry::{self, SandboxRegistry},
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// A forge as GitHub is one, and an OCI registry, on this machine: try a configuration before it meets the real ones.
#[derive(Debug, Parser)]
#[command(name = "tagferry-sandbox", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the forge, and a registry if one is asked for, until Ctrl-C
    Serve(Box<Serve>),
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { command: Command::Serve(arguments) } = Arguments::parse();
    match run(*arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say_error(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a command says on standard error why it failed")]
fn say_error(error: &anyhow::Error) {
    eprintln!("tagferry-sandbox: {error:#}");
}

/// What people see who read the help to its end.
const EXAMPLES: &str = include_str!("examples.txt");

/// What `serve` is told.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES, after_help = "See --help for examples.")]
struct Serve {
    /// The address that the forge listens on; port 0 for any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The directory that keeps repositories and the App's key; without it they are gone when the sandbox stops
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A repository to make, empty or with the branches of the clone or bare repository at PATH; may be repeated
    #[arg(long = "repository", value_name = "OWNER/NAME[=PATH]")]
    repositories: Vec<Wanted>,
    /// A check that the default branch of each repository requires, without which nothing waits to be merged; may be repeated
    #[arg(long = "required-check", value_name = "NAME")]
    required_checks: Vec<String>,
    /// Let the required checks of each pull request succeed by themselves after this many milliseconds
    #[arg(long, value_name = "MILLISECONDS", requires = "required_checks")]
    checks_succeed_after: Option<u64>,
    /// The number of the GitHub App, which is installed on all repositories
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    app_id: u64,
    /// Give out installation tokens of 40 characters, as GitHub did before 2026, in place of about 520
    #[arg(long)]
    classic_tokens: bool,
    /// A file with a personal token that may do everything; without it the token is `ghp_sandboxOctocat`
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Where webhooks are posted to
    #[arg(long, value_name = "URL")]
    webhook_url: Option<String>,
    /// A file with the secret that signs webhooks
    #[arg(long, value_name = "FILE", requires = "webhook_url")]
    webhook_secret_file: Option<PathBuf>,
    /// Hold every answer back for this many milliseconds
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    latency: u64,
    /// What is logged on standard error: a level, and levels of single modules
    #[arg(long, env = "TAGFERRY_LOG", value_name = "FILTER", default_value = "warn")]
    log: String,
    #[command(flatten)]
    registry: registry::Flags,
}

/// A repository that is wanted.
#[derive(Clone, Debug)]
struct Wanted {
    name: Key,
    copy_from: Option<PathBuf>,
}

/// Runs until somebody stops it.
async fn run(arguments: Serve) -> Result<()> {
    start_log(&arguments.log).with_context(|| format!("--log {}", arguments.log))?;
    install_crypto()?;
    let mut terminate = signal(SignalKind::terminate()).context("waiting for SIGTERM")?;
    let registry = match arguments.registry.options()? {
        Some(options) => Some(SandboxRegistry::start(options).await?),
        None => None,
    };
    let kept = arguments.data.clone();
    let wanted = arguments.repositories.clone();
    let rules =
        Rules { required_checks: arguments.required_checks.clone(), succeed_after: arguments.checks_succeed_after };
    #[expect(clippy::disallowed_methods, reason = "nobody judges a program that people run")]
    let sandbox = Sandbox::start(options(arguments)?).await?;
    for repository in wanted {
        add(&sandbox, repository, &rules).await?;
    }
    announce(&sandbox, registry.as_ref(), kept).await?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("waiting for Ctrl-C")?,
        _ = terminate.recv() => {}
    }
    sandbox.shutdown().await;
    if let Some(registry) = registry {
        registry.shutdown().await;
    }
    Ok(())
}

fn start_log(filter: &str) -> Result<()> {
    let filter = EnvFilter::try_new(filter)?;
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    Ok(())
}

/// One crypto provider for every TLS connection of the process, as webhooks and notifications may need.
fn install_crypto() -> Result<()> {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_already| anyhow!("another crypto provider is installed already"))
}

fn options(arguments: Serve) -> Result<Options> {
    let token = match &arguments.token_file {
        Some(path) => secret(path)?,
        None => PERSONAL_TOKEN.to_owned(),
    };
    let secret = arguments.webhook_secret_file.as_ref().map(secret).transpose()?;
    let target = arguments.webhook_url.map(|url| Target { url, secret, ..Target::default() });
    let format = if arguments.classic_tokens { TokenFormat::Classic } else { TokenFormat::Stateless };
    Ok(Options {
        listen: arguments.listen,
        data: arguments.data,
        app_id: arguments.app_id,
        token_format: format,
        personal_tokens: BTreeMap::from([(token, "octocat".to_owned())]),
        webhook: target,
        latency: Duration::from_millis(arguments.latency),
        ..Options::default()
    })
}

/// How every repository of this run merges.
#[derive(Clone, Debug)]
struct Rules {
    required_checks: Vec<String>,
    succeed_after: Option<u64>,
}

/// A repository that an earlier run left keeps its branches; its copy is not made again.
async fn add(sandbox: &Sandbox, wanted: Wanted, rules: &Rules) -> Result<()> {
    let name = wanted.name.to_string();
    let automatic = |check: &String| {
        let report = Report { name: check.clone(), outcome: Outcome::Success, kind: Kind::CheckRun };
        rules.succeed_after.map(|after_ms| AutomaticCheck { report, after_ms })
    };
    let settings = Settings {
        allow_auto_merge: true,
        delete_branch_on_merge: true,
        automatic_checks: rules.required_checks.iter().filter_map(automatic).collect(),
        ..Settings::default()
    };
    if sandbox.repository(&name).await.is_err() {
        let new = NewRepository { copy_from: wanted.copy_from, ..NewRepository::with_files(&name, [])? };
        sandbox.create_repository(new).await.with_context(|| format!("making the repository {name}"))?;
    }
    sandbox.set_settings(&name, settings).await?;
    if !rules.required_checks.is_empty() {
        let branch = sandbox.repository(&name).await?.default_branch;
        let protection = Protection { required_checks: rules.required_checks.clone(), ..Protection::default() };
        sandbox.protect(&name, &branch, Some(protection)).await?;
    }
    Ok(())
}

/// Says one line per address.
#[expect(clippy::print_stdout, reason = "the addresses are what this program answers")]
async fn announce(sandbox: &Sandbox, registry: Option<&SandboxRegistry>, kept: Option<PathBuf>) -> Result<()> {
    println!("forge      {}", sandbox.url());
    println!("control    {}/_sim/", sandbox.url());
    for repository in sandbox.repositories().await? {
        println!("git        {}", repository.git_url);
    }
    match kept {
        Some(data) => println!("App key    {}", data.join("github-app.pem").display()),
        None => println!("App key    {}/_sim/app (private_key)", sandbox.url()),
    }
    if let Some(registry) = registry {
        println!("registry   http://{}", registry.host());
    }
    Ok(())
}

fn secret(path: &PathBuf) -> Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let text = text.trim();
    if text.is_empty() {
        bail!("{} is empty", path.display());
    }
    Ok(text.to_owned())
}

impl FromStr for Wanted {
    type Err = InvalidRepository;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, path) = match text.split_once('=') {
            Some((name, path)) => (name, Some(PathBuf::from(path))),
            None => (text, None),
        };
        Ok(Self { name: name.parse()?, copy_from: path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_help_can_be_typed() {
        let whole = EXAMPLES.replace("\\\n", "");
        let commands: Vec<&str> =
            whole.lines().map(str::trim).filter(|line| line.starts_with("tagferry-sandbox ")).collect();
        assert_eq!(commands.len(), 2);
        for command in commands {
            let parsed = Arguments::try_parse_from(command.split_whitespace());
            assert!(parsed.is_ok(), "{command}: {parsed:?}");
        }
    }
}
