//! Registries and pushes to them: the sandbox's, and Debian's `docker-registry` with `skopeo` as client.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use tokio::process::{Child, Command};

use crate::{port, until};

/// Debian's `docker-registry` as a process, with its notifications on. Dropping it kills it.
#[derive(Debug)]
pub struct DockerRegistry {
    child: Child,
    host: String,
    log: PathBuf,
}

/// How long the registry waits for an answer, as long as it does by itself.
const PATIENCE: Duration = Duration::from_secs(1);

impl DockerRegistry {
    /// Starts it in a directory of its own, telling `url` what happens with `authorization`.
    ///
    /// # Errors
    ///
    /// It is not installed, or does not answer.
    pub async fn start(directory: &Path, url: &str, authorization: &str) -> Result<Self> {
        Self::start_as(directory, (url, authorization), (PATIENCE, "")).await
    }

    /// Starts one that tells nobody, and lets only those in that its settings name: what stands under `auth` in its
    /// configuration.
    ///
    /// # Errors
    ///
    /// It is not installed, or does not answer.
    pub async fn start_closed(directory: &Path, auth: &str) -> Result<Self> {
        Self::start_as(directory, ("http://127.0.0.1:9/", "none"), (PATIENCE, &format!("auth: {auth}\n"))).await
    }

    /// Starts one that waits so long for each answer.
    ///
    /// # Errors
    ///
    /// It is not installed, or does not answer.
    pub async fn start_with_patience(
        directory: &Path,
        url: &str,
        authorization: &str,
        patience: Duration,
    ) -> Result<Self> {
        Self::start_as(directory, (url, authorization), (patience, "")).await
    }

    async fn start_as(
        directory: &Path,
        (url, authorization): (&str, &str),
        (patience, auth): (Duration, &str),
    ) -> Result<Self> {
        let host = format!("127.0.0.1:{}", port::reserve()?);
        let config = directory.join("docker-registry.yml");
        let data = directory.join("docker-registry");
        std::fs::write(
            &config,
            format!(
                "version: 0.1
log: {{ level: error, accesslog: {{ disabled: true }} }}
storage: {{ filesystem: {{ rootdirectory: '{}' }}, delete: {{ enabled: true }} }}
http: {{ addr: '{host}', host: 'http://{host}' }}
{auth}notifications:
  endpoints:
    - name: tagferry
      url: '{url}'
      headers: {{ Authorization: ['{authorization}'] }}
      timeout: {}ms
      threshold: 3
      backoff: 200ms
",
                data.display(),
                patience.as_millis()
            ),
        )
        .context("writing the registry's configuration")?;
        let log = directory.join("docker-registry.log");
        let sink = std::fs::File::create(&log).context("opening the registry's log")?;
        let child = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(sink)
            .kill_on_drop(true)
            .spawn()
            .context("starting docker-registry: cargo xtask setup installs it")?;
        let base = format!("http://{host}/v2/");
        until("the registry's answer", async || {
            Ok(reqwest::get(&base)
                .await
                .is_ok_and(|answer| matches!(answer.status().as_u16(), 200 | 401))
                .then_some(()))
        })
        .await?;
        Ok(Self { child, host, log })
    }

    /// Its address as image references spell it.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What went wrong so far, in its own words.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The image of a tag as references spell it.
    #[must_use]
    pub fn image(&self, repository: &str, tag: &str) -> String {
        format!("{}/{repository}:{tag}", self.host)
    }

    /// Copies an image from a registry with `skopeo`; of an index, all that is in it.
    ///
    /// # Errors
    ///
    /// It is not installed, or the copy failed.
    pub async fn copy(&self, from: &str, repository: &str, tag: &str) -> Result<()> {
        let (from, to) = (format!("docker://{from}"), format!("docker://{}", self.image(repository, tag)));
        skopeo(&["copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false", &from, &to]).await
    }

    /// Pulls an image into a directory.
    ///
    /// # Errors
    ///
    /// It is not there.
    pub async fn pull(&self, repository: &str, tag: &str, directory: &Path) -> Result<()> {
        let (from, to) = (format!("docker://{}", self.image(repository, tag)), format!("dir:{}", directory.display()));
        skopeo(&["copy", "--all", "--src-tls-verify=false", &from, &to]).await
    }

    /// Deletes the manifest that a tag points to, and so each tag of it.
    ///
    /// # Errors
    ///
    /// It is not there.
    pub async fn delete(&self, repository: &str, tag: &str) -> Result<()> {
        skopeo(&["delete", "--tls-verify=false", &format!("docker://{}", self.image(repository, tag))]).await
    }

    /// Stops it.
    ///
    /// # Errors
    ///
    /// It could not be killed.
    pub async fn stop(mut self) -> Result<()> {
        self.child.kill().await.context("stopping docker-registry")
    }
}

async fn skopeo(arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("skopeo");
    let output = command.arg("--insecure-policy").args(arguments).output().await;
    let output = output.context("running skopeo: cargo xtask setup installs it")?;
    ensure!(output.status.success(), "skopeo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
