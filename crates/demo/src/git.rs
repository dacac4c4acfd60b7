//! A clone, and what Git says changed in it. Real Git, without the habits that somebody configured.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;

/// A clone of a repository.
#[derive(Debug)]
pub(crate) struct Clone {
    directory: PathBuf,
}

/// What a commit changed, by line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// The files.
    pub(crate) files: Vec<String>,
    /// The lines that are gone, without the sign in front.
    pub(crate) removed: Vec<String>,
    /// The lines that are new, without the sign in front.
    pub(crate) added: Vec<String>,
}

impl Clone {
    /// Clones, without a checkout.
    ///
    /// # Errors
    ///
    /// Git could not.
    pub(crate) async fn make(url: &str, directory: &Path) -> Result<Self> {
        let mut git = git();
        git.args(["clone", "--quiet", "--no-checkout", url]).arg(directory);
        run(git).await?;
        Ok(Self { directory: directory.to_owned() })
    }

    /// Who committed what, and what changed, as Git shows it.
    ///
    /// # Errors
    ///
    /// Git does not know the commit.
    pub(crate) async fn show(&self, commit: &str, colours: bool) -> Result<String> {
        let colour = if colours { "--color=always" } else { "--color=never" };
        self.run(&["show", "--no-ext-diff", "--unified=2", "--format=medium", colour, commit]).await
    }

    /// What a commit changed.
    ///
    /// # Errors
    ///
    /// Git does not know the commit.
    pub(crate) async fn changes(&self, commit: &str) -> Result<Changes> {
        let printed = self.run(&["show", "--no-ext-diff", "--unified=0", "--format=", "--color=never", commit]).await?;
        Ok(Changes::parse(&printed))
    }

    async fn run(&self, arguments: &[&str]) -> Result<String> {
        let mut git = git();
        git.arg("-C").arg(&self.directory).args(arguments);
        run(git).await
    }
}

impl Changes {
    /// Reads a unified diff without context lines.
    fn parse(diff: &str) -> Self {
        let mut changes = Self::default();
        for line in diff.lines() {
            if let Some(path) = line.strip_prefix("+++ b/") {
                changes.files.push(path.to_owned());
            } else if line.starts_with("--- ") {
                // The old name of the same file.
            } else if let Some(removed) = line.strip_prefix('-') {
                changes.removed.push(removed.to_owned());
            } else if let Some(added) = line.strip_prefix('+') {
                changes.added.push(added.to_owned());
            }
        }
        changes
    }
}

/// Says that Git is there.
///
/// # Errors
///
/// It is not.
pub(crate) async fn check() -> Result<()> {
    let mut git = git();
    git.arg("--version");
    run(git).await.map(drop).context("the demo needs git")
}

/// Git as nobody configured it: no pager, no credential helper, no proxy on the way to loopback, no question, and no
/// repository that a hook would name.
fn git() -> Command {
    let mut git = Command::new("git");
    git.env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env("NO_PROXY", crate::programs::LOOPBACK)
        .env("no_proxy", crate::programs::LOOPBACK)
        .arg("--no-pager")
        .kill_on_drop(true);
    git
}

async fn run(mut git: Command) -> Result<String> {
    let output = git.output().await.context("starting git")?;
    if !output.status.success() {
        bail!("git failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_is_read_by_its_files_and_lines() {
        let diff = "diff --git a/x.yaml b/x.yaml
index 1111111..2222222 100644
--- a/x.yaml
+++ b/x.yaml
@@ -3 +3,2 @@ images:
-  newTag: old
+  newTag: new
+- list
";
        let lines = |all: &[&str]| all.iter().map(|&line| line.to_owned()).collect::<Vec<_>>();
        let expected = Changes {
            files: lines(&["x.yaml"]),
            removed: lines(&["  newTag: old"]),
            added: lines(&["  newTag: new", "- list"]),
        };
        assert_eq!(Changes::parse(diff), expected);
    }
}
