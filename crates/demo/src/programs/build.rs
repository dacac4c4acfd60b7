//! Building the programs with cargo, as a user would.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use tokio::process::Command;

use crate::say;

/// The workspace that this program was built in.
const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");

/// Where the programs are.
#[derive(Debug)]
pub(crate) struct Binaries {
    /// The service.
    pub(crate) tagferry: PathBuf,
    /// The forge and the registry.
    pub(crate) sandbox: PathBuf,
}

/// What is of interest in a line that cargo prints
/// (<https://doc.rust-lang.org/cargo/reference/external-tools.html#artifact-messages>).
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
}

/// Builds both programs; cargo shows its progress on standard error.
///
/// # Errors
///
/// Cargo is not there, or they do not build.
pub(crate) async fn build(cargo: &Path) -> Result<Binaries> {
    say::progress(format_args!("building tagferry and tagferry-sandbox"));
    let mut build = Command::new(cargo);
    build.args(["build", "--package", "cli", "--package", "sandbox", "--bins"]);
    build.args(["--message-format", "json-render-diagnostics", "--manifest-path", MANIFEST]);
    build.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    let child = build.spawn().with_context(|| format!("starting {}", cargo.display()))?;
    let output = child.wait_with_output().await.context("waiting for cargo")?;
    if !output.status.success() {
        bail!("the programs do not build: cargo ended with {}", output.status);
    }
    let printed = String::from_utf8(output.stdout).context("cargo printed something that is not text")?;
    let binary = |name: &str| executable(&printed, name).with_context(|| format!("cargo did not say where {name} is"));
    Ok(Binaries { tagferry: binary("tagferry")?, sandbox: binary("tagferry-sandbox")? })
}

/// The program of a name in what cargo printed. Lines of other kinds are not looked at.
fn executable(printed: &str, name: &str) -> Option<PathBuf> {
    let messages = printed.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    messages.filter_map(|message| message.executable).find(|path| path.file_stem().is_some_and(|stem| stem == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_its_name() {
        let printed = r#"{"reason":"compiler-artifact","target":{"name":"domain"},"executable":null}
not JSON
{"reason":"compiler-artifact","executable":"/t/debug/tagferry-sandbox"}
{"reason":"compiler-artifact","executable":"/t/debug/tagferry"}
{"reason":"build-finished","success":true}
"#;
        assert_eq!(executable(printed, "tagferry"), Some(PathBuf::from("/t/debug/tagferry")));
        assert_eq!(executable(printed, "tagferry-sandbox"), Some(PathBuf::from("/t/debug/tagferry-sandbox")));
        assert_eq!(executable(printed, "demo"), None);
    }
}
