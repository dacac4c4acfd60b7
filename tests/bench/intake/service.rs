//! The release build of the service as a process.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result, bail};
use testkit::binaries;

/// What the sender proves itself with.
pub(super) const SECRET: &str = "Bearer bench";

/// A running service. Dropping it kills it.
pub(super) struct Service {
    child: Child,
    address: String,
}

impl Service {
    /// Starts one with usual settings, except that one sender may send what many do.
    pub(super) fn start(directory: &Path) -> Result<Self> {
        if cfg!(debug_assertions) {
            bail!("only the release build says something: run it with cargo bench");
        }
        let there = directory.display();
        fs::write(directory.join("secret"), SECRET)?;
        fs::write(directory.join("token"), "bench")?;
        let text = format!(
            "server:
  listen: '127.0.0.1:0'
  data_dir: '{there}'
  limits: {{ deliveries_per_second: 1000000, delivery_burst: 1000000 }}
store: {{ url: 'sqlite://{there}/tagferry.db' }}
github: {{ api_url: 'http://127.0.0.1:9', token: {{ file: '{there}/token' }} }}
senders:
  registry: {{ kind: distribution, secrets: {{ file: '{there}/secret' }}, registry: '127.0.0.1:9' }}
registries:
  '127.0.0.1:9': {{ plain_http: true }}
applications:
  wanted:
    source: {{ repository: acme/wanted, branches: [main] }}
    gitops: {{ repository: acme/trinity, base: main }}
    image: wanted
    tag: 'sha-{{commit}}'
    targets:
      one: {{ repository: '127.0.0.1:9/wanted', overlay: overlays/one }}
"
        );
        fs::write(directory.join("tagferry.yaml"), text)?;
        let mut child = Command::new(binaries::program("tagferry")?)
            .arg("serve")
            .arg("--config")
            .arg(directory.join("tagferry.yaml"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(directory.join("log"))?)
            .spawn()
            .context("starting tagferry")?;
        let mut first = String::new();
        BufReader::new(child.stdout.take().context("standard output is a pipe")?).read_line(&mut first)?;
        let Some(address) = first.trim().strip_prefix("tagferry listens on http://") else {
            bail!("tagferry did not start: {}", fs::read_to_string(directory.join("log")).unwrap_or_default());
        };
        Ok(Self { address: address.to_owned(), child })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The most memory that it had so far, in megabytes, as Linux counts it.
    pub(super) fn peak_memory_mb(&self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM is in the status")?;
        let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kibibytes * 1.024 / 1_000.0)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself, which has been noticed then.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
