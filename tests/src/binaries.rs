//! The programs under test, built from the tree as it is now.

use std::{
    path::PathBuf,
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use anyhow::{Context as _, Result, anyhow, bail};

/// The package of each program that is started here.
const PACKAGES: [&str; 3] = ["cli", "sandbox", "demo"];

/// The path of a program: `tagferry`, `tagferry-sandbox` or `demo`.
///
/// The first call builds all three, so that no test ever starts an old one; where they are built already that takes a
/// moment.
///
/// # Errors
///
/// They could not be built.
pub fn program(name: &str) -> Result<PathBuf> {
    static BUILT: OnceLock<Result<(), String>> = OnceLock::new();
    BUILT.get_or_init(|| build().map_err(|error| format!("{error:#}"))).clone().map_err(|why| anyhow!(why))?;
    let test = std::env::current_exe().context("finding this program's own path")?;
    // A test lies in target/PROFILE/deps, and a program in the directory above.
    let directory = test.parent().context("this program lies nowhere")?;
    let directory = directory.parent().filter(|_| directory.ends_with("deps")).unwrap_or(directory);
    Ok(directory.join(name))
}

/// The path of something that `cargo xtask setup` has installed: in `target/tools`.
///
/// # Errors
///
/// It is not there.
pub fn tool(name: &str) -> Result<PathBuf> {
    let test = std::env::current_exe().context("finding this test's own path")?;
    let target = test.ancestors().nth(3).context("a test lies in target/PROFILE/deps")?;
    let tool = target.join("tools").join(name);
    if tool.exists() { Ok(tool) } else { bail!("{} is not there; cargo xtask setup installs it", tool.display()) }
}

fn build() -> Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.arg("build").arg("--locked").arg("--bins").stdin(Stdio::null());
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    for package in PACKAGES {
        cargo.args(["--package", package]);
    }
    let Output { status, stderr, .. } = cargo.output().context("running cargo build")?;
    if !status.success() {
        bail!("cargo build: {}", String::from_utf8_lossy(&stderr));
    }
    Ok(())
}
