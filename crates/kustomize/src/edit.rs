//! The change as splices of text.

mod append;
mod block;
mod entry;
mod flow;
mod plan;
mod remove;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::{
    change::{Change, Missing},
    document::Document,
    parser,
    proof::{self, Intent},
    refusal::{Position, Refusal},
    text::{Text, lines_behind, rest, slice},
    witness,
};

/// A text with the image set, proven to differ in nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    text: String,
    changed: Vec<Range<usize>>,
}

/// Whether the kustomization said so already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The text is another one.
    Changed,
    /// The text is the one that was given, byte for byte.
    Unchanged,
}

/// One place of the old text and what stands there in the new one.
#[derive(Clone, Debug)]
pub(crate) struct Splice {
    pub(crate) range: Range<usize>,
    pub(crate) text: String,
}

/// What is to be done, in the text and in its meaning.
struct Plan<'c> {
    splices: Vec<Splice>,
    intent: Intent<'c>,
}

/// Sets the image in a kustomization's text; every byte that does not say what the image is stays.
///
/// Before it returns, the new text is parsed again by two independent parsers and compared with the intended change
/// of the old text. Setting the same twice equals setting it once.
///
/// # Errors
///
/// [`Refusal`] says why the text is left alone. Nothing depends on time or chance: the same text and change are
/// refused again.
pub fn set_image(text: &[u8], change: &Change) -> Result<Edit, Refusal> {
    let text = Text::read(text)?;
    let tree = parser::parse(text.body)?;
    let document = Document::examine(text.body, &tree)?;
    let mut plan = match (document.entry(&change.image)?, change.missing) {
        (Some(entry), _) => plan::change(&document, entry, &change.image, &change.wanted())?,
        (None, Missing::Append) => append::append(&document, &change.image, &change.wanted())?,
        (None, Missing::Refuse) => return Err(missing(&document, change)),
    };
    check_tabs(&document, &plan.splices)?;
    plan.splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    let (new, changed) = apply(text, &plan.splices);
    if changed.is_empty() {
        witness::confirm(&witness::read(text.body)?, &plan.intent.result)?;
    } else {
        let new_body = rest(&new, text.mark.len());
        proof::prove(text.body, &tree, new_body, &plan.splices, &plan.intent)?;
    }
    Ok(Edit { text: new, changed })
}

impl Edit {
    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The whole text, given away.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }

    /// The byte ranges of the new text that are new, in order; empty where something was only removed.
    #[must_use]
    pub fn changed(&self) -> &[Range<usize>] {
        &self.changed
    }

    /// Whether anything is to be written.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.changed.is_empty() { Outcome::Unchanged } else { Outcome::Changed }
    }
}

fn missing(document: &Document<'_>, change: &Change) -> Refusal {
    let image = change.image.to_string();
    match document.images {
        Some(images) => Refusal::NoEntry { image, at: document.position(&images.key) },
        None => Refusal::NoImages { image },
    }
}

/// Refuses to put lines before a comment that a tab indents.
///
/// libyaml, unlike the YAML specification, takes such a comment behind an outer level only, and the new lines are an
/// inner one.
fn check_tabs(document: &Document<'_>, splices: &[Splice]) -> Result<(), Refusal> {
    let inserted = splices.iter().filter(|splice| splice.range.is_empty() && splice.text.contains('\n'));
    for splice in inserted {
        let behind = lines_behind(document.text, splice.range.end);
        for (start, line) in behind.take_while(|(_, line)| block::is_blank_or_comment(line.trim_end())) {
            if slice(line, 0..line.len() - line.trim_start().len()).contains('\t') {
                let at = Position::of(document.text, start);
                return Err(Refusal::Form { key: "images".to_owned(), at, form: "a tab indents the line" });
            }
        }
    }
    Ok(())
}

/// Copies the old text with the splices, which are in order, in their places.
fn apply(text: Text<'_>, splices: &[Splice]) -> (String, Vec<Range<usize>>) {
    let mut new = text.mark.to_owned();
    let mut changed = Vec::with_capacity(splices.len());
    let mut copied = 0;
    for splice in splices {
        new.push_str(slice(text.body, copied..splice.range.start));
        changed.push(new.len()..new.len() + splice.text.len());
        new.push_str(&splice.text);
        copied = splice.range.end;
    }
    new.push_str(rest(text.body, copied));
    (new, changed)
}
