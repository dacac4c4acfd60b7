//! The second parser's word on what an entry says.
//!
//! Comparing two texts finds what an edit changed. It does not find a text that both parsers read differently from the
//! start, such as an anchor with a colon in its name: there the edit would be right for one reader and without effect
//! for the other, and Kustomize's own parser descends from the second one.

use crate::{
    document::Image,
    meaning::{Data, Meaning},
    refusal::Refusal,
};

/// Reads a text with the second parser, provided that it takes it.
pub(crate) fn read(text: &str) -> Result<Meaning, Refusal> {
    Meaning::of_text(text).map_err(|error| Refusal::Disputed { problem: error.to_string() })
}

/// Checks that there is exactly one entry with the image's name and that it says the same.
pub(crate) fn confirm(meaning: &Meaning, image: &Image) -> Result<(), Refusal> {
    let mut named = entries(meaning).iter().filter(|entry| says(entry, "name", &Some(image.name.clone())));
    let (Some(entry), None) = (named.next(), named.next()) else {
        return Err(disputed(&format!("the entry named {}", image.name)));
    };
    for (key, text) in [("newName", &image.new_name), ("newTag", &image.new_tag), ("digest", &image.digest)] {
        if !says(entry, key, text) {
            return Err(disputed(&format!("`{key}` of the entry named {}", image.name)));
        }
    }
    Ok(())
}

/// Checks that there is no entry with the name.
pub(crate) fn confirm_none(meaning: &Meaning, name: &str) -> Result<(), Refusal> {
    if entries(meaning).iter().any(|entry| says(entry, "name", &Some(name.to_owned()))) {
        Err(disputed(&format!("the entry named {name}")))
    } else {
        Ok(())
    }
}

fn entries(root: &Meaning) -> &[Meaning] {
    match root.get("images").map(|images| &images.data) {
        Some(Data::List(items)) => items,
        Some(_) | None => &[],
    }
}

/// Whether the value is the text, or nothing. A value that the second parser takes for a number is let pass: which words
/// are numbers is decided after Kustomize's rules, in the first parser's tree.
fn says(entry: &Meaning, key: &str, text: &Option<String>) -> bool {
    match entry.get(key).map(|value| &value.data) {
        Some(Data::Text(found)) if !found.is_empty() => Some(found) == text.as_ref(),
        Some(Data::Text(_) | Data::Nothing) | None => text.is_none(),
        Some(Data::Boolean(_) | Data::Integer(_) | Data::Float(_)) => key != "name",
        Some(Data::Untyped(_) | Data::List(_) | Data::Map(_) | Data::Alias(_)) => false,
    }
}

fn disputed(what: &str) -> Refusal {
    Refusal::Disputed { problem: format!("{what} is another one for the second") }
}
