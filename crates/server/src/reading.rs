//! What a sender's body says, whether it comes in now, was kept, or is in a file of whoever runs us.
//!
//! Not here: whether it is the sender's. Who reads one that does not come in now answers for it.

use std::collections::BTreeSet;

use axum::http::HeaderMap;
use domain::{announcement::Announcement, forge::Repository};
use registry::webhook::{self, Head};
use store::Element;

use crate::config::Reader;

/// The largest body that is read, in bytes; the largest real ones are a tenth of it.
pub const LARGEST_BODY: usize = 1024 * 1024;

/// What a body says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// What it is about, in its order.
    pub elements: Vec<Element>,
    /// How many things it says that are understood and not wanted, such as pulls; at least one where there is nothing
    /// else.
    pub unwanted: usize,
}

/// Reads a body that the caller answers for.
///
/// The headers are those that it came with, as far as they are known: some kinds of senders say there what a body is.
/// What moved in a repository that is not one of `watched` is not wanted.
#[must_use]
pub fn read(reader: &Reader, watched: &BTreeSet<Repository>, headers: &HeaderMap, body: &[u8]) -> Said {
    match reader {
        Reader::Registry(reader) => {
            let head = Head { headers, query: None };
            let parsed = reader.parse(&webhook::Verified::answered_for(body), &head);
            Said { elements: of_registry(parsed.elements), unwanted: parsed.unwanted }
        }
        Reader::GitHub => of_forge(forge::webhook::Verified::answered_for(body), headers, watched),
    }
}

/// What a registry says.
pub(crate) fn of_registry(elements: Vec<webhook::Element>) -> Vec<Element> {
    let element = |element| match element {
        webhook::Element::Pushed(pushed) => Element::Announced(Announcement::Pushed(pushed)),
        webhook::Element::Unusable { text, reason } => Element::Unusable { text, reason },
    };
    elements.into_iter().map(element).collect()
}

/// What the forge says. What moved in a repository without overlays of ours is not wanted.
pub(crate) fn of_forge(
    verified: forge::webhook::Verified<'_>,
    headers: &HeaderMap,
    watched: &BTreeSet<Repository>,
) -> Said {
    let event = headers.get("x-github-event").and_then(|value| value.to_str().ok());
    let parsed = forge::webhook::parse(event.unwrap_or_default(), verified);
    let (wanted, unwanted): (Vec<_>, Vec<_>) = parsed.announcements.into_iter().partition(|one| match one {
        Announcement::Moved(moved) => watched.contains(&moved.repository),
        Announcement::Pushed(_) => true,
    });
    let mut elements: Vec<Element> = wanted.into_iter().map(Element::Announced).collect();
    let unusable = parsed.unusable.into_iter();
    elements.extend(unusable.map(|part| Element::Unusable { text: part.text, reason: part.reason }));
    let unwanted = if elements.is_empty() { unwanted.len().max(1) } else { unwanted.len() };
    Said { elements, unwanted }
}
