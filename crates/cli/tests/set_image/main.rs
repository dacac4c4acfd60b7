//! `tagferry set-image` as a shell sees it: the program is run in a directory of its own.
//!
//! - [`lookup`]: which files are meant.
//! - [`images`]: what is set in them.
//! - [`output`]: what is printed, and how it ends.
//! - [`links`]: symbolic links, and files that are none.
//! - [`writing`]: what a file is after it was replaced.
//! - [`corpus`]: the cases of Kustomize's own tests.

mod corpus;
mod images;
mod links;
mod lookup;
mod output;
mod writing;

use std::{
    fs,
    io::Write as _,
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;

/// A kustomization with a comment, so that a lost one is noticed.
const OLD: &str = "images:\n- name: app # ours\n  newTag: v1\n";

/// The same after `app:v2`.
const NEW: &str = "images:\n- name: app # ours\n  newTag: v2\n";

/// A user and group that own nothing.
const NOBODY: u32 = 12345;

/// A directory with files, in which the program runs.
struct Scene {
    directory: TempDir,
}

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Scene {
    fn new(files: &[(&str, &str)]) -> Result<Self> {
        let scene = Self { directory: TempDir::new()? };
        for (path, text) in files {
            scene.write(path, text)?;
        }
        Ok(scene)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.path(path);
        fs::create_dir_all(path.parent().context("a file is in a directory")?)?;
        fs::write(&path, text).with_context(|| path.display().to_string())
    }

    fn text(&self, path: &str) -> Result<String> {
        fs::read_to_string(self.path(path)).context(path.to_owned())
    }

    /// The names in a directory, in order.
    fn names(&self, directory: &str) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.path(directory))? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tagferry"));
        command.arg("set-image").args(arguments).current_dir(self.directory.path());
        command
    }

    fn run(&self, arguments: &[&str]) -> Result<Ended> {
        Ended::of(self.command(arguments).output()?)
    }

    /// Runs it, and expects it to be done without a complaint; gives what it printed.
    fn done(&self, arguments: &[&str]) -> Result<String> {
        let ended = self.run(arguments)?;
        ensure!(ended.code == Some(0) && ended.err.is_empty(), "{arguments:?}: {ended:?}");
        Ok(ended.out)
    }

    /// Runs it, and expects it to refuse; gives why, without the first word.
    fn refused(&self, arguments: &[&str]) -> Result<String> {
        let ended = self.run(arguments)?;
        ensure!(ended.code == Some(1) && ended.out.is_empty(), "{arguments:?}: {ended:?}");
        let why = ended.err.strip_prefix("tagferry: ").and_then(|why| why.strip_suffix('\n'));
        Ok(why.with_context(|| format!("{arguments:?}: {ended:?}"))?.to_owned())
    }

    /// Whether permissions do not stop whoever runs the tests.
    fn is_roots(&self) -> Result<bool> {
        Ok(fs::metadata(self.directory.path())?.uid() == 0)
    }

    /// Runs it as somebody whom permissions stop; `None` where that is not possible.
    fn run_without_privileges(&self, arguments: &[&str]) -> Result<Option<Ended>> {
        if !self.is_roots()? {
            return self.run(arguments).map(Some);
        }
        let as_nobody = |arguments: &[&str]| self.command(arguments).uid(NOBODY).gid(NOBODY).output();
        // The program may lie where only root may go.
        if !as_nobody(&["--help"]).is_ok_and(|output| output.status.success()) {
            return Ok(None);
        }
        Ended::of(as_nobody(arguments)?).map(Some)
    }
}

impl Ended {
    fn of(output: Output) -> Result<Self> {
        Ok(Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).context("standard output")?,
            err: String::from_utf8(output.stderr).context("standard error")?,
        })
    }
}

/// Says what did not run, past the capture of the test harness, since the test passes.
fn say_not_run(what: &str) {
    writeln!(std::io::stderr(), "set-image: {what} did not run").expect("standard error is open");
}

fn inode(path: &Path) -> Result<u64> {
    Ok(fs::symlink_metadata(path)?.ino())
}
