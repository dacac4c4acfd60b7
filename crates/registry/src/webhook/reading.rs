//! What the parts of a delivery come to, put together and bounded.

use std::{collections::BTreeSet, fmt::Display};

use domain::{
    announcement::Pushed,
    excerpt::{MOST_UNUSABLE, excerpt, excerpt_of_bytes},
    image::{Digest, Repository, Tag},
};
use serde_json::value::RawValue;

use super::{Asks, Element, Parsed, id, json::Object, unusable::Unusable};

/// How many events of one request are read. Most senders send one per request; this bounds the rows that one delivery
/// can make, and leaves room for a proxy that collects.
pub(super) const MOST_EVENTS: usize = 1_000;

/// What a readable part comes to.
#[derive(Debug)]
pub(super) enum Meaning {
    /// A tag was pushed.
    Pushed(Pushed),
    /// Something that we understand and do not want.
    Unwanted,
}

/// A delivery that is one thing.
pub(super) fn one<E: Display>(id: String, body: &[u8], read: Result<Meaning, E>) -> Parsed {
    let mut reading = Reading::default();
    reading.take(|| excerpt_of_bytes(body), read);
    reading.finish(id)
}

/// A delivery that is one object, with its id in a field of that name.
pub(super) fn identified(body: &[u8], read: impl FnOnce(&Object<'_>) -> Result<Meaning, Unusable>) -> Parsed {
    match Object::of_body(body) {
        Ok(object) => one(id::of_field(&object, body), body, read(&object)),
        Err(reason) => one(id::of_body(body), body, Err::<Meaning, _>(reason)),
    }
}

/// A message that announces nothing and wants something.
pub(super) fn asking(id: String, asks: Asks) -> Parsed {
    Parsed { id, elements: Vec::new(), unwanted: 1, asks }
}

/// A delivery that is a list of things, each of which stands or falls alone.
pub(super) fn many<E: Display>(
    id: String,
    parts: &[&RawValue],
    read: impl Fn(&RawValue) -> Result<Meaning, E>,
) -> Parsed {
    let mut reading = Reading::default();
    for part in parts.iter().take(MOST_EVENTS) {
        reading.take(|| excerpt(part.get()), read(part));
    }
    let mut parsed = reading.finish(id);
    if let Some(first) = parts.get(MOST_EVENTS) {
        let reason = format!("the delivery has {} events, and only the first {MOST_EVENTS} are read", parts.len());
        parsed.elements.push(Element::Unusable { text: excerpt(first.get()), reason });
    }
    parsed
}

#[derive(Default)]
struct Reading {
    elements: Vec<Element>,
    seen: BTreeSet<(Repository, Tag, Option<Digest>)>,
    unwanted: usize,
    unusable: usize,
}

impl Reading {
    fn take<E: Display>(&mut self, text: impl FnOnce() -> String, read: Result<Meaning, E>) {
        match read {
            Ok(Meaning::Pushed(pushed)) => {
                let key = (pushed.repository.clone(), pushed.tag.clone(), pushed.claimed_digest.clone());
                if self.seen.insert(key) {
                    self.elements.push(Element::Pushed(pushed));
                }
            }
            Ok(Meaning::Unwanted) => self.unwanted += 1,
            Err(reason) => {
                self.unusable += 1;
                if self.unusable <= MOST_UNUSABLE {
                    self.elements.push(Element::Unusable { text: text(), reason: excerpt(&reason.to_string()) });
                }
            }
        }
    }

    fn finish(mut self, id: String) -> Parsed {
        if let Some(more @ 1..) = self.unusable.checked_sub(MOST_UNUSABLE) {
            let reason = format!("{more} more events of this delivery are unusable");
            self.elements.push(Element::Unusable { text: String::new(), reason });
        }
        Parsed { id, elements: self.elements, unwanted: self.unwanted, asks: Asks::Nothing }
    }
}
