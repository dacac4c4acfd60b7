//! Reading the tree: the files that Git tracks and the packages that Cargo knows.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};
use cargo_metadata::{MetadataCommand, Package};

/// A text file of the tree.
pub(crate) struct File {
    /// From the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The paths of the files that Git tracks, from the root.
pub(crate) fn tracked() -> anyhow::Result<Vec<String>> {
    // A checkout that belongs to another user is still worth reading.
    let listed = Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files", "-z"])
        .current_dir(root())
        .output()
        .context("starting git ls-files")?;
    let complaint = String::from_utf8_lossy(&listed.stderr);
    ensure!(listed.status.success(), "git ls-files: {complaint}");
    let listed = String::from_utf8(listed.stdout).context("a path is not UTF-8")?;
    Ok(listed.split_terminator('\0').filter(|path| root().join(path).is_file()).map(str::to_owned).collect())
}

/// The tracked files that are text and whose path ends so.
pub(crate) fn files(ending: &str) -> anyhow::Result<Vec<File>> {
    let mut files = Vec::new();
    for path in tracked()? {
        if !path.ends_with(ending) {
            continue;
        }
        let bytes = fs::read(root().join(&path)).with_context(|| format!("reading {path}"))?;
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(File { path, text });
        }
    }
    ensure!(!files.is_empty(), "no tracked file ends with {ending:?}");
    Ok(files)
}

/// Our packages.
pub(crate) fn packages() -> anyhow::Result<Vec<Package>> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("asking cargo for our packages")?;
    Ok(metadata.packages)
}

/// Fails with all complaints, if there are any.
#[track_caller]
pub(crate) fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
