//! Tagferry's configuration file, as a person would write it for this place.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::{BASE, GITOPS, SOURCE, TARGETS};
use crate::{sandbox::Sandbox, tagferry::TOKEN_SHA256};

/// The sandbox's directory, which holds the App's private key.
pub(super) const FORGE: &str = "forge";

/// What the registry sends to be let in: the whole value of its `Authorization` header.
pub(super) const REGISTRY_SECRET: &str = "Bearer demo-registry-secret";

/// The key of the forge's signatures.
pub(super) const FORGE_SECRET: &str = "demo-forge-secret";

/// Writes the configuration and the secrets that it names, and says where it is.
///
/// # Errors
///
/// A file can not be written.
pub(super) fn write(directory: &Path, sandbox: &Sandbox) -> Result<PathBuf> {
    write_file(&directory.join("registry-secret"), REGISTRY_SECRET)?;
    write_file(&directory.join("forge-secret"), FORGE_SECRET)?;
    let path = directory.join("tagferry.yaml");
    write_file(&path, &text(directory, sandbox.forge(), sandbox.registry_host())?)?;
    Ok(path)
}

fn text(directory: &Path, forge: &str, registry: &str) -> Result<String> {
    let directory = directory.display();
    let mut text = format!(
        r#"# The configuration of `cargo demo`; config/tagferry.example.yaml explains each key.
server:
  listen: "127.0.0.1:0"
  data_dir: "{directory}/tagferry"
store:
  url: "sqlite://{directory}/tagferry.db"
github:
  api_url: "{forge}"
  app: {{ id: 1, private_key: {{ file: "{directory}/{FORGE}/github-app.pem" }} }}
  webhook_secrets: [{{ file: "{directory}/forge-secret" }}]
api:
  tokens:
    - {{ name: demo, sha256: "{TOKEN_SHA256}", role: viewer }}
senders:
  registry:
    kind: distribution
    secrets: [{{ file: "{directory}/registry-secret" }}]
registries:
  "{registry}": {{ plain_http: true }}
applications:
  mandelbrot:
    source: {{ repository: {SOURCE}, branches: [main] }}
    gitops: {{ repository: {GITOPS}, base: {BASE} }}
    image: mandelbrot
    tag: "sha-{{commit}}"
    targets:
"#
    );
    for target in TARGETS {
        let (name, repository) = (target.name, target.repository);
        let overlay = format!("apps/mandelbrot/overlays/{name}");
        writeln!(text, "      {name}: {{ repository: \"{registry}/{repository}\", overlay: {overlay} }}")?;
    }
    text.push_str("    release: { wait_for: all, deadline: 30m }\n");
    // Each cloud has a build of its own here, with a label that says of which commit.
    text.push_str("    verify: { revision: required, same_digest: off }\n");
    text.push_str("    pull_request: { auto_merge: squash, labels: [release] }\n");
    Ok(text)
}

fn write_file(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
