//! Entries that are written in braces, JSON among them.

use super::{
    Splice,
    entry::{has_no_space, is_compact, quote_of_key},
    plan::quoting_beside,
};
use crate::{
    document::{Document, Entry},
    text::slice,
    tree::Pair,
};

/// Inserts a key and a value behind the value of a sibling.
pub(super) fn insert(
    document: &Document<'_>,
    entry: Entry<'_>,
    sibling: &Pair<'_>,
    (key, value): (&str, &str),
) -> Splice {
    let end = sibling.value.span.end;
    let pair = write_pair(document, sibling, (key, value));
    let separator = if is_compact(document, entry.pairs) { "," } else { ", " };
    let gap = gap_before_comma(document, end);
    Splice { range: end..end, text: format!("{gap}{separator}{pair}") }
}

/// A space behind a colon without a value, where some readers take a comma for a part of the word.
pub(super) fn gap_before_comma(document: &Document<'_>, end: usize) -> &'static str {
    if slice(document.text, 0..end).ends_with(':') { " " } else { "" }
}

/// Writes a key and a value in the manner of another pair.
fn write_pair(document: &Document<'_>, model: &Pair<'_>, (key, value): (&str, &str)) -> String {
    let value = quoting_beside(model).write(value);
    let quote = quote_of_key(model);
    let colon = if has_no_space(document, model) { ":" } else { ": " };
    format!("{quote}{key}{quote}{colon}{value}")
}
