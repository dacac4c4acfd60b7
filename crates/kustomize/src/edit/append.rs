//! An entry that is not there yet: where it goes.

#[cfg(test)]
mod tests;

use super::{
    Plan, Splice,
    block::{indent_of, is_blank_or_comment},
    entry::{New, has_no_space, quote_of_key},
    flow::gap_before_comma,
    plan::{refuse_form, result},
};
use crate::{
    ImageName,
    change::Wanted,
    document::{Document, Entry},
    proof::{Intent, Presence},
    refusal::Refusal,
    text::{line_end, line_ending, line_start, previous_line_ending, rest, slice},
    tree::{Kind, Layout, Node, Pair, Style},
};

/// Says what to add so that there is an entry which says what is wanted.
pub(super) fn append<'c>(
    document: &Document<'_>,
    image: &'c ImageName,
    wanted: &[(&'static str, Wanted<'c>)],
) -> Result<Plan<'c>, Refusal> {
    let last = document.last_image()?;
    let place = last.map_or(0, |last| last.index + 1);
    let result = result(document, None, image, wanted);
    document.check_not_overruled(place, &result)?;
    let changes: Vec<(&'static str, &'c str)> = wanted
        .iter()
        .filter_map(|(key, wanted)| match wanted {
            Wanted::Text(text) => Some((*key, *text)),
            Wanted::Kept | Wanted::Absent => None,
        })
        .collect();
    let mut fields = vec![("name", image.as_str())];
    fields.extend(changes.iter().copied());
    let new = New { fields };
    let splices = match (document.images, last) {
        (_, Some(last)) if document.images_layout() == Layout::Flow => {
            vec![behind_braces(document, last, &new)]
        }
        (Some(images), Some(last)) => vec![behind_lines(document, images, last, &new)?],
        (Some(images), None) => into_empty_list(document, images, &new)?,
        (None, _) => vec![with_images(document, &new)?],
    };
    let changes = changes.into_iter().map(|(key, text)| (key, Some(text))).collect();
    Ok(Plan { splices, intent: Intent { result, entry: Presence::New, changes } })
}

/// `[{…}, {…}]`: behind the last item.
fn behind_braces(document: &Document<'_>, last: Entry<'_>, new: &New<'_>) -> Splice {
    let text = document.text;
    let (from, end) = (last.node.span.start, last.node.span.end);
    let before = slice(text, line_start(text, from)..from);
    let separator = if before.trim_matches([' ', '\t']).is_empty() {
        format!(",{}{before}", previous_line_ending(text, from))
    } else if super::entry::is_compact(document, last.pairs) {
        ",".to_owned()
    } else {
        ", ".to_owned()
    };
    Splice { range: end..end, text: format!("{separator}{}", new.braces(document, last)) }
}

/// A list of lines with dashes: behind the last line of the last item.
fn behind_lines(document: &Document<'_>, images: &Pair<'_>, last: Entry<'_>, new: &New<'_>) -> Result<Splice, Refusal> {
    let text = document.text;
    let end = line_end(text, last.node.span.end);
    if !is_blank_or_comment(slice(text, last.node.span.end..end)) {
        return Err(refuse_form(document, images, "something else follows on the line of its last entry"));
    }
    let ending = ending_at(text, end);
    let lead = dash_before(text, last.node.span.start)
        .ok_or_else(|| refuse_form(document, images, "no dash stands before its last entry"))?;
    let entry = match last.layout {
        Layout::Flow => format!("{lead}{}", new.braces(document, last)),
        Layout::Block => new.lines(Some(last), &lead, ending),
    };
    Ok(Splice { range: end..end, text: format!("{ending}{entry}") })
}

/// `images:`, `images: ~` or `images: []`.
fn into_empty_list(document: &Document<'_>, images: &Pair<'_>, new: &New<'_>) -> Result<Vec<Splice>, Refusal> {
    let text = document.text;
    let value = &images.value;
    let is_bare = value.anchor.is_none() && value.tag.is_none() && !matches!(value.kind, Kind::Alias { .. });
    if document.layout == Layout::Flow && is_bare && !value.span.is_empty() {
        let text = format!("[{}]", new.braces_beside(document, images));
        return Ok(vec![Splice { range: value.span.clone(), text }]);
    }
    let colon = slice(text, images.key.span.end..value.span.end).find(':').map(|colon| images.key.span.end + colon + 1);
    let end = line_end(text, value.span.end);
    match (colon, indent_of(text, images)) {
        (Some(colon), Some(indent)) if is_bare && document.layout == Layout::Block => {
            let lead = format!("{indent}{}- ", list_indent(document));
            let ending = ending_at(text, end);
            Ok(vec![
                Splice { range: colon..value.span.end, text: String::new() },
                Splice { range: end..end, text: format!("{ending}{}", new.lines(None, &lead, ending)) },
            ])
        }
        _ => Err(refuse_form(document, images, "its empty list has an anchor, a tag or an explicit key")),
    }
}

/// No `images`: the key comes last.
fn with_images(document: &Document<'_>, new: &New<'_>) -> Result<Splice, Refusal> {
    let text = document.text;
    let Some(last) = document.pairs.last() else {
        return Err(Refusal::Empty);
    };
    let Some(indent) = indent_of(text, last) else {
        return match document.layout {
            Layout::Flow => Ok(images_in_braces(document, last, new, ", ")),
            Layout::Block => Err(refuse_form(document, last, "its line begins with something else than spaces")),
        };
    };
    if document.layout == Layout::Flow {
        let separator = format!(",{}{indent}", previous_line_ending(text, last.key.span.start));
        return Ok(images_in_braces(document, last, new, &separator));
    }
    let column = |offset: usize| offset - line_start(text, offset);
    if column(last.key.span.start) != column(document.tree.root.span.start) {
        return Err(refuse_form(document, last, "its key stands behind a question mark"));
    }
    let end = line_end(text, last.value.span.end);
    let ending = ending_at(text, end);
    let list = new.lines(None, &format!("{indent}{}- ", list_indent(document)), ending);
    let lines = format!("{indent}images:{ending}{list}");
    if !ends_in_block_scalar(&last.value) {
        return Ok(Splice { range: end..end, text: format!("{ending}{lines}") });
    }
    let behind = end_of_blank_lines(text, last.value.span.end);
    let at = behind.unwrap_or_else(|| line_start(text, last.key.span.start));
    Ok(Splice { range: at..at, text: format!("{lines}{ending}") })
}

fn images_in_braces(document: &Document<'_>, last: &Pair<'_>, new: &New<'_>, separator: &str) -> Splice {
    let quote = quote_of_key(last);
    let is_compact = has_no_space(document, last);
    let colon = if is_compact { ":" } else { ": " };
    let separator = if is_compact { separator.trim_end_matches(' ') } else { separator };
    let end = last.value.span.end;
    let gap = gap_before_comma(document, end);
    let text = format!("{gap}{separator}{quote}images{quote}{colon}[{}]", new.braces_beside(document, last));
    Splice { range: end..end, text }
}

/// What stands on the line before an item: its dash, and a line break where the dash has a line for itself.
fn dash_before(text: &str, item: usize) -> Option<String> {
    let start = line_start(text, item);
    let before = slice(text, start..item);
    let is_dash = |line: &str| line.trim_matches(' ') == "-";
    if is_dash(before) {
        return Some(before.to_owned());
    }
    let above = slice(text, 0..start).lines().rev().find(|line| !is_blank_or_comment(line))?;
    let is_alone = is_dash(above) && before.trim_matches(' ').is_empty();
    is_alone.then(|| format!("{}{}{before}", above.trim_end_matches(' '), previous_line_ending(text, start)))
}

/// How far the lists under the root's keys are indented; not at all where there is none.
fn list_indent<'d>(document: &Document<'d>) -> &'d str {
    document.pairs.iter().find_map(|pair| indent_of_list(document.text, pair)).unwrap_or_default()
}

fn indent_of_list<'d>(text: &'d str, pair: &Pair<'_>) -> Option<&'d str> {
    let Kind::List { items, layout: Layout::Block } = &pair.value.kind else {
        return None;
    };
    let first = items.first()?.span.start;
    let key = pair.key.span.start;
    let before = slice(text, line_start(text, first)..first);
    let indent = slice(before, 0..before.find('-')?);
    indent.get(key - line_start(text, key)..)
}

/// Whether the last line of a value belongs to a `|` or `>`, which takes in what follows.
fn ends_in_block_scalar(node: &Node<'_>) -> bool {
    match &node.kind {
        Kind::Scalar { style, .. } => *style == Style::Block,
        Kind::List { items, .. } => items.last().is_some_and(ends_in_block_scalar),
        Kind::Map { pairs, .. } => pairs.last().is_some_and(|pair| ends_in_block_scalar(&pair.value)),
        Kind::Empty | Kind::Alias { .. } => false,
    }
}

/// Where the empty lines behind an offset end; `None` when not even its own line does, or when one of them holds
/// spaces, which may belong to what stands before it.
fn end_of_blank_lines(text: &str, from: usize) -> Option<usize> {
    let rest = rest(text, from);
    let blank = slice(rest, 0..rest.len() - rest.trim_start().len());
    if blank.contains([' ', '\t']) {
        return None;
    }
    blank.rfind('\n').map(|newline| from + newline + 1)
}

fn ending_at(text: &str, end: usize) -> &str {
    match line_ending(text, end) {
        "" => previous_line_ending(text, end),
        ending => ending,
    }
}
