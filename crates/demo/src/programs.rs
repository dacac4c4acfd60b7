//! The two programs: building them, starting them, stopping them.

mod build;

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

pub(crate) use build::{Binaries, build};

/// What no proxy stands in front of, whatever the environment says.
pub(crate) const LOOPBACK: &str = "127.0.0.1,localhost";

/// How long a program may take to say that it is up. The sandbox makes an RSA key, which can take seconds.
const STARTING: Duration = Duration::from_secs(60);

/// How long a program may take to finish what it is doing.
const STOPPING: Duration = Duration::from_secs(10);

/// How many of a log's last lines are shown when something went wrong.
const TAIL: usize = 15;

/// The programs in the order in which they are started: the service wants its forge to be there.
const NAMES: [&str; 2] = ["tagferry-sandbox", "tagferry"];

/// What is running, and the directory that everything of it is in.
#[derive(Debug)]
pub(crate) struct Programs {
    directory: TempDir,
    running: Vec<Program>,
}

/// A running program. Dropping it kills it.
#[derive(Debug)]
struct Program {
    name: &'static str,
    child: Child,
    log: PathBuf,
    /// Held so that the program can go on printing.
    _printed: Lines<BufReader<ChildStdout>>,
}

impl Programs {
    /// None yet, and an empty directory.
    ///
    /// # Errors
    ///
    /// There is no place for temporary files.
    pub(crate) fn new() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("tagferry-demo-").tempdir();
        Ok(Self { directory: directory.context("making a temporary directory")?, running: Vec::new() })
    }

    /// The directory that everything is in.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Lets the directory outlive this program, and says where it is.
    pub(crate) fn keep(&mut self) -> PathBuf {
        self.directory.disable_cleanup(true);
        self.directory.path().to_owned()
    }

    /// Starts a program and gives the lines that it prints up to one that begins with `last`.
    ///
    /// # Errors
    ///
    /// It ended before it printed that line, or did not print it in time.
    pub(crate) async fn start(&mut self, name: &'static str, mut command: Command, last: &str) -> Result<Vec<String>> {
        let log = self.log(name);
        let sink = File::create(&log).with_context(|| format!("writing {}", log.display()))?;
        // In a process group of its own it does not get the terminal's Ctrl-C: it is stopped in order, by its id.
        command.env("NO_PROXY", LOOPBACK).env("no_proxy", LOOPBACK).process_group(0).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(sink);
        let mut child = command.spawn().with_context(|| format!("starting {name}"))?;
        let out = child.stdout.take().context("standard output is a pipe")?;
        let mut printed = BufReader::new(out).lines();
        let lines = timeout(STARTING, read_to(&mut printed, last)).await;
        self.running.push(Program { name, child, log, _printed: printed });
        match lines {
            Ok(Ok(lines)) => Ok(lines),
            Ok(Err(error)) => Err(error.context(format!("{name} did not start"))),
            Err(_elapsed) => bail!("{name} did not start within {} seconds", STARTING.as_secs()),
        }
    }

    /// Stops everything, the last started first, and waits for it.
    ///
    /// # Errors
    ///
    /// One had ended before, or did not end well.
    pub(crate) async fn stop(&mut self) -> Result<()> {
        let mut ended = Ok(());
        while let Some(program) = self.running.pop() {
            ended = ended.and(program.stop().await);
        }
        ended
    }

    /// Whether anything was started that could have left something to look at.
    pub(crate) fn has_logs(&self) -> bool {
        NAMES.iter().any(|name| self.log(name).exists())
    }

    /// How the logs ended, of all programs that were started.
    pub(crate) fn log_tails(&self) -> String {
        NAMES.map(|name| self.log_tail(name)).concat()
    }

    fn log(&self, name: &str) -> PathBuf {
        self.directory.path().join(format!("{name}.log"))
    }

    /// Empty when there is no log or nothing in it: then it says nothing about what went wrong.
    fn log_tail(&self, name: &str) -> String {
        let log = std::fs::read_to_string(self.log(name)).unwrap_or_default();
        let skipped = log.lines().count().saturating_sub(TAIL);
        log.lines().skip(skipped).map(|line| format!("{name} | {line}\n")).collect()
    }
}

impl Program {
    async fn stop(mut self) -> Result<()> {
        let name = self.name;
        if let Some(status) = self.child.try_wait().with_context(|| format!("looking at {name}"))? {
            bail!("{name} had ended by itself with {status}; its log was {}", self.log.display());
        }
        let id = self.child.id().context("what has not ended has a process id")?;
        // The shell's own `kill`: there is no other on a small system, and a system call would be unsafe code.
        let told = Command::new("sh").args(["-c", "kill -TERM \"$0\"", &id.to_string()]).status().await;
        if !told.with_context(|| format!("stopping {name}"))?.success() {
            bail!("{name} could not be told to stop");
        }
        match timeout(STOPPING, self.child.wait()).await {
            Ok(status) => {
                let status = status.with_context(|| format!("waiting for {name}"))?;
                if status.success() { Ok(()) } else { bail!("{name} ended with {status}") }
            }
            Err(_elapsed) => {
                self.child.kill().await.with_context(|| format!("killing {name}"))?;
                bail!("{name} did not stop within {} seconds and was killed", STOPPING.as_secs())
            }
        }
    }
}

async fn read_to(printed: &mut Lines<BufReader<ChildStdout>>, last: &str) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    while let Some(line) = printed.next_line().await.context("reading what it prints")? {
        let is_last = line.starts_with(last);
        lines.push(line);
        if is_last {
            return Ok(lines);
        }
    }
    bail!("it ended before it printed a line that begins with {last:?}")
}
