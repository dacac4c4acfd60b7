//! The fuzzers: which there are, what they begin with, and running them.
//!
//! Each crate that reads what others write has its targets in `fuzz`, a workspace of its own. `cargo-fuzz` builds them;
//! what they learn goes into `target/fuzz`, so that the next run begins where this one ended.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context as _, ensure};

use crate::{
    say,
    stage::{code, status},
};

/// The word for all targets, one after the other.
const ALL: &str = "all";

/// The largest input, in bytes: large enough for every real message, small enough to try many.
const LARGEST_INPUT: u32 = 64 * 1024;

/// How long one input may take, in seconds; with the sanitizer most take a thousandth of that.
const SLOWEST_INPUT: u32 = 5;

/// One target and what belongs to it.
struct Target {
    name: String,
    /// The crate's `fuzz`.
    directory: PathBuf,
}

/// Runs a target, or all of them, for so many seconds each; without one it tells which there are.
///
/// `corpus` has more inputs to begin with, in directories named after what they are for.
///
/// # Errors
/// There is no such target, or `cargo-fuzz` is not installed.
pub(crate) fn run(target: Option<&str>, seconds: u64, corpus: Option<&Path>) -> anyhow::Result<ExitCode> {
    let targets = targets()?;
    let Some(wanted) = target else {
        for target in &targets {
            say::line(format_args!("{} of {}", target.name, target.directory.display()))?;
        }
        say::line(format_args!("cargo xtask fuzz TARGET runs one of them, cargo xtask fuzz {ALL} every one"))?;
        return Ok(ExitCode::SUCCESS);
    };
    let chosen: Vec<Target> = targets.into_iter().filter(|target| wanted == ALL || target.name == wanted).collect();
    ensure!(!chosen.is_empty(), "there is no target {wanted:?}: cargo xtask fuzz tells which there are");
    ensure!(has_cargo_fuzz(), "cargo-fuzz is not installed: cargo install cargo-fuzz --locked");
    for target in chosen {
        say::line(format_args!("{}: {seconds} s …", target.name))?;
        let status = status(&mut target.command(seconds, corpus)?)?;
        if !status.success() {
            say::line(format_args!("{} failed: {status}; the input is in target/fuzz/artifacts", target.name))?;
            return Ok(code(status));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Every `fuzz_targets/*.rs`, by name.
fn targets() -> anyhow::Result<Vec<Target>> {
    let mut targets = Vec::new();
    for member in entries(Path::new("crates"))? {
        let directory = member.join("fuzz");
        if !directory.join("Cargo.toml").is_file() {
            continue;
        }
        for path in entries(&directory.join("fuzz_targets"))? {
            let name = path.file_stem().context("a target has a name")?.to_string_lossy().into_owned();
            targets.push(Target { name, directory: directory.clone() });
        }
    }
    ensure!(!targets.is_empty(), "no crate has fuzz targets here: run this in the root of the tree");
    Ok(targets)
}

/// What is in a directory, in order.
fn entries(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let read = || format!("reading {}", directory.display());
    let entries = fs::read_dir(directory).with_context(read)?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>().with_context(read)?;
    paths.sort();
    Ok(paths)
}

fn has_cargo_fuzz() -> bool {
    let mut command = Command::new("cargo");
    command.args(["fuzz", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

impl Target {
    fn command(&self, seconds: u64, corpus: Option<&Path>) -> anyhow::Result<Command> {
        let learned = Path::new("target/fuzz/corpus").join(&self.name);
        let artifacts = Path::new("target/fuzz/artifacts").join(&self.name);
        for directory in [&learned, &artifacts] {
            fs::create_dir_all(directory).with_context(|| format!("creating {}", directory.display()))?;
        }
        let mut command = Command::new("cargo");
        // The sanitizer is an unstable flag, which a stable compiler takes only so.
        command.env("RUSTC_BOOTSTRAP", "1").args(["fuzz", "run", "--target-dir", "target/fuzz", "--fuzz-dir"]);
        command.arg(&self.directory).arg(&self.name).arg(&learned).args(self.seeds(corpus));
        command.args(["--", "-fork=1", "-ignore_timeouts=0", "-ignore_ooms=0"]);
        command.arg(format!("-max_total_time={seconds}")).arg(format!("-timeout={SLOWEST_INPUT}"));
        command.arg(format!("-max_len={LARGEST_INPUT}")).arg(format!("-artifact_prefix={}/", artifacts.display()));
        let dictionary = entries(&self.directory)?.into_iter().find(|path| path.extension() == Some("dict".as_ref()));
        command.args(dictionary.map(|path| format!("-dict={}", path.display())));
        Ok(command)
    }

    /// The crate's fixtures, and what the corpus has for it: kustomizations, attestations, or what registries and GitHub
    /// send.
    fn seeds(&self, corpus: Option<&Path>) -> Vec<PathBuf> {
        let is_of = |name: &str| self.directory.starts_with(Path::new("crates").join(name));
        let of = match (is_of("kustomize"), is_of("attestation")) {
            (true, _) => "kustomize",
            (_, true) => "attestations",
            _ => "webhooks",
        };
        let fixtures = self.directory.with_file_name("tests").join("fixtures");
        [Some(fixtures), corpus.map(|corpus| corpus.join(of))]
            .into_iter()
            .flatten()
            .filter(|path| path.is_dir())
            .collect()
    }
}
