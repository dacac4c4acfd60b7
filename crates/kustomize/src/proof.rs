//! The comparison of what both texts mean, made after every edit.
//!
//! The intended edit is applied to the meaning of the old text and compared with the meaning of the new text, once for
//! each parser. Comments must be the same ones in the same order, apart from those on lines that were removed, and all
//! bytes outside the changed places must be equal.

use std::ops::Range;

use crate::{
    document::Image,
    edit::Splice,
    meaning::{Data, Meaning},
    parser,
    refusal::Refusal,
    text::{rest, slice},
    tree::Tree,
    witness,
};

/// What an edit is meant to do to the one entry.
#[derive(Debug)]
pub(crate) struct Intent<'c> {
    /// What the entry says then.
    pub(crate) result: Image,
    /// Whether the entry is new.
    pub(crate) entry: Presence,
    /// The keys that change, each with its new text or `None` when it goes.
    pub(crate) changes: Vec<(&'static str, Option<&'c str>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It stands at this place of the list, counted from 0.
    There(usize),
    /// It is appended.
    New,
}

/// Proves that the new text means what the old one meant apart from the intent.
///
/// # Errors
///
/// [`Refusal::Unproven`] with what differs, [`Refusal::Disputed`] when the parsers differed before the edit.
pub(crate) fn prove(
    old_text: &str,
    old: &Tree<'_>,
    new_text: &str,
    splices: &[Splice],
    intent: &Intent<'_>,
) -> Result<(), Refusal> {
    let new = parser::parse(new_text).map_err(|refusal| unproven(format!("the new text is refused: {refusal}")))?;
    compare("the first parser", Meaning::of_tree(old), Meaning::of_tree(&new), intent)?;
    let second_old = witness::read(old_text)?;
    let second_new = Meaning::of_text(new_text)
        .map_err(|error| unproven(format!("the second parser rejects the new text: {error}")))?;
    witness::confirm(&second_new, &intent.result)?;
    compare("the second parser", second_old, second_new, intent)?;
    compare_comments(old_text, old, new_text, &new, splices)?;
    compare_bytes(old_text, new_text, splices)
}

fn compare(witness: &str, old: Meaning, mut new: Meaning, intent: &Intent<'_>) -> Result<(), Refusal> {
    let mut expected = old;
    intent.apply(&mut expected);
    intent.order(&mut expected);
    intent.order(&mut new);
    match difference(&expected, &new) {
        None => Ok(()),
        Some(path) => Err(unproven(format!("{witness} sees another difference at `{}`", path.trim_start_matches('.')))),
    }
}

impl Intent<'_> {
    fn apply(&self, root: &mut Meaning) {
        if self.entry == Presence::New {
            self.append(root);
        }
        let Some(Meaning { data: Data::Map(pairs), .. }) = self.find(root) else {
            return;
        };
        for (key, text) in &self.changes {
            let found = pairs.iter_mut().find(|(found, _)| found.is_text(key));
            match (found, text) {
                (Some((_, value)), Some(text)) => value.data = Data::Text((*text).to_owned()),
                (Some(_), None) => pairs.retain(|(found, _)| !found.is_text(key)),
                (None, Some(text)) => pairs.push((Meaning::text(key), Meaning::text(text))),
                (None, None) => {}
            }
        }
    }

    fn append(&self, root: &mut Meaning) {
        let Data::Map(pairs) = &mut root.data else {
            return;
        };
        if !pairs.iter().any(|(key, _)| key.is_text("images")) {
            pairs.push((Meaning::text("images"), Meaning::default()));
        }
        let Some(images) = root.get_mut("images") else {
            return;
        };
        if !matches!(images.data, Data::List(_)) {
            images.data = Data::List(Vec::new());
        }
        let name = (Meaning::text("name"), Meaning::text(&self.result.name));
        if let Data::List(items) = &mut images.data {
            items.push(Meaning { data: Data::Map(vec![name]), ..Meaning::default() });
        }
    }

    /// Takes the order out where it means nothing: the keys of the entry, and the place of a new `images`.
    fn order(&self, root: &mut Meaning) {
        if let Some(Meaning { data: Data::Map(pairs), .. }) = self.find(root) {
            pairs.sort_by(|(one, _), (other, _)| format!("{one:?}").cmp(&format!("{other:?}")));
        }
        if let (Presence::New, Data::Map(pairs)) = (self.entry, &mut root.data) {
            pairs.sort_by_key(|(key, _)| key.is_text("images"));
        }
    }

    fn find<'m>(&self, root: &'m mut Meaning) -> Option<&'m mut Meaning> {
        let images = root.get_mut("images")?;
        let Data::List(items) = &mut images.data else {
            return None;
        };
        match self.entry {
            Presence::There(index) => items.get_mut(index),
            Presence::New => items.last_mut(),
        }
    }
}

/// Where two meanings differ first, as a path of keys and numbers.
fn difference(one: &Meaning, other: &Meaning) -> Option<String> {
    let here = Some(String::new());
    if one.anchor != other.anchor || one.tag != other.tag {
        return here;
    }
    match (&one.data, &other.data) {
        (Data::List(these), Data::List(those)) if these.len() == those.len() => these
            .iter()
            .zip(those)
            .enumerate()
            .find_map(|(index, (one, other))| difference(one, other).map(|path| format!("[{index}]{path}"))),
        (Data::Map(these), Data::Map(those)) if these.len() == those.len() => {
            these.iter().zip(those).find_map(|((this_key, this), (that_key, that))| {
                let key = key_name(this_key);
                let path = difference(this_key, that_key).or_else(|| difference(this, that))?;
                Some(format!(".{key}{path}"))
            })
        }
        (this, that) if this == that => None,
        _ => here,
    }
}

fn key_name(key: &Meaning) -> &str {
    if let Data::Text(text) | Data::Untyped(text) = &key.data { text } else { "?" }
}

fn compare_comments(
    old_text: &str,
    old: &Tree<'_>,
    new_text: &str,
    new: &Tree<'_>,
    splices: &[Splice],
) -> Result<(), Refusal> {
    let is_removed = |comment: &&Range<usize>| {
        splices.iter().any(|splice| splice.range.start <= comment.start && comment.end <= splice.range.end)
    };
    let before = old.comments.iter().filter(|comment| !is_removed(comment)).map(|range| slice(old_text, range.clone()));
    let after = new.comments.iter().map(|range| slice(new_text, range.clone()));
    if before.eq(after) { Ok(()) } else { Err(unproven("a comment would change".to_owned())) }
}

/// Walks over both texts with the splices in hand, independently of the code that made the new text.
fn compare_bytes(old_text: &str, new_text: &str, splices: &[Splice]) -> Result<(), Refusal> {
    let (mut old, mut new) = (0, 0);
    for splice in splices {
        let kept = splice.range.start.checked_sub(old).ok_or_else(|| unproven("two changes overlap".to_owned()))?;
        let is_same = slice(old_text, old..old + kept) == slice(new_text, new..new + kept);
        let inserted = new + kept;
        if !is_same || slice(new_text, inserted..inserted + splice.text.len()) != splice.text {
            return Err(unproven("bytes outside the change would differ".to_owned()));
        }
        old = splice.range.end;
        new = inserted + splice.text.len();
    }
    if rest(old_text, old) == rest(new_text, new) {
        Ok(())
    } else {
        Err(unproven("bytes behind the change would differ".to_owned()))
    }
}

fn unproven(what: String) -> Refusal {
    Refusal::Unproven { what }
}
