//! The configuration of a replica: all are the same but for the port and the directory.

use std::{fmt::Write as _, path::PathBuf};

use anyhow::{Context as _, Result};

use super::{CLOUDS, Fleet, repository, source};
use crate::{
    scene::{FORGE_SECRET, GITOPS, REGISTRY_SECRET},
    tagferry::TOKEN_SHA256,
};

/// Where it is.
pub(super) fn path(fleet: &Fleet, number: usize) -> PathBuf {
    fleet.directory.path().join(format!("replica-{number}.yaml"))
}

/// Writes it, with the secrets that it names.
pub(super) fn write(fleet: &Fleet, number: usize) -> Result<()> {
    let data = fleet.directory.path();
    let secret = |name: &str, text: &str| -> Result<PathBuf> {
        let path = data.join(name);
        std::fs::write(&path, text).with_context(|| format!("writing {name}"))?;
        Ok(path)
    };
    let key = secret("app.pem", fleet.forge.app_private_key())?;
    let registry_secret = secret("registry-secret", REGISTRY_SECRET)?;
    let forge_secret = secret("forge-secret", FORGE_SECRET)?;
    let (forge, host) = match fleet.lines.as_slice() {
        [forge, registry, ..] => (format!("http://{}", forge.address()), registry.address().to_string()),
        _ => (fleet.forge.url(), fleet.registry.host().to_owned()),
    };
    let store = match &fleet.cluster {
        Some(cluster) => cluster.url("postgres"),
        None => format!("sqlite://{}", data.join("tagferry.db").display()),
    };
    let port = fleet.replicas.get(number).context("there is no such replica")?.port;
    let text = format!(
        "server: {{ listen: '127.0.0.1:{port}', data_dir: '{}' }}
store: {{ url: '{store}', lease: {}ms }}
github:
  api_url: {forge}
  app: {{ id: 1, private_key: {{ file: '{}' }} }}
  webhook_secrets: [{{ file: '{}' }}]
  poll_interval: 2s
  limits: {{ changes_per_minute: 1000000, changes_per_hour: 1000000 }}
api: {{ tokens: [{{ name: e2e, sha256: {TOKEN_SHA256}, role: viewer }}] }}
reconciliation: {{ interval: {} }}
senders:
  registry: {{ kind: distribution, secrets: {{ file: '{}' }}, registry: '{host}' }}
registries:
  '{host}': {{ plain_http: true }}
applications:
{}",
        data.join(format!("replica-{number}")).display(),
        fleet.options.lease.as_millis(),
        key.display(),
        forge_secret.display(),
        fleet.options.reconciliation,
        registry_secret.display(),
        applications(fleet, &host)?,
    );
    std::fs::write(path(fleet, number), text).context("writing the configuration")
}

fn applications(fleet: &Fleet, host: &str) -> Result<String> {
    let mut text = String::new();
    for name in fleet.applications() {
        writeln!(
            text,
            "  {name}:
    source: {{ repository: {}, branches: [main] }}
    gitops: {{ repository: {GITOPS}, base: main }}
    image: {name}
    pull_request: {{ auto_merge: squash }}
    targets:",
            source(&name)
        )?;
        for cloud in CLOUDS {
            let repository = repository(&name, cloud);
            writeln!(
                text,
                "      {cloud}: {{ repository: '{host}/{repository}', overlay: apps/{name}/overlays/{cloud} }}"
            )?;
        }
    }
    Ok(text)
}
