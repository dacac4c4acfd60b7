//! One edit with everything that must hold of it, and the count of what came of all.

use std::collections::BTreeMap;

use kustomize::{Change, Edit, ImageName, Outcome, Refusal, image_in, set_image};
use serde_yaml::Value as Yaml;

use crate::{
    expectations::{Expectations, Verdict},
    files::File,
    operations::undo,
};

/// The outcome of a way back that spells the same otherwise.
const SPELT: &str = "reversed in another spelling";

/// All edits of a collection of files.
#[derive(Debug, Default)]
pub(crate) struct Trial {
    /// Operation, then outcome, then how often.
    figures: BTreeMap<&'static str, BTreeMap<String, usize>>,
    expectations: Expectations,
}

impl Trial {
    /// Makes the edit, checks it, and counts what came of it.
    pub(crate) fn edit(&mut self, file: &File, operation: &'static str, change: &Change) {
        let edit = match set_image(&file.bytes, change) {
            Ok(edit) => edit,
            Err(refusal) => {
                println!("{} {} {operation}: {refusal}", file.name, change.image);
                let is_accident = matches!(refusal, Refusal::Unproven { .. } | Refusal::Form { .. });
                assert!(!is_accident, "{} {}: {refusal}", file.name, change.image);
                return self.count(operation, &reason(&refusal));
            }
        };
        let before = file.text();
        check(&file.name, &before, change, &edit);
        match way_back(&file.name, &before, change, &edit) {
            Some(Way::Exact) => self.count(operation, "reversed to the same bytes"),
            Some(Way::Quoted) => self.count(operation, "reversed but for quotes that a number needed"),
            Some(Way::Spelt) => self.count(operation, SPELT),
            None => {}
        }
        let outcome = if edit.outcome() == Outcome::Changed { "lossless" } else { "unchanged" };
        self.count(operation, outcome);
        self.expectations.edited(file, operation, change, edit.into_text());
    }

    /// Reads each image of a file that is edited next.
    pub(crate) fn read(&mut self, file: &File, names: &[ImageName]) {
        let mut images = Vec::new();
        for name in names {
            match image_in(&file.bytes, name) {
                Err(refusal) => self.count("read", &reason(&refusal)),
                Ok(None) => self.count("read", "nothing"),
                Ok(Some(image)) => {
                    self.count("read", "read");
                    images.push(image);
                }
            }
        }
        self.expectations.read(file, &images);
    }

    /// Fails when a way back did not lead to the same bytes, quotes apart.
    pub(crate) fn assert_reversed(&self) {
        let spelt: Vec<_> = self.figures.iter().filter(|(_, outcomes)| outcomes.contains_key(SPELT)).collect();
        assert!(spelt.is_empty(), "{spelt:?}");
    }

    /// Lets Kustomize render everything that was edited, and prints the figures.
    pub(crate) fn conclude(self, title: &str) {
        let Verdict { as_intended, rejected_as_before, untold, wrong } = self.expectations.judge();
        println!("{title}");
        for (operation, outcomes) in &self.figures {
            println!("  {operation}: {outcomes:?}");
        }
        println!(
            "  rendered as intended: {as_intended}, rejected as before the edit: {rejected_as_before}, untold: {untold}"
        );
        assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
        let others = rejected_as_before + untold;
        assert!(others * 20 < as_intended, "{rejected_as_before} are rejected, of {untold} nothing is told");
    }

    fn count(&mut self, operation: &'static str, outcome: &str) {
        *self.figures.entry(operation).or_default().entry(outcome.to_owned()).or_default() += 1;
    }
}

/// What undoing an edit gives.
enum Way {
    /// The same bytes.
    Exact,
    /// A plain value had to get quotes for a number, and keeps them.
    Quoted,
    /// The value was an alias or stood on lines of its own; now it is one word.
    Spelt,
}

/// Everything that can be said of an edit without a judge.
pub(crate) fn check(file: &str, before: &str, change: &Change, edit: &Edit) {
    let image = change.image.as_str();
    let again = set_image(edit.text().as_bytes(), change).unwrap_or_else(|error| panic!("{file} {image}: {error}"));
    assert_eq!((again.outcome(), again.text()), (Outcome::Unchanged, edit.text()), "{file} {image}: twice is not once");
    if let (Some(rest_before), Some(rest_after)) = (rest(before, image), rest(edit.text(), image)) {
        assert_eq!(rest_before, rest_after, "{file} {image}: something else means another thing");
    }
    let lines = |text: &str| text.split('\n').map(str::to_owned).collect::<Vec<_>>();
    let (old, new) = (lines(before), lines(edit.text()));
    let common = |(one, other): &(&String, &String)| one == other;
    let head = old.iter().zip(&new).take_while(common).count();
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(common).count();
    let window = old.len().max(new.len()).saturating_sub(head + tail);
    assert!(window <= 8, "{file} {image}: {window} lines lie in the changed window");
}

fn way_back(file: &str, before: &str, change: &Change, edit: &Edit) -> Option<Way> {
    let old = image_in(before.as_bytes(), &change.image).ok()??;
    let undo = undo(change, &old)?;
    let restored = set_image(edit.text().as_bytes(), &undo).unwrap_or_else(|error| panic!("{file}: {error}"));
    if restored.text() == before {
        return Some(Way::Exact);
    }
    let unquoted = |text: &str| text.replace(['"', '\''], "");
    let says = || image_in(restored.text().as_bytes(), &change.image);
    assert_eq!(says(), Ok(Some(old)), "{file}: the way back leads elsewhere");
    let is_quoted = unquoted(restored.text()) == unquoted(before);
    Some(if is_quoted { Way::Quoted } else { Way::Spelt })
}

/// All that a text means to the second parser, apart from what the entry of the image says.
fn rest(text: &str, image: &str) -> Option<Yaml> {
    let mut root: Yaml = serde_yaml::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let entries = root.get_mut("images")?.as_sequence_mut()?;
    let entry = entries.iter_mut().find(|entry| entry.get("name").and_then(Yaml::as_str) == Some(image))?;
    let map = entry.as_mapping_mut()?;
    for key in ["newName", "newTag", "digest"] {
        map.remove(key);
    }
    Some(root)
}

fn reason(refusal: &Refusal) -> String {
    let debug = format!("{refusal:?}");
    let name = debug.split([' ', '{']).next().unwrap_or_default();
    format!("refused: {name}")
}
