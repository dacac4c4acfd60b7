//! What a test run consists of, and running it.
//!
//! Each stage is a `cargo` command that anybody could type. What it prints goes through unchanged.

use std::{
    io::{self, BufRead, BufReader, IsTerminal as _, Write},
    process::{Command, ExitCode, ExitStatus, Stdio},
    time::Instant,
};

use anyhow::{Context as _, bail};
use clap::ValueEnum;

use crate::{say, tally::Tally};

/// One part of a test run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stage {
    /// Every file is formatted
    Fmt,
    /// Clippy has nothing to say
    Clippy,
    /// The documentation builds, and its links resolve
    Doc,
    /// Every test passes; the binaries that the tests start are built first
    Test,
}

impl Stage {
    /// All of them, the fastest to fail first.
    pub(crate) const ALL: [Self; 4] = [Self::Fmt, Self::Clippy, Self::Doc, Self::Test];

    fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Clippy => "clippy",
            Self::Doc => "doc",
            Self::Test => "test",
        }
    }

    /// The component of the toolchain that it needs besides `cargo` and `rustc`.
    fn component(self) -> Option<&'static str> {
        match self {
            Self::Fmt => Some("rustfmt"),
            Self::Clippy => Some("clippy"),
            Self::Doc | Self::Test => None,
        }
    }

    fn perform(self, tally: &mut Tally) -> anyhow::Result<ExitStatus> {
        match self {
            Self::Fmt => status(&mut cargo("fmt --all --check")),
            Self::Clippy => status(&mut cargo("clippy --workspace --all-targets --locked -- -D warnings")),
            Self::Doc => status(cargo("doc --workspace --no-deps --locked").env("RUSTDOCFLAGS", "-D warnings")),
            Self::Test => test(tally),
        }
    }
}

/// Runs the stages in this order, up to the first that fails, and returns its exit code.
///
/// # Errors
/// A component of the toolchain is missing, `cargo` cannot be started, no test ran, or one was ignored.
pub(crate) fn run(stages: &[Stage]) -> anyhow::Result<ExitCode> {
    require_components(stages)?;
    let began = Instant::now();
    let mut tally = Tally::default();
    for stage in stages {
        say::line(format_args!("{} …", stage.name()))?;
        let stage_began = Instant::now();
        let status = stage.perform(&mut tally)?;
        let seconds = stage_began.elapsed().as_secs_f64();
        if !status.success() {
            say::line(format_args!("{} failed after {seconds:.1} s: {status}", stage.name()))?;
            summarise(*stage, &tally)?;
            return Ok(code(status));
        }
        say::line(format_args!("{} passed in {seconds:.1} s", stage.name()))?;
    }
    if let Some(Stage::Test) = stages.last() {
        summarise(Stage::Test, &tally)?;
        judge(&tally)?;
    }
    say::line(format_args!("everything passed in {:.1} s", began.elapsed().as_secs_f64()))?;
    Ok(ExitCode::SUCCESS)
}

fn require_components(stages: &[Stage]) -> anyhow::Result<()> {
    for stage in stages {
        let Some(component) = stage.component() else {
            continue;
        };
        let found = cargo(stage.name()).arg("--version").output().context("starting cargo")?;
        if !found.status.success() {
            bail!(
                "the stage {} needs a component that this toolchain lacks: rustup component add {component}",
                stage.name()
            );
        }
    }
    Ok(())
}

/// Builds what the tests start as processes, then runs all tests, also those after one that failed.
fn test(tally: &mut Tally) -> anyhow::Result<ExitStatus> {
    let built = status(&mut cargo("build --workspace --bins --locked"))?;
    if !built.success() {
        return Ok(built);
    }
    let mut command = cargo("test --workspace --locked --no-fail-fast");
    if io::stdout().is_terminal() {
        command.args(["--", "--color", "always"]);
    }
    let mut child = command.stdout(Stdio::piped()).spawn().context("starting cargo test")?;
    if let Some(output) = child.stdout.take() {
        pass_through(BufReader::new(output), io::stdout().lock(), tally)
            .context("passing the tests' output through")?;
    }
    child.wait().context("waiting for cargo test")
}

fn pass_through(mut output: impl BufRead, mut out: impl Write, tally: &mut Tally) -> io::Result<()> {
    loop {
        let piece = output.fill_buf()?;
        if piece.is_empty() {
            return Ok(());
        }
        out.write_all(piece)?;
        out.flush()?;
        tally.feed(piece);
        let length = piece.len();
        output.consume(length);
    }
}

/// Prints how many tests ran, if the last stage that ran is the one that runs them.
fn summarise(last: Stage, tally: &Tally) -> anyhow::Result<()> {
    if last == Stage::Test {
        say::line(format_args!("{} passed, {} failed", tally.passed, tally.failed))?;
    }
    Ok(())
}

/// A run that tested nothing, or less than the source holds, has not passed.
fn judge(tally: &Tally) -> anyhow::Result<()> {
    match tally {
        Tally { ignored: 1.., .. } => {
            bail!("{} ignored: a test that does not run proves nothing", tally.ignored)
        }
        Tally { passed: 0, .. } => bail!("no test ran"),
        Tally { .. } => Ok(()),
    }
}

pub(crate) fn cargo(arguments: &str) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments.split(' '));
    command
}

pub(crate) fn status(command: &mut Command) -> anyhow::Result<ExitStatus> {
    command.status().with_context(|| format!("starting {}", command.get_program().display()))
}

/// The exit code of a program; 1 when a signal ended it.
pub(crate) fn code(status: ExitStatus) -> ExitCode {
    status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(passed: u64, ignored: u64) -> Option<String> {
        let mut tally = Tally::default();
        tally.passed = passed;
        tally.ignored = ignored;
        judge(&tally).err().map(|error| error.to_string())
    }

    #[test]
    fn a_run_without_a_test_has_not_passed() {
        assert_eq!(verdict(0, 0).as_deref(), Some("no test ran"));
        assert_eq!(verdict(1, 0), None);
    }

    #[test]
    fn a_run_with_an_ignored_test_has_not_passed() {
        assert_eq!(verdict(8, 2).as_deref(), Some("2 ignored: a test that does not run proves nothing"));
    }

    #[test]
    fn output_is_counted_and_passes_through_unchanged() {
        let output = b"\x1b[32mrunning\x1b[m \xff\r\ntest result: ok. 2 passed; 0 failed;\nno end";
        let (mut out, mut tally) = (Vec::new(), Tally::default());
        pass_through(&output[..], &mut out, &mut tally).unwrap();
        assert_eq!(out, output);
        assert_eq!(tally.passed, 2);
    }
}
