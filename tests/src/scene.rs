//! What a team has: a forge with its repositories, registries, and a configuration.

mod way;

use std::{fmt::Write as _, net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result};
use conformance::Watched;
use sandbox::{
    AutomaticCheck, NewRepository, Options, Protection, PullRequestView, Push, Report, Settings, Target,
    registry::{self, Image, SandboxRegistry},
};
use tempfile::TempDir;

pub use self::way::Way;
use crate::{
    Proxy, Tagferry, overlays, port,
    tagferry::{RELEASER_TOKEN_SHA256, TOKEN_SHA256},
    until,
};

/// Where the code is.
pub const SOURCE: &str = "acme/mandelbrot";

/// Where the overlays are.
pub const GITOPS: &str = "acme/trinity";

/// The check that the GitOps repository's `main` requires.
pub const CHECK: &str = "validate";

/// What a registry sends to be let in.
pub const REGISTRY_SECRET: &str = "Bearer registry-secret";

/// The key of the forge's signatures.
pub const FORGE_SECRET: &str = "forge-secret";

/// The targets with their image repositories.
pub const TARGETS: [(&str, &str); 3] =
    [("aws", "trinity-dev-aws-mandelbrot"), ("gcp", "trinity-k8s/trinity-dev-gcp/mandelbrot"), ("azure", "mandelbrot")];

/// How a scene differs from the usual one.
#[derive(Clone, Debug)]
pub struct SceneOptions {
    /// Whether the forge tells Tagferry what happens.
    pub forge_webhooks: bool,
    /// How soon after a push the required check passes by itself; `None` for not at all.
    pub check_after: Option<Duration>,
    /// What the application's settings have besides, in YAML, each line indented by four.
    pub application: String,
    /// What the settings of the forge have besides, in YAML, each line indented by two.
    pub github: String,
    /// How soon Tagferry looks again by itself.
    pub poll_interval: &'static str,
    /// How long a round trip takes longer on every connection.
    pub latency: Option<Duration>,
    /// The registry that overlays pull from, when it is not the sandbox's.
    pub registry_host: Option<String>,
    /// The branch that pull requests are to be merged into.
    pub base: &'static str,
    /// The port that Tagferry listens on; `None` for one of its own.
    pub port: Option<u16>,
}

/// A forge, a registry and a configuration, with everything in one directory that goes with it.
#[derive(Debug)]
pub struct Scene {
    /// The forge, which fails the test where GitHub would do something else.
    pub forge: Watched,
    /// The registry.
    pub registry: SandboxRegistry,
    directory: TempDir,
    options: SceneOptions,
    port: u16,
    registry_host: String,
    lines: Vec<Proxy>,
}

impl Default for SceneOptions {
    fn default() -> Self {
        Self {
            forge_webhooks: true,
            check_after: Some(Duration::from_millis(100)),
            application: String::new(),
            github: String::new(),
            poll_interval: "1h",
            latency: None,
            registry_host: None,
            base: "main",
            port: None,
        }
    }
}

impl Scene {
    /// Sets a scene; Tagferry is not started yet.
    ///
    /// # Errors
    ///
    /// The forge or the registry did not start.
    pub async fn start(options: SceneOptions) -> Result<Self> {
        let (port, directory) = (options.port.map_or_else(port::reserve, Ok)?, TempDir::new()?);
        let forge = Watched::start(Options::default()).await.context("starting the forge")?;
        let registry = SandboxRegistry::start(registry::Options::default()).await.context("starting the registry")?;
        let mut registry_host = options.registry_host.clone().unwrap_or_else(|| registry.host().to_owned());
        let mut lines = Vec::new();
        if let Some(latency) = options.latency {
            let line = Proxy::start(registry_host.parse()?, latency).await?;
            registry_host = line.address().to_string();
            lines.push(line);
            lines.push(Proxy::start(forge.address(), latency).await?);
            lines.push(Proxy::start(SocketAddr::from(([127, 0, 0, 1], port)), latency).await?);
        }
        let scene = Self { forge, registry, directory, options, port, registry_host, lines };
        scene.fill_forge().await?;
        scene.registry.set_notifications(&scene.hook("registry"), Some(REGISTRY_SECRET));
        scene.write_config()?;
        Ok(scene)
    }

    async fn fill_forge(&self) -> Result<()> {
        let source = NewRepository::with_files(SOURCE, [("README.md", "# mandelbrot\n")])?;
        self.forge.create_repository(source).await?;
        let mut gitops = NewRepository::with_files(GITOPS, overlays::files())?;
        let automatic = self.options.check_after.map(|after| AutomaticCheck {
            report: report(),
            after_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
        });
        gitops.settings = Settings {
            allow_auto_merge: true,
            delete_branch_on_merge: true,
            automatic_checks: automatic.into_iter().collect(),
            ..Settings::default()
        };
        self.forge.create_repository(gitops).await?;
        let protection =
            Protection { required_checks: vec![CHECK.to_owned()], require_pull_request: true, ..Protection::default() };
        self.forge.protect(GITOPS, "main", Some(protection)).await?;
        if self.options.forge_webhooks {
            let target =
                Target { url: self.hook("github"), secret: Some(FORGE_SECRET.to_owned()), ..Target::default() };
            self.forge.set_webhook(Some(target)).await?;
        }
        Ok(())
    }

    /// The address of a sender, at the end of the line where there is one.
    #[must_use]
    pub fn hook(&self, sender: &str) -> String {
        let address =
            self.lines.get(2).map_or_else(|| format!("127.0.0.1:{}", self.port), |line| line.address().to_string());
        format!("http://{address}/v1/hooks/{sender}")
    }

    /// Writes the configuration. What looks by itself would be counted among what is asked for a release.
    fn write_config(&self) -> Result<()> {
        let data = self.directory.path();
        let secret = |name: &str, text: &str| -> Result<PathBuf> {
            let path = data.join(name);
            std::fs::write(&path, text).with_context(|| format!("writing {name}"))?;
            Ok(path)
        };
        let key = secret("app.pem", self.forge.app_private_key())?;
        let registry_secret = secret("registry-secret", REGISTRY_SECRET)?;
        let forge_secret = secret("forge-secret", FORGE_SECRET)?;
        let forge_url = self.lines.get(1).map_or_else(|| self.forge.url(), |line| format!("http://{}", line.address()));
        let mut targets = String::new();
        for (target, repository) in TARGETS {
            let (host, overlay) = (&self.registry_host, format!("apps/mandelbrot/overlays/{target}"));
            writeln!(targets, "      {target}: {{ repository: '{host}/{repository}', overlay: {overlay} }}")?;
        }
        let text = format!(
            "server: {{ listen: '127.0.0.1:{}', data_dir: '{}' }}
store: {{ url: 'sqlite://{}' }}
{}github:
  api_url: {forge_url}
  app: {{ id: 1, private_key: {{ file: '{}' }} }}
  webhook_secrets: [{{ file: '{}' }}]
  poll_interval: {}
{}api:
  tokens:
    - {{ name: e2e, sha256: {TOKEN_SHA256}, role: viewer }}
    - {{ name: e2e-releaser, sha256: {RELEASER_TOKEN_SHA256}, role: releaser }}
senders:
  registry: {{ kind: distribution, secrets: {{ file: '{}' }}, registry: '{}' }}
registries:
  '{}': {{ plain_http: true }}
applications:
  mandelbrot:
    source: {{ repository: {SOURCE}, branches: [main] }}
    gitops: {{ repository: {GITOPS}, base: {} }}
    image: mandelbrot
    targets:
{targets}    pull_request: {{ auto_merge: squash, labels: [release] }}
{}",
            self.port,
            data.display(),
            data.join("tagferry.db").display(),
            if self.options.application.contains("reconciliation") {
                ""
            } else {
                "reconciliation: { interval: off }\n"
            },
            key.display(),
            forge_secret.display(),
            self.options.poll_interval,
            self.options.github,
            registry_secret.display(),
            self.registry_host,
            self.registry_host,
            self.options.base,
            self.options.application,
        );
        std::fs::write(self.config(), text).context("writing the configuration")
    }

    /// The configuration's path.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.directory.path().join("tagferry.yaml")
    }

    /// The directory that everything of this scene is in.
    #[must_use]
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Starts Tagferry on this scene, for the first time or again.
    ///
    /// # Errors
    ///
    /// It did not start.
    pub async fn tagferry(&self) -> Result<Tagferry> {
        Tagferry::start(&self.config(), &self.directory.path().join("tagferry.log")).await
    }

    /// A new commit on the source repository's `main`.
    ///
    /// # Errors
    ///
    /// The forge refused it.
    pub async fn commit(&self, subject: &str) -> Result<String> {
        self.commit_on("main", subject).await
    }

    /// A new commit on a branch of the source repository, which is made from `main` where it is not there.
    ///
    /// # Errors
    ///
    /// The forge refused it.
    pub async fn commit_on(&self, branch: &str, subject: &str) -> Result<String> {
        let mut push = Push::new(branch, [("src/main.rs", subject)]).message(subject);
        if branch != "main" {
            push = push.onto("main");
        }
        Ok(self.forge.push(SOURCE, push).await?.to_string())
    }

    /// Pushes the image of a commit to a target's repository.
    ///
    /// # Errors
    ///
    /// The target is unknown.
    pub fn push(&self, target: &str, commit: &str) -> Result<()> {
        self.push_tag(target, &format!("sha-{commit}"), commit)
    }

    /// Pushes an image with a tag of its own; `what` makes its digest.
    ///
    /// # Errors
    ///
    /// The target is unknown, or the tag is illegal.
    pub fn push_tag(&self, target: &str, tag: &str, what: &str) -> Result<()> {
        let image = Image::default().label("org.opencontainers.image.revision", what);
        self.registry.push_image(repository(target)?, tag, &image)?;
        Ok(())
    }

    /// Pushes the image of a commit to every target's repository.
    ///
    /// # Errors
    ///
    /// None that is expected.
    pub fn push_to_all(&self, commit: &str) -> Result<()> {
        TARGETS.iter().try_for_each(|(target, _)| self.push(target, commit))
    }

    /// The image repository of a target as references spell it.
    ///
    /// # Errors
    ///
    /// The target is unknown.
    pub fn image(&self, target: &str) -> Result<String> {
        Ok(format!("{}/{}", self.registry_host, repository(target)?))
    }

    /// A target's kustomization at the tip of `main`.
    ///
    /// # Errors
    ///
    /// It is not there.
    pub async fn overlay(&self, target: &str) -> Result<String> {
        let text = self.forge.read_file(GITOPS, "main", &overlays::path(target)).await?;
        text.with_context(|| format!("the overlay of {target} is gone"))
    }

    /// All pull requests of the GitOps repository.
    ///
    /// # Errors
    ///
    /// None that is expected.
    pub async fn pull_requests(&self) -> Result<Vec<PullRequestView>> {
        Ok(self.forge.pull_requests(GITOPS).await?)
    }

    /// Waits for the first pull request that is open.
    ///
    /// # Errors
    ///
    /// There is none within the patience.
    pub async fn open_pull_request(&self) -> Result<PullRequestView> {
        until("an open pull request", async || {
            Ok(self.pull_requests().await?.into_iter().find(|one| one.state == "open"))
        })
        .await
    }

    /// Waits until a pull request merges itself once it may.
    ///
    /// # Errors
    ///
    /// It does not within the patience.
    pub async fn armed(&self, number: u64) -> Result<PullRequestView> {
        until("the order to merge", async || {
            let one = self.forge.pull_request(GITOPS, number).await?;
            Ok(one.auto_merge.is_some().then_some(one))
        })
        .await
    }

    /// Takes a new commit as far as a pull request that merges itself once its check passes.
    ///
    /// # Errors
    ///
    /// There is none within the patience.
    pub async fn propose(&self, subject: &str) -> Result<(String, PullRequestView)> {
        let commit = self.commit(subject).await?;
        self.push_to_all(&commit)?;
        let open = self.open_pull_request().await?;
        Ok((commit, self.armed(open.number).await?))
    }

    /// Lets the required check of a pull request pass.
    ///
    /// # Errors
    ///
    /// It is not there.
    pub async fn pass_check(&self, number: u64) -> Result<()> {
        let head = self.forge.pull_request(GITOPS, number).await?.head.to_string();
        Ok(self.forge.set_check(GITOPS, &head, report()).await?)
    }

    /// Waits until the registry's notifications have all been taken.
    pub async fn notified(&self) {
        self.registry.notified().await;
    }

    /// Ends the scene and everything in it.
    pub async fn end(self) {
        self.registry.shutdown().await;
        self.forge.shutdown().await;
    }
}

fn report() -> Report {
    Report { name: CHECK.to_owned(), outcome: sandbox::Outcome::Success, kind: sandbox::Kind::CheckRun }
}

fn repository(target: &str) -> Result<&'static str> {
    let found = TARGETS.iter().find(|(name, _)| *name == target);
    found.map(|(_, repository)| *repository).with_context(|| format!("no target is named {target}"))
}
