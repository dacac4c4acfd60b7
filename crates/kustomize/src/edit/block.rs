//! Entries that are written by indentation, a key on each line.

use super::{
    Splice,
    plan::{quoting_beside, quoting_of_key, refuse_form},
};
use crate::{
    document::{Document, Entry},
    refusal::Refusal,
    text::{line_end, line_ending, line_start, previous_line_ending, slice},
    tree::Pair,
};

/// Inserts a line with a key and a value behind the line of a sibling.
pub(super) fn insert(
    document: &Document<'_>,
    entry: Entry<'_>,
    sibling: &Pair<'_>,
    (key, value): (&str, &str),
) -> Result<Splice, Refusal> {
    let text = document.text;
    let indent =
        entry.pairs.iter().find_map(|pair| indent_of(text, pair)).ok_or_else(|| {
            refuse_form(document, sibling, "its line begins with something else than spaces and a dash")
        })?;
    let end = line_end(text, sibling.value.span.end);
    if !is_blank_or_comment(slice(text, sibling.value.span.end..end)) {
        return Err(refuse_form(document, sibling, "something else follows on its line"));
    }
    let ending = match line_ending(text, end) {
        "" => previous_line_ending(text, end),
        ending => ending,
    };
    let value = quoting_beside(sibling).write(value);
    Ok(Splice { range: end..end, text: format!("{ending}{indent}{key}: {value}") })
}

/// Replaces a value that is written behind `|` or `>` on lines of its own by one on the line of its key.
pub(super) fn replace_block_scalar(document: &Document<'_>, pair: &Pair<'_>, value: &str) -> Result<Splice, Refusal> {
    let (from, content) = (pair.key.span.end, &pair.value.span);
    let head = slice(document.text, from..content.start);
    let indicator = head.find(['|', '>']).filter(|indicator| {
        let between = slice(head, 0..*indicator);
        between.trim_matches([':', ' ', '\t']).is_empty() && !head.contains('#')
    });
    match indicator {
        Some(indicator) if !content.is_empty() => {
            let text = quoting_of_key(pair).write(value);
            Ok(Splice { range: from + indicator..content.end, text })
        }
        _ => Err(refuse_form(document, pair, "a block scalar with a comment, a tag, an anchor or no content")),
    }
}

/// The white space that brings a line under this key: what stands before it, with the dash as a space.
pub(super) fn indent_of(text: &str, pair: &Pair<'_>) -> Option<String> {
    let from = pair.key.span.start;
    let before = slice(text, line_start(text, from)..from);
    before.trim_matches([' ', '-']).is_empty().then(|| " ".repeat(before.len()))
}

pub(super) fn is_blank_or_comment(end_of_line: &str) -> bool {
    let trimmed = end_of_line.trim_start_matches([' ', '\t']);
    trimmed.is_empty() || trimmed.starts_with('#')
}
