//! Registries and pushes to them: the sandbox's, and Debian's `docker-registry` with `skopeo` as client.

use std::{path::Path, process::Stdio};

use anyhow::{Context as _, Result, ensure};
use tokio::process::{Child, Command};

use crate::{port, until};

/// Debian's `docker-registry` as a process, with its notifications on. Dropping it kills it.
#[derive(Debug)]
pub struct DockerRegistry {
    child: Child,
    host: String,
}

impl DockerRegistry {
    /// Starts it in a directory of its own, telling `url` what happens with `authorization`.
    ///
    /// # Errors
    ///
    /// It is not installed, or does not answer.
    pub async fn start(directory: &Path, url: &str, authorization: &str) -> Result<Self> {
        let host = format!("127.0.0.1:{}", port::reserve()?);
        let config = directory.join("docker-registry.yml");
        let data = directory.join("docker-registry");
        std::fs::write(
            &config,
            format!(
                "version: 0.1
log: {{ level: error, accesslog: {{ disabled: true }} }}
storage: {{ filesystem: {{ rootdirectory: '{}' }} }}
http: {{ addr: '{host}', host: 'http://{host}' }}
notifications:
  endpoints:
    - name: tagferry
      url: '{url}'
      headers: {{ Authorization: ['{authorization}'] }}
      timeout: 1s
      threshold: 3
      backoff: 200ms
",
                data.display()
            ),
        )
        .context("writing the registry's configuration")?;
        let child = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("starting docker-registry: cargo xtask setup installs it")?;
        let base = format!("http://{host}/v2/");
        until("the registry's answer", async || {
            Ok(reqwest::get(&base).await.is_ok_and(|answer| answer.status().is_success()).then_some(()))
        })
        .await?;
        Ok(Self { child, host })
    }

    /// Its address as image references spell it.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Copies an image from another registry with `skopeo`.
    ///
    /// # Errors
    ///
    /// It is not installed, or the copy failed.
    pub async fn copy(&self, from: &str, repository: &str, tag: &str) -> Result<()> {
        let to = format!("docker://{}/{repository}:{tag}", self.host);
        let output = Command::new("skopeo")
            .args(["--insecure-policy", "copy", "--src-tls-verify=false", "--dest-tls-verify=false"])
            .args([&format!("docker://{from}"), &to])
            .output()
            .await
            .context("running skopeo: cargo xtask setup installs it")?;
        ensure!(output.status.success(), "skopeo: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
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
