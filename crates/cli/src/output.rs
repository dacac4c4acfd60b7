//! What is printed, and how.

use std::io::Write as _;

use anyhow::Context as _;
use similar::TextDiff;

/// How the outcome is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// Writes on standard output.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("writing to standard output")
}

/// On one line of a terminal, whatever is in the text.
pub(crate) fn printable(text: &str) -> String {
    let shown = |character: char| {
        if character.is_control() { character.escape_default().to_string() } else { character.to_string() }
    };
    text.chars().map(shown).collect()
}

/// The changed lines of a file as `git diff` shows them, so that `git apply` and `patch -p1` take them; nothing when
/// there are none.
pub(crate) fn diff(path: &str, before: &[u8], after: &[u8]) -> String {
    let (before, after) = (String::from_utf8_lossy(before), String::from_utf8_lossy(after));
    let path = printable(path);
    let path = path.trim_start_matches("./").trim_start_matches('/');
    // A tab ends a name with a space in it.
    let end = if path.contains(' ') { "\t" } else { "" };
    let (old, new) = (format!("a/{path}{end}"), format!("b/{path}{end}"));
    TextDiff::from_lines(&before, &after).unified_diff().context_radius(3).header(&old, &new).to_string()
}
