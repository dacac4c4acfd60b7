//! Which TLS stack is linked.
//!
//! Two providers of cryptography in one binary make rustls panic at its first use, and OpenSSL would need a library
//! on the machine. What counts is what is built for this machine: the lock file also names what no feature asks for.

use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::tree;

const WANTED: &str = "aws-lc-rs";

const UNWANTED: &[&str] = &["ring", "openssl", "openssl-sys", "native-tls"];

/// Judges what `cargo tree` prints, one package a line, the name first.
fn complaints(listed: &str) -> Vec<String> {
    let is_built = |wanted: &str| listed.lines().any(|line| line.split_whitespace().next() == Some(wanted));
    let mut complaints: Vec<String> = UNWANTED
        .iter()
        .filter(|name| is_built(name))
        .map(|name| format!("{name} is built: `cargo tree --workspace --invert {name}` says for whom"))
        .collect();
    if !is_built(WANTED) {
        complaints.push(format!("{WANTED} is not built"));
    }
    complaints
}

#[test]
fn one_crypto_provider_is_linked() -> anyhow::Result<()> {
    let listed = Command::new("cargo")
        .args(["tree", "--workspace", "--locked", "--prefix", "none"])
        .current_dir(tree::root())
        .output()
        .context("starting cargo tree")?;
    let complaint = String::from_utf8_lossy(&listed.stderr);
    ensure!(listed.status.success(), "cargo tree: {complaint}");
    tree::assert_none(&complaints(&String::from_utf8_lossy(&listed.stdout)));
    Ok(())
}

#[test]
fn a_second_crypto_provider_is_found() {
    assert_eq!(complaints("aws-lc-rs v1.15.0\nringbuf v1.0.0").len(), 0);
    assert_eq!(complaints("ring v0.17.14\naws-lc-rs v1.15.0").len(), 1);
    assert_eq!(complaints("native-tls v0.2.0 (*)\naws-lc-rs v1.15.0").len(), 1);
    assert_eq!(complaints("rustls v0.23.0"), ["aws-lc-rs is not built"]);
}
