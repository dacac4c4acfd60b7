//! How long a source file may be, and what it may not be called.

use crate::tree::{self, File};

const LINES: usize = 400;

/// Names that say nothing of what is inside; `mod` because a module's file is named after it.
const EMPTY_NAMES: &[&str] = &["mod", "utils", "common", "helpers", "types", "manager"];

fn complaints(file: &File) -> Vec<String> {
    let mut complaints = Vec::new();
    let lines = file.text.lines().count();
    if lines > LINES {
        complaints.push(format!("{} has {lines} lines, more than {LINES}", file.path));
    }
    let name = file.path.rsplit('/').next().unwrap_or_default();
    if EMPTY_NAMES.iter().any(|empty| name.strip_suffix(".rs") == Some(empty)) {
        complaints.push(format!("{} is not named after what is in it", file.path));
    }
    complaints
}

#[test]
fn every_source_file_is_short_and_named_after_what_is_in_it() -> anyhow::Result<()> {
    let complaints: Vec<String> = tree::files(".rs")?.iter().flat_map(complaints).collect();
    tree::assert_none(&complaints);
    Ok(())
}

#[test]
fn a_long_or_badly_named_file_is_found() {
    let check = |path: &str, lines: usize, expected: &[&str]| {
        let file = File { path: path.to_owned(), text: "//!\n".repeat(lines) };
        assert_eq!(complaints(&file), expected);
    };
    check("crates/forge/src/commit.rs", 400, &[]);
    check("crates/forge/src/commit.rs", 401, &["crates/forge/src/commit.rs has 401 lines, more than 400"]);
    for path in ["src/mod.rs", "src/git/utils.rs", "types.rs"] {
        check(path, 1, &[&format!("{path} is not named after what is in it")]);
    }
}
