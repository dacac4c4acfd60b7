//! What each crate says of itself, in its manifest, its source and the code map.

use std::fs;

use anyhow::Context as _;
use cargo_metadata::{Package, TargetKind};

use crate::tree;

const CODE_MAP: &str = "docs/architecture.md";

/// The first paragraph of a file's inner documentation, without code marks.
fn first_paragraph(source: &str) -> String {
    let lines: Vec<&str> = source
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(str::trim)
        .take_while(|line| !line.is_empty())
        .collect();
    plain(&lines.join(" "))
}

/// Whether a manifest takes over the workspace's lints.
fn takes_over_lints(manifest: &str) -> bool {
    manifest.split_once("[lints]\n").is_some_and(|(_, lints)| lints.lines().next() == Some("workspace = true"))
}

/// Whether a line of the code map gives the crate with its sentence.
fn maps(code_map: &str, name: &str, sentence: &str) -> bool {
    code_map.lines().filter(|line| line.contains(&format!("`{name}`"))).any(|line| plain(line).contains(sentence))
}

fn plain(text: &str) -> String {
    text.replace('`', "")
}

fn sentence(package: &Package) -> String {
    plain(package.description.as_deref().unwrap_or_default())
}

fn complaints(package: &Package) -> anyhow::Result<Vec<String>> {
    let mut complaints = Vec::new();
    let is_library = |kind: &TargetKind| matches!(kind, TargetKind::Lib);
    let has_library = package.targets.iter().any(|target| target.kind.iter().any(is_library));
    for target in &package.targets {
        let path = &target.src_path;
        let source = fs::read_to_string(path).with_context(|| format!("reading {path}"))?;
        let paragraph = first_paragraph(&source);
        let is_main = matches!(target.kind.as_slice(), [TargetKind::Bin]) && !has_library;
        if paragraph.is_empty() {
            complaints.push(format!("{path} does not begin with `//!`"));
        } else if (is_main || target.kind.iter().any(is_library)) && paragraph != sentence(package) {
            complaints.push(format!("{path} begins with {paragraph:?}, not with the crate's description"));
        }
    }
    let manifest =
        fs::read_to_string(&package.manifest_path).with_context(|| format!("reading {}", package.manifest_path))?;
    if !takes_over_lints(&manifest) {
        complaints.push(format!("{} does not take over the workspace's lints", package.name));
    }
    Ok(complaints)
}

#[test]
fn every_crate_begins_with_its_sentence_and_has_the_workspace_lints() -> anyhow::Result<()> {
    let mut all = Vec::new();
    for package in tree::packages()? {
        all.extend(complaints(&package)?);
    }
    tree::assert_none(&all);
    Ok(())
}

#[test]
fn the_code_map_has_every_crate_with_its_sentence() -> anyhow::Result<()> {
    let code_map = fs::read_to_string(tree::root().join(CODE_MAP)).context(CODE_MAP)?;
    let complaints: Vec<String> = tree::packages()?
        .iter()
        .filter(|package| !maps(&code_map, &package.name, &sentence(package)))
        .map(|package| format!("{CODE_MAP} lacks `{}`: {}", package.name, sentence(package)))
        .collect();
    tree::assert_none(&complaints);
    Ok(())
}

#[test]
fn the_first_paragraph_is_read_without_code_marks() {
    assert_eq!(first_paragraph("//! The `a`\n//! binary.\n//!\n//! More.\n"), "The a binary.");
    assert_eq!(first_paragraph("\n//! Late.\n"), "");
    assert_eq!(first_paragraph("use std::fmt;\n"), "");
}

#[test]
fn a_manifest_without_the_lints_is_found() {
    assert!(takes_over_lints("[package]\n\n[lints]\nworkspace = true\n"));
    assert!(!takes_over_lints("[package]\n\n[lints]\nworkspace = false\n"));
    assert!(!takes_over_lints("[package]\n"));
}

#[test]
fn a_crate_that_the_code_map_lacks_is_found() {
    let code_map = "| `crates/store` | `store` | Remembers `rows`. |\n";
    assert!(maps(code_map, "store", "Remembers rows."));
    assert!(!maps(code_map, "store", "Forgets."));
    assert!(!maps(code_map, "forge", "Remembers rows."));
}
