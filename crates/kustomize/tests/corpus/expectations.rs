//! What Kustomize is to make of each text, and the comparison with what it makes.

use kustomize::{Change, Image};

use crate::{
    files::File,
    judge::{self, Case, Judgement, SENTINEL},
    rendering::{self, Entry, OLD_TAG},
};

/// As many names have a container for each text: the image's own and its neighbours in the list.
const MOST_NAMES: usize = 5;

/// Texts with the images that are expected of them, in the order in which they are judged.
#[derive(Debug, Default)]
pub(crate) struct Expectations {
    /// One for each file, as it is before any edit.
    originals: Vec<Expectation>,
    /// Each with the place of its file among the originals.
    edits: Vec<(usize, Expectation)>,
}

/// What came of them all.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// As many texts were rendered as intended.
    pub(crate) as_intended: usize,
    /// As many are rejected, and so is the file before the edit: another value of it is wrong.
    pub(crate) rejected_as_before: usize,
    /// As many are rendered, but hold a number behind `!` that the second parser does not spell.
    pub(crate) untold: usize,
    /// What else happened, in full.
    pub(crate) wrong: Vec<String>,
}

#[derive(Debug)]
struct Expectation {
    case: Case,
    /// The images of the containers; `None` where a value is no text for the second parser.
    images: Option<Vec<String>>,
}

impl Expectations {
    /// Expects of a file that Kustomize reads what was read of it.
    pub(crate) fn read(&mut self, file: &File, images: &[Image]) {
        let names = images.iter().map(|image| image.name.clone()).collect();
        let expected = images.iter().map(composed).chain([format!("{SENTINEL}:{OLD_TAG}")]).collect();
        let case = Case { label: format!("{} as it is", file.name), text: file.text(), names };
        self.originals.push(Expectation { case, images: Some(expected) });
    }

    /// Expects of an edited text of the file that was read last that the change is all that is different.
    pub(crate) fn edited(&mut self, file: &File, operation: &str, change: &Change, text: String) {
        let names = neighbours(rendering::named(&text), change.image.as_str());
        let intended = rendering::entries(&file.text()).map(|entries| rendering::changed(entries, change));
        // A number that Kustomize would not read may have been the very value that is set.
        let entries = intended.or_else(|| rendering::entries(&text));
        let images = entries.map(|entries| {
            let containers = names.iter().map(String::as_str).chain([SENTINEL]);
            containers.map(|name| rendering::render(&format!("{name}:{OLD_TAG}"), &entries)).collect()
        });
        let case = Case { label: format!("{} {} {operation}", file.name, change.image), text, names };
        let original = self.originals.len().checked_sub(1).expect("a file is read before it is edited");
        self.edits.push((original, Expectation { case, images }));
    }

    /// Asks the judge.
    pub(crate) fn judge(self) -> Verdict {
        let mut verdict = Verdict::default();
        let judgements = judge::together(self.originals.iter().map(|original| &original.case));
        let is_read: Vec<bool> = judgements.iter().map(Result::is_ok).collect();
        for (original, judgement) in self.originals.iter().zip(judgements) {
            verdict.compare(original, judgement, true);
        }
        let (sound, spoiled): (Vec<_>, Vec<_>) =
            self.edits.into_iter().partition(|(original, _)| is_read.get(*original) == Some(&true));
        let judgements = judge::together(sound.iter().map(|(_, edit)| &edit.case));
        for ((_, edit), judgement) in sound.iter().zip(judgements) {
            verdict.compare(edit, judgement, false);
        }
        let judgements = judge::one_by_one(spoiled.iter().map(|(_, edit)| &edit.case));
        for ((_, edit), judgement) in spoiled.iter().zip(judgements) {
            verdict.compare(edit, judgement, true);
        }
        verdict
    }
}

impl Verdict {
    fn compare(&mut self, expectation: &Expectation, judgement: Judgement, may_be_rejected: bool) {
        match judgement {
            Ok(_) if expectation.images.is_none() => self.untold += 1,
            Ok(images) if Some(&images) == expectation.images.as_ref() => self.as_intended += 1,
            Err(complaint) if may_be_rejected => {
                println!("{} is rejected: {complaint}", expectation.case.label);
                self.rejected_as_before += 1;
            }
            judgement => self.wrong.push(format!("{expectation:?} became {judgement:?}")),
        }
    }
}

/// The image that an entry makes of its name.
fn composed(image: &Image) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let entry = Entry {
        name: image.name.clone(),
        new_name: text(&image.new_name),
        new_tag: text(&image.new_tag),
        digest: text(&image.digest),
        ..Entry::default()
    };
    rendering::render(&format!("{}:{OLD_TAG}", image.name), &[entry])
}

/// The name with those that stand beside it in the list.
fn neighbours(mut names: Vec<String>, name: &str) -> Vec<String> {
    let place = names.iter().position(|found| found == name).unwrap_or(names.len());
    let first = place.saturating_sub(MOST_NAMES / 2).min(names.len().saturating_sub(MOST_NAMES));
    let mut chosen: Vec<String> = names.drain(first..).take(MOST_NAMES).collect();
    chosen.push(name.to_owned());
    chosen.sort();
    chosen.dedup();
    chosen
}
