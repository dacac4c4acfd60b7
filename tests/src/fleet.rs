//! Replicas of the service behind one address, over one database, for several applications.

mod announcer;
mod balancer;
mod config;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, ensure};
use conformance::Watched;
use postgres_cluster::{Cluster, Durability};
use sandbox::{
    AutomaticCheck, Limits, NewRepository, Options, Protection, Push, Report, Settings, Target,
    registry::{self, Image, SandboxRegistry},
};
use tempfile::TempDir;

pub use self::announcer::Announcer;
use self::balancer::Balancer;
use crate::{
    Tagferry, port,
    scene::{CHECK, FORGE_SECRET, GITOPS},
};

/// The targets of every application.
pub const CLOUDS: [&str; 3] = ["aws", "gcp", "azure"];

/// More requests than any run makes.
const PLENTY: u64 = 10_000_000;

/// Which database the replicas have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file, for one replica.
    Sqlite,
    /// A server of their own.
    Postgres,
}

/// What a fleet is made of.
#[derive(Clone, Copy, Debug)]
pub struct FleetOptions {
    /// Which database the replicas have.
    pub database: Database,
    /// How many applications there are.
    pub applications: usize,
    /// How long the work of a replica waits that is not heard of any more.
    pub lease: Duration,
    /// How long a round trip to the forge and to the registry takes longer.
    pub latency: Option<Duration>,
    /// How often it is looked for what nobody told, as the configuration says it.
    pub reconciliation: &'static str,
}

/// Replicas, of which some run, and everything that they speak to.
#[derive(Debug)]
pub struct Fleet {
    /// The forge, which fails the test where GitHub would do something else.
    pub forge: Watched,
    /// The registry; it announces nothing by itself.
    pub registry: SandboxRegistry,
    /// The database server, where the replicas share one.
    pub cluster: Option<Cluster>,
    options: FleetOptions,
    directory: TempDir,
    balancer: Balancer,
    lines: Vec<crate::Proxy>,
    replicas: Vec<Replica>,
}

/// A place for a process, which keeps its port and its directory from one life to the next.
#[derive(Debug)]
struct Replica {
    port: u16,
    process: Option<Tagferry>,
}

impl Fleet {
    /// Sets everything up for at most so many replicas; none runs yet.
    ///
    /// # Errors
    ///
    /// Something did not start.
    pub async fn start(options: FleetOptions, most: usize) -> Result<Self> {
        let directory = TempDir::new().context("making a directory")?;
        let forge = Watched::start(Options::default()).await.context("starting the forge")?;
        let registry = SandboxRegistry::start(registry::Options::default()).await.context("starting the registry")?;
        let cluster = match options.database {
            Database::Sqlite => None,
            Database::Postgres => Some(Cluster::start(port::reserve()?, Durability::Server)?),
        };
        let mut lines = Vec::new();
        if let Some(latency) = options.latency {
            lines.push(crate::Proxy::start(forge.address(), latency).await?);
            lines.push(crate::Proxy::start(registry.host().parse()?, latency).await?);
        }
        let replicas: Vec<Replica> =
            (0..most).map(|_| Ok(Replica { port: port::reserve()?, process: None })).collect::<Result<_>>()?;
        let balancer = Balancer::start().await?;
        let fleet = Self { forge, registry, cluster, options, directory, balancer, lines, replicas };
        fleet.fill_forge().await?;
        for number in 0..most {
            config::write(&fleet, number)?;
        }
        Ok(fleet)
    }

    async fn fill_forge(&self) -> Result<()> {
        // A run of minutes does what takes a team weeks.
        self.forge.set_limits(Limits { core: PLENTY, graphql: PLENTY, ..Limits::default() });
        let mut files = Vec::new();
        for application in self.applications() {
            let source = NewRepository::with_files(&source(&application), [("README.md", "# What it does\n")])?;
            self.forge.create_repository(source).await?;
            for cloud in CLOUDS {
                let text = format!(
                    "# {application} in {cloud}\nkind: Kustomization\nimages:\n  - name: {application}\n    newTag: none # set by the release\n"
                );
                files.push((overlay(&application, cloud), text));
            }
        }
        let mut gitops = NewRepository::with_files(GITOPS, [])?;
        gitops.files = files.into_iter().collect();
        let report =
            Report { name: CHECK.to_owned(), outcome: sandbox::Outcome::Success, kind: sandbox::Kind::CheckRun };
        gitops.settings = Settings {
            allow_auto_merge: true,
            delete_branch_on_merge: true,
            automatic_checks: vec![AutomaticCheck { report, after_ms: 100 }],
            ..Settings::default()
        };
        self.forge.create_repository(gitops).await?;
        let protection =
            Protection { required_checks: vec![CHECK.to_owned()], require_pull_request: true, ..Protection::default() };
        self.forge.protect(GITOPS, "main", Some(protection)).await?;
        let target = Target { url: self.hook("github"), secret: Some(FORGE_SECRET.to_owned()), ..Target::default() };
        self.forge.set_webhook(Some(target)).await?;
        Ok(())
    }

    /// The names of the applications.
    #[must_use]
    pub fn applications(&self) -> Vec<String> {
        (0..self.options.applications).map(|number| format!("app{number}")).collect()
    }

    /// The address of a sender, at which any replica answers.
    #[must_use]
    pub fn hook(&self, sender: &str) -> String {
        format!("http://{}/v1/hooks/{sender}", self.balancer.address())
    }

    /// The replicas that run.
    pub fn running(&self) -> impl Iterator<Item = (usize, &Tagferry)> {
        self.replicas.iter().enumerate().filter_map(|(number, one)| Some((number, one.process.as_ref()?)))
    }

    /// The replicas that do not run.
    #[must_use]
    pub fn idle(&self) -> Vec<usize> {
        let idle = self.replicas.iter().enumerate().filter(|(_, one)| one.process.is_none());
        idle.map(|(number, _)| number).collect()
    }

    /// Starts a replica, for the first time or again.
    ///
    /// # Errors
    ///
    /// It runs already or did not start; the error has its log.
    pub async fn launch(&mut self, number: usize) -> Result<()> {
        let (config, log) = (config::path(self, number), self.log(number));
        let replica = self.replicas.get_mut(number).context("there is no such replica")?;
        ensure!(replica.process.is_none(), "replica {number} runs already");
        replica.process = Some(Tagferry::start(&config, &log).await?);
        self.balancer.add(replica.port);
        Ok(())
    }

    /// Takes a replica out, to be killed or told to stop; connections go to others from now on.
    ///
    /// # Errors
    ///
    /// It does not run.
    pub fn take(&mut self, number: usize) -> Result<Tagferry> {
        let replica = self.replicas.get_mut(number).context("there is no such replica")?;
        self.balancer.remove(replica.port);
        replica.process.take().with_context(|| format!("replica {number} does not run"))
    }

    /// A new commit of an application.
    ///
    /// # Errors
    ///
    /// The forge refused it.
    pub async fn commit(&self, application: &str, subject: &str) -> Result<String> {
        let push = Push::new("main", [("src/main.rs", subject)]).message(subject);
        Ok(self.forge.push(&source(application), push).await?.to_string())
    }

    /// Pushes the image of a commit to the repository of a cloud; gives that repository.
    ///
    /// # Errors
    ///
    /// None that is expected.
    pub fn push(&self, application: &str, cloud: &str, commit: &str) -> Result<String> {
        let image = Image::default().label("org.opencontainers.image.revision", commit);
        let repository = repository(application, cloud);
        self.registry.push_image(&repository, &format!("sha-{commit}"), &image)?;
        Ok(repository)
    }

    /// The kustomization of an application in a cloud, at the tip of `main`.
    ///
    /// # Errors
    ///
    /// It is not there.
    pub async fn overlay(&self, application: &str, cloud: &str) -> Result<String> {
        let path = overlay(application, cloud);
        let text = self.forge.read_file(GITOPS, "main", &path).await?;
        text.with_context(|| format!("{path} is gone"))
    }

    /// The log of a replica, over all its lives.
    #[must_use]
    pub fn log(&self, number: usize) -> PathBuf {
        self.directory.path().join(format!("replica-{number}.log"))
    }

    /// Ends everything.
    pub async fn end(mut self) {
        self.replicas.clear();
        self.registry.shutdown().await;
        self.forge.shutdown().await;
    }
}

fn source(application: &str) -> String {
    format!("acme/{application}")
}

fn repository(application: &str, cloud: &str) -> String {
    format!("{cloud}/{application}")
}

fn overlay(application: &str, cloud: &str) -> String {
    format!("apps/{application}/overlays/{cloud}/kustomization.yaml")
}
