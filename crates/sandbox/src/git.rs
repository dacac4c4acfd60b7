//! Real Git repositories on disk, operated by the `git` program.
//!
//! Nothing here knows about pull requests or protection: it offers what Git itself knows, as blocking calls.
//! The user's own Git configuration has no influence.

mod change;
mod commit;
mod content;
mod merge;
mod write;

use std::{
    collections::BTreeMap,
    fmt,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

pub(crate) use change::FileChange;
pub(crate) use commit::{CommitObject, Signature};
pub(crate) use content::{Kind, TreeEntry};
pub(crate) use merge::{Standing, Trial};
pub(crate) use write::{Modes, Move, NewCommit};

/// The name of a Git object: 40 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Oid(String);

/// The text does not name a Git object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an object is named by 40 lower-case hexadecimal digits")]
pub struct InvalidOid;

/// What went wrong with a Git repository.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The `git` program could not be started or talked to.
    #[error("running git {command}")]
    Spawn {
        /// The subcommand.
        command: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The `git` program refused.
    #[error("git {command}: {stderr}")]
    Refused {
        /// The subcommand.
        command: String,
        /// What it said.
        stderr: String,
    },
    /// The `git` program answered something unknown.
    #[error("git {command} answered {answer:?}")]
    Unexpected {
        /// The subcommand.
        command: String,
        /// The answer.
        answer: String,
    },
}

/// One bare repository.
#[derive(Debug, Clone)]
pub(crate) struct Bare {
    directory: PathBuf,
}

impl Bare {
    /// Opens the bare repository in `directory`, or makes an empty one.
    pub(crate) fn open_or_init(directory: PathBuf, default_branch: &str) -> Result<Self, Error> {
        let bare = Self { directory };
        if !bare.directory.join("HEAD").exists() {
            let mut command = program();
            command
                .args(["init", "--quiet", "--bare"])
                .arg(format!("--initial-branch={default_branch}"))
                .arg(&bare.directory);
            run("init", command, None)?;
        }
        Ok(bare)
    }

    /// Copies all branches of another repository, a clone or a bare one.
    pub(crate) fn copy_branches(&self, from: &Path) -> Result<(), Error> {
        let mut command = self.command("fetch");
        command.args(["--quiet", "--no-tags", "--update-head-ok"]).arg(from);
        command.arg("+refs/heads/*:refs/heads/*");
        run("fetch", command, None).map(drop)
    }

    /// The branch that is checked out in another repository; `None` when none is.
    pub(crate) fn head_of(path: &Path) -> Result<Option<String>, Error> {
        let mut command = program();
        command.arg("-C").arg(path).args(["symbolic-ref", "--quiet", "--short", "HEAD"]);
        let output = spawn("symbolic-ref", command, None)?;
        let branch = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok((!branch.is_empty()).then_some(branch))
    }

    /// Where it is.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The branch that `HEAD` names.
    pub(crate) fn default_branch(&self) -> Result<String, Error> {
        Ok(self.ask("symbolic-ref", &["--short", "HEAD"])?.trim().to_owned())
    }

    /// Makes `HEAD` name a branch.
    pub(crate) fn set_default_branch(&self, branch: &str) -> Result<(), Error> {
        self.ask("symbolic-ref", &["HEAD", &format!("refs/heads/{branch}")]).map(drop)
    }

    /// Every branch with the commit at its tip.
    pub(crate) fn tips(&self) -> Result<BTreeMap<String, Oid>, Error> {
        let listed = self.ask("for-each-ref", &["--format=%(objectname) %(refname:lstrip=2)", "refs/heads"])?;
        Ok(listed
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter_map(|(oid, branch)| Some((branch.to_owned(), oid.parse().ok()?)))
            .collect())
    }

    /// The commit that a revision names; `None` when there is none.
    pub(crate) fn resolve(&self, revision: &str) -> Result<Option<Oid>, Error> {
        if revision.starts_with('-') || revision.contains([' ', '\n', '^', '~', ':', '@']) {
            return Ok(None);
        }
        let mut command = self.command("rev-parse");
        command.args(["--verify", "--quiet", "--end-of-options"]);
        command.arg(format!("{revision}^{{commit}}"));
        let output = spawn("rev-parse", command, None)?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().parse().ok())
    }

    /// Sets a reference, whatever it was.
    pub(crate) fn set_reference(&self, name: &str, to: &Oid) -> Result<(), Error> {
        self.ask("update-ref", &[name, to.as_str()]).map(drop)
    }

    /// Moves a reference from one commit to another; refused when it is no longer there.
    pub(crate) fn move_reference(&self, name: &str, from: &Oid, to: &Oid) -> Result<(), Error> {
        self.ask("update-ref", &[name, to.as_str(), from.as_str()]).map(drop)
    }

    /// Deletes a reference.
    pub(crate) fn delete_reference(&self, name: &str) -> Result<(), Error> {
        self.ask("update-ref", &["-d", name]).map(drop)
    }

    /// A `git` subcommand in this repository.
    fn command(&self, subcommand: &str) -> Command {
        let mut command = program();
        command.arg("--git-dir").arg(&self.directory).arg(subcommand);
        command
    }

    /// Runs a subcommand that must succeed and gives what it printed.
    fn ask(&self, subcommand: &str, arguments: &[&str]) -> Result<String, Error> {
        let mut command = self.command(subcommand);
        command.args(arguments);
        run(subcommand, command, None)
    }
}

/// The variables that keep the user's and the system's configuration out.
pub(crate) const ENVIRONMENT: [(&str, &str); 5] = [
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("HOME", "/nonexistent"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("LC_ALL", "C"),
];

/// The variables that would make Git look at another repository, as they are set inside a hook.
pub(crate) const FOREIGN: [&str; 7] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_CONFIG_PARAMETERS",
];

/// Settings for every call: no background work, no waiting for the disk, any commit may be fetched as on GitHub.
pub(crate) const SETTINGS: [&str; 12] = [
    "-c",
    "gc.auto=0",
    "-c",
    "maintenance.auto=false",
    "-c",
    "receive.autogc=false",
    "-c",
    "core.fsync=none",
    "-c",
    "uploadpack.allowAnySHA1InWant=true",
    "-c",
    "uploadpack.allowFilter=true",
];

fn program() -> Command {
    let mut command = Command::new("git");
    for name in FOREIGN {
        command.env_remove(name);
    }
    command.envs(ENVIRONMENT).args(SETTINGS).args(["-c", "safe.directory=*"]);
    command
}

fn run(subcommand: &str, command: Command, input: Option<&[u8]>) -> Result<String, Error> {
    printed(subcommand, spawn(subcommand, command, input)?).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn run_raw(subcommand: &str, command: Command) -> Result<Vec<u8>, Error> {
    printed(subcommand, spawn(subcommand, command, None)?)
}

/// What a command printed that must have succeeded.
fn printed(subcommand: &str, output: Output) -> Result<Vec<u8>, Error> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::Refused { command: subcommand.to_owned(), stderr })
}

fn spawn(subcommand: &str, mut command: Command, input: Option<&[u8]>) -> Result<Output, Error> {
    let failed = |source| Error::Spawn { command: subcommand.to_owned(), source };
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
        stdin.write_all(input).map_err(failed)?;
    }
    child.wait_with_output().map_err(failed)
}

impl Oid {
    /// The name that means "no object" in Git's protocol.
    pub(crate) const ZERO: &str = "0000000000000000000000000000000000000000";

    /// The 40 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Oid {
    type Err = InvalidOid;

    fn from_str(text: &str) -> Result<Self, InvalidOid> {
        let good = text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if good { Ok(Self(text.to_owned())) } else { Err(InvalidOid) }
    }
}

impl TryFrom<String> for Oid {
    type Error = InvalidOid;

    fn try_from(text: String) -> Result<Self, InvalidOid> {
        text.parse()
    }
}

impl From<Oid> for String {
    fn from(oid: Oid) -> Self {
        oid.0
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
