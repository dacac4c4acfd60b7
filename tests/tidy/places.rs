//! What lies at the top of the tree, and that nothing names a place on somebody's machine.

use crate::tree::{self, File};

/// What may lie at the top, besides files whose name begins with a dot.
const TOP: &[&str] = &[
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "charts",
    "clippy.toml",
    "config",
    "crates",
    "deploy",
    "docs",
    "rustfmt.toml",
    "tests",
];

/// Directories that are somewhere else on every machine; in pieces, so that this file does not name them.
const MACHINE: &[&str] = &[concat!("/", "root/"), concat!("/", "work/"), concat!("/", "home/"), concat!("/", "Users/")];

fn is_allowed_at_the_top(path: &str) -> bool {
    let top = path.split('/').next().unwrap_or_default();
    top.starts_with('.') || TOP.contains(&top)
}

fn machine_paths(file: &File) -> Vec<String> {
    let mut complaints = Vec::new();
    for (number, line) in (1..).zip(file.text.lines()) {
        for place in MACHINE {
            if names(line, place) {
                complaints.push(format!("{}:{number} names a place under {place}", file.path));
            }
        }
    }
    complaints
}

/// Whether the line holds an absolute path that begins so; a longer path or an address may hold it inside.
fn names(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        before.is_none_or(|before| !before.is_alphanumeric() && !"-_.~/}*".contains(before))
    })
}

#[test]
fn the_top_of_the_tree_holds_only_what_belongs_there() -> anyhow::Result<()> {
    let complaints: Vec<String> = tree::tracked()?.into_iter().filter(|path| !is_allowed_at_the_top(path)).collect();
    tree::assert_none(&complaints);
    Ok(())
}

#[test]
fn no_file_names_a_place_on_a_machine() -> anyhow::Result<()> {
    let complaints: Vec<String> = tree::files("")?.iter().flat_map(machine_paths).collect();
    tree::assert_none(&complaints);
    Ok(())
}

#[test]
fn a_stray_file_at_the_top_is_found() {
    for good in ["Cargo.toml", ".ci/run", "docs/architecture.md"] {
        assert!(is_allowed_at_the_top(good), "{good} was refused");
    }
    for bad in ["notes.txt", "scripts/run.sh", "docs.md"] {
        assert!(!is_allowed_at_the_top(bad), "{bad} was allowed");
    }
}

#[test]
fn a_machine_path_is_found() {
    let check = |line: String, expected: usize| {
        let file = File { path: "a.md".to_owned(), text: format!("first\n{line}\n") };
        assert_eq!(machine_paths(&file).len(), expected, "{line}");
    };
    for place in MACHINE {
        check(format!("{place}x"), 1);
        check(format!("cd \"{place}x\" && ls"), 1);
        check(format!("https://example.com{place}x"), 0);
        check(format!("apps/a{place}x"), 0);
    }
}
