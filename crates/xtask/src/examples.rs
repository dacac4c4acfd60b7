//! GitHub's own examples of what its webhooks send, which the end-to-end tests post.
//!
//! They are others' and not part of this tree: a package of the npm registry carries them, under the MIT licence.

use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, ensure};

use crate::{say, setup};

/// What is installed; npm holds it against the hashes of the lock.
const MANIFEST: &str = r#"{ "private": true, "dependencies": { "@octokit/webhooks-examples": "7.6.1" } }
"#;

/// The packages and their hashes. The second has only types, and is there because the first names it.
const LOCK: &str = r#"{
  "lockfileVersion": 3,
  "requires": true,
  "packages": {
    "": { "dependencies": { "@octokit/webhooks-examples": "7.6.1" } },
    "node_modules/@octokit/webhooks-examples": {
      "version": "7.6.1",
      "integrity": "sha512-De6U3XB6O3DtCa7bKgCMzTHdeopqqZ6SNivMYJnK65ierKL1AnNIA0tkRYCRS7lwGT792d+Ps1WbfHlso6MynQ==",
      "dependencies": { "@octokit/webhooks-types": "^7.0.0" }
    },
    "node_modules/@octokit/webhooks-types": {
      "version": "7.6.1",
      "integrity": "sha512-S8u2cJzklBC0FgTwWVLaM8tMrDuDMVE4xiTK4EYXM9GntyvrdbSoxqDQa+Fh57CCNApyIpyeqPhhFEmHPfrXgw=="
    }
  }
}
"#;

/// Sees to it that the examples are in `target/tools/webhooks`.
///
/// # Errors
/// They are not, and can not be installed.
pub(crate) fn ensure_there() -> anyhow::Result<()> {
    let directory = setup::tools()?.join("webhooks");
    let lock = directory.join("package-lock.json");
    let index = directory.join("node_modules/@octokit/webhooks-examples/api.github.com/index.json");
    if index.is_file() && fs::read_to_string(&lock).is_ok_and(|lock| lock == LOCK) {
        return Ok(());
    }
    say::line(format_args!("installing @octokit/webhooks-examples 7.6.1 in {}:", directory.display()))?;
    say::line(format_args!("  webhooks: the tests post GitHub's own examples"))?;
    setup::ensure_npm()?;
    fs::create_dir_all(&directory).with_context(|| format!("creating {}", directory.display()))?;
    write(&directory.join("package.json"), MANIFEST)?;
    write(&lock, LOCK)?;
    install(&directory)?;
    ensure!(index.is_file(), "npm installed @octokit/webhooks-examples, and {} is not there", index.display());
    Ok(())
}

fn install(directory: &Path) -> anyhow::Result<()> {
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]).current_dir(directory);
    let status = npm.status().context("starting npm")?;
    ensure!(status.success(), "npm could not install @octokit/webhooks-examples: {status}");
    Ok(())
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
