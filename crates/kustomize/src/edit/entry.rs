//! How a new entry is written.

use super::plan::quoting_of_key;
use crate::{
    document::{Document, Entry},
    scalar::Quoting,
    text::slice,
    tree::{Pair, Style},
};

/// The keys and values of a new entry, in the order in which people write them.
pub(super) struct New<'c> {
    pub(super) fields: Vec<(&'static str, &'c str)>,
}

impl New<'_> {
    /// Lines, the first behind `lead` and the others as far to the right as its last line reaches.
    pub(super) fn lines(&self, model: Option<Entry<'_>>, lead: &str, ending: &str) -> String {
        let width = lead.rsplit('\n').next().unwrap_or(lead).chars().count();
        let between = format!("{ending}{}", " ".repeat(width));
        let lines: Vec<String> = self
            .fields
            .iter()
            .map(|(key, value)| format!("{key}: {}", quoting_like(model, key).write(value)))
            .collect();
        format!("{lead}{}", lines.join(&between))
    }

    /// Braces, padded and spaced like those of the model.
    pub(super) fn braces(&self, document: &Document<'_>, model: Entry<'_>) -> String {
        let first = model.pairs.first();
        let is_compact = is_compact(document, model.pairs);
        let padding = first.map_or("", |pair| slice(document.text, model.node.span.start + 1..pair.key.span.start));
        let padding = if padding == " " { " " } else { "" };
        let quote = first.map_or("", |pair| quote_of_key(pair));
        let colon = if first.is_some_and(|pair| has_no_space(document, pair)) { ":" } else { ": " };
        let pairs: Vec<String> = self
            .fields
            .iter()
            .map(|(key, value)| format!("{quote}{key}{quote}{colon}{}", quoting_like(Some(model), key).write(value)))
            .collect();
        format!("{{{padding}{}{padding}}}", pairs.join(if is_compact { "," } else { ", " }))
    }

    /// Braces as programs write JSON, or as people write YAML, after the manner of a key beside it.
    pub(super) fn braces_beside(&self, document: &Document<'_>, pair: &Pair<'_>) -> String {
        let quoting = quoting_of_key(pair);
        let quote = quote_of_key(pair);
        let (colon, comma) = if has_no_space(document, pair) { (":", ",") } else { (": ", ", ") };
        let pairs: Vec<String> = self
            .fields
            .iter()
            .map(|(key, value)| format!("{quote}{key}{quote}{colon}{}", quoting.write(value)))
            .collect();
        format!("{{{}}}", pairs.join(comma))
    }
}

pub(super) fn quote_of_key(pair: &Pair<'_>) -> &'static str {
    match pair.key.scalar() {
        Some((_, Style::DoubleQuoted)) => "\"",
        Some((_, Style::SingleQuoted)) => "'",
        _ => "",
    }
}

/// Whether the value follows the colon directly, as it may where the key has quotes.
pub(super) fn has_no_space(document: &Document<'_>, pair: &Pair<'_>) -> bool {
    !quote_of_key(pair).is_empty() && slice(document.text, pair.key.span.end..pair.value.span.start) == ":"
}

/// Whether the pairs stand without spaces, as programs write JSON.
pub(super) fn is_compact(document: &Document<'_>, pairs: &[Pair<'_>]) -> bool {
    match (pairs.first(), pairs.get(1)) {
        (Some(one), Some(two)) => slice(document.text, one.value.span.end..two.key.span.start) == ",",
        (Some(one), None) => has_no_space(document, one),
        (None, _) => false,
    }
}

/// The quotes of the same key in another entry.
fn quoting_like(model: Option<Entry<'_>>, key: &str) -> Quoting {
    let Some(model) = model else {
        return Quoting::IfNeeded;
    };
    match (model.pairs.first().map(quoting_of_key), model.pair(key).and_then(|pair| pair.value.scalar())) {
        (Some(Quoting::Double), _) => Quoting::Double,
        (_, Some((_, style))) => Quoting::of(style),
        (_, None) => Quoting::IfNeeded,
    }
}
