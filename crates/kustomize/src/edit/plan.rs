//! The change of an entry that is there.

use super::{Plan, Splice, block, flow, remove::remove};
use crate::{
    ImageName,
    change::Wanted,
    document::{Document, Entry, Image, is_text_tag},
    proof::{Intent, Presence},
    refusal::Refusal,
    scalar::Quoting,
    text::slice,
    tree::{Kind, Layout, Pair, Style},
};

/// The order in which people write the keys of an entry.
const ORDER: [&str; 4] = ["name", "newName", "newTag", "digest"];

/// Says what to replace, insert and remove so that the entry says what is wanted.
pub(super) fn change<'c>(
    document: &Document<'_>,
    entry: Entry<'_>,
    image: &'c ImageName,
    wanted: &[(&'static str, Wanted<'c>)],
) -> Result<Plan<'c>, Refusal> {
    let mut splices = Vec::new();
    let mut changes = Vec::new();
    let removed: Vec<&Pair<'_>> = wanted
        .iter()
        .filter(|(_, wanted)| *wanted == Wanted::Absent)
        .filter_map(|(key, _)| entry.pair(key))
        .filter(|pair| !already(document, pair, None))
        .collect();
    if let Some(shared) = removed.iter().find(|pair| document.is_aliased(&pair.value)) {
        return Err(document.shared(&key_of(shared), &shared.value));
    }
    splices.extend(remove(document, entry, &removed)?);
    for (key, wanted) in wanted {
        match (wanted, entry.pair(key)) {
            (Wanted::Text(value), Some(pair)) if !already(document, pair, Some(value)) => {
                splices.push(replace(document, pair, value)?);
                changes.push((*key, Some(*value)));
            }
            (Wanted::Text(value), None) => {
                splices.push(insert(document, entry, &removed, (key, value))?);
                changes.push((*key, Some(*value)));
            }
            (Wanted::Absent, Some(pair)) if !already(document, pair, None) => {
                changes.push((*key, None));
            }
            (Wanted::Text(_) | Wanted::Absent | Wanted::Kept, _) => {}
        }
    }
    let result = result(document, Some(entry), image, wanted);
    document.check_not_overruled(entry.index, &result)?;
    let intent = Intent { result, entry: Presence::There(entry.index), changes };
    Ok(Plan { splices, intent })
}

fn already(document: &Document<'_>, pair: &Pair<'_>, wanted: Option<&str>) -> bool {
    document.text_of(pair).is_ok_and(|now| now.as_deref() == wanted)
}

/// What the entry will say.
pub(super) fn result(
    document: &Document<'_>,
    entry: Option<Entry<'_>>,
    image: &ImageName,
    wanted: &[(&'static str, Wanted<'_>)],
) -> Image {
    // A number that stays is kept as the words that it is written with, although Kustomize would not read it.
    let words = |pair: &Pair<'_>| pair.value.scalar().map(|(words, _)| words.to_owned());
    let now = |key: &str| {
        let pair = entry?.pair(key)?;
        document.text_of(pair).unwrap_or_else(|_| words(pair))
    };
    let [new_name, new_tag, digest] =
        ["newName", "newTag", "digest"].map(|key| match wanted.iter().find(|(wanted, _)| *wanted == key) {
            Some((_, Wanted::Text(text))) => Some((*text).to_owned()),
            Some((_, Wanted::Absent)) => None,
            Some((_, Wanted::Kept)) | None => now(key),
        });
    Image { name: image.to_string(), new_name, new_tag, digest }
}

/// Inserts a key behind the one after which people write it.
fn insert(
    document: &Document<'_>,
    entry: Entry<'_>,
    removed: &[&Pair<'_>],
    (key, value): (&str, &str),
) -> Result<Splice, Refusal> {
    let is_kept = |pair: &&Pair<'_>| !removed.iter().any(|removed| std::ptr::eq(*removed, *pair));
    let before = ORDER.into_iter().rev().skip_while(|known| *known != key);
    let sibling = before.skip(1).filter_map(|known| entry.pair(known)).find(is_kept);
    let sibling = sibling.ok_or_else(|| Refusal::Form {
        key: key.to_owned(),
        at: document.position(entry.node),
        form: "no key stands before it",
    })?;
    match entry.layout {
        Layout::Block => block::insert(document, entry, sibling, (key, value)),
        Layout::Flow => Ok(flow::insert(document, entry, sibling, (key, value))),
    }
}

fn key_of(pair: &Pair<'_>) -> String {
    pair.key.scalar().map(|(key, _)| key.to_owned()).unwrap_or_default()
}

fn replace(document: &Document<'_>, pair: &Pair<'_>, value: &str) -> Result<Splice, Refusal> {
    let node = &pair.value;
    let refuse = |form| refuse_form(document, pair, form);
    if document.is_aliased(node) {
        let key = pair.key.scalar().map(|(key, _)| key).unwrap_or_default();
        return Err(document.shared(key, node));
    }
    if node.tag.as_deref().is_some_and(|tag| !is_text_tag(tag)) {
        return Err(refuse("the value has a tag"));
    }
    let written = slice(document.text, node.span.clone());
    let quoting = match &node.kind {
        Kind::Empty if slice(document.text, 0..node.span.start).ends_with(':') => {
            let text = format!(" {}", quoting_of_key(pair).write(value));
            return Ok(Splice { range: node.span.clone(), text });
        }
        Kind::Empty => return Err(refuse("an anchor or a tag stands without a value")),
        Kind::List { .. } | Kind::Map { .. } => return Err(refuse("the value is not text")),
        Kind::Alias { .. } => quoting_of_key(pair),
        Kind::Scalar { style: Style::Block, .. } => return block::replace_block_scalar(document, pair, value),
        Kind::Scalar { style, .. } => Quoting::of(*style),
    };
    if !quoting.is_around(written) {
        return Err(refuse("the value ends elsewhere than the parser says"));
    }
    Ok(Splice { range: node.span.clone(), text: quoting.write(value) })
}

/// In JSON, whose keys have double quotes, a value has them as well.
pub(super) fn quoting_of_key(pair: &Pair<'_>) -> Quoting {
    match pair.key.scalar() {
        Some((_, Style::DoubleQuoted)) => Quoting::Double,
        _ => Quoting::IfNeeded,
    }
}

/// How a new value beside this one is written: like it where it has quotes.
pub(super) fn quoting_beside(pair: &Pair<'_>) -> Quoting {
    match (quoting_of_key(pair), pair.value.scalar()) {
        (Quoting::IfNeeded, Some((_, style))) => Quoting::of(style),
        (quoting, _) => quoting,
    }
}

pub(super) fn refuse_form(document: &Document<'_>, pair: &Pair<'_>, form: &'static str) -> Refusal {
    let key = pair.key.scalar().map(|(key, _)| key.to_owned()).unwrap_or_default();
    Refusal::Form { key, at: document.position(&pair.value), form }
}
