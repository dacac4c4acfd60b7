//! Notifications of CNCF Distribution, 2.x (`events.v1+json`) and 3.x (`events.v2+json`).
//!
//! The format: <https://distribution.github.io/distribution/about/notifications/>. Both versions have the same
//! envelope, so that the content type is not looked at. The sender repeats for ever, blocking its queue, what is not
//! answered with 2xx or 3xx: that is why there is no way to refuse an authenticated body here, only elements that are
//! unusable. Nothing in a payload proves anything: all of `request` but its id and method is chosen by whoever pushes.

mod event;

use std::collections::BTreeSet;

use domain::{
    excerpt::{MOST_UNUSABLE, excerpt, excerpt_of_bytes},
    image::Host,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use self::event::Meaning;
use super::{Element, Parsed, Secrets, Unauthenticated, Verified};

/// How many events of one request are read. Distribution sends one per request; this bounds the rows that one delivery
/// can make, and leaves room for a proxy that collects.
const MOST_EVENTS: usize = 1_000;

/// How deeply a body may be nested. Reading it here needs no stack, but a kept delivery is read again by tools that
/// recurse, and 128 is where `serde_json` itself stops.
const DEEPEST: usize = 128;

/// The longest event id that is used as it is, in bytes; theirs are UUIDs of 36.
const LONGEST_ID: usize = 128;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
}

/// Proof that a request's sender is who it should be, had from its headers alone: before its body is read.
#[derive(Debug)]
pub struct Authenticated(());

impl Authenticated {
    /// The body of the request whose sender this is.
    #[must_use]
    pub const fn vouch_for<'a>(&self, body: &'a [u8]) -> Verified<'a> {
        Verified { body }
    }
}

/// Authenticates a sender by its one `Authorization` header, whose entire value must be one of the secrets.
///
/// # Errors
///
/// There is no such header, more than one, or it is not one of the secrets.
pub fn authenticate<'h>(
    secrets: &Secrets,
    authorization: impl IntoIterator<Item = &'h [u8]>,
) -> Result<Authenticated, Unauthenticated> {
    let mut values = authorization.into_iter();
    let claimed = values.next().ok_or(Unauthenticated::Missing)?;
    if values.next().is_some() {
        return Err(Unauthenticated::Several);
    }
    if !secrets.contain(claimed) {
        return Err(Unauthenticated::Wrong);
    }
    Ok(Authenticated(()))
}

/// Reads a delivery; `registry` is the host name to use instead of the one in each event's `target.url`.
///
/// What can not be read becomes an [`Element::Unusable`] beside the good ones.
#[must_use]
pub fn parse(verified: &Verified<'_>, registry: Option<&Host>) -> Parsed {
    match envelope(verified.body) {
        Ok(envelope) => parse_events(verified.body, &envelope.events, registry),
        Err(reason) => Parsed {
            id: hash(verified.body),
            elements: vec![Element::Unusable { text: excerpt_of_bytes(verified.body), reason: excerpt(&reason) }],
            unwanted: 0,
        },
    }
}

fn envelope(body: &[u8]) -> Result<Envelope<'_>, String> {
    let text = std::str::from_utf8(body).map_err(|error| format!("the body is not UTF-8 text: {error}"))?.trim_ascii();
    if text.is_empty() {
        return Err("the body is empty".to_owned());
    }
    // A derived struct is also read from an array, its fields by position.
    if !text.starts_with('{') {
        return Err("the body is not a JSON object".to_owned());
    }
    if depth(text) > DEEPEST {
        return Err(format!("the body is nested deeper than {DEEPEST}"));
    }
    serde_json::from_str(text)
        .map_err(|error| format!("the body is not an envelope of events as CNCF Distribution sends them: {error}"))
}

/// How deeply objects and arrays are nested, by brackets outside strings; good for text that is not JSON as well.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn parse_events(body: &[u8], events: &[&RawValue], registry: Option<&Host>) -> Parsed {
    let mut parsed = Parsed { id: id(body, events), elements: Vec::new(), unwanted: 0 };
    let mut seen = BTreeSet::new();
    let mut unusable = 0_usize;
    for event in events.iter().take(MOST_EVENTS) {
        match event::read(event.get(), registry) {
            Ok(Meaning::Pushed(pushed)) => {
                let key = (pushed.repository.clone(), pushed.tag.clone(), pushed.claimed_digest.clone());
                if seen.insert(key) {
                    parsed.elements.push(Element::Pushed(pushed));
                }
            }
            Ok(Meaning::Unwanted) => parsed.unwanted += 1,
            Err(reason) => {
                unusable += 1;
                if unusable <= MOST_UNUSABLE {
                    parsed
                        .elements
                        .push(Element::Unusable { text: excerpt(event.get()), reason: excerpt(&reason.to_string()) });
                }
            }
        }
    }
    parsed.elements.extend(left_out(events, unusable));
    parsed
}

/// What is said about events that are not kept one by one.
fn left_out(events: &[&RawValue], unusable: usize) -> Vec<Element> {
    let element = |text, reason| Element::Unusable { text, reason };
    let mut elements = Vec::new();
    if let Some(more @ 1..) = unusable.checked_sub(MOST_UNUSABLE) {
        let reason = format!("{more} more events of this delivery are unusable");
        elements.push(element(String::new(), reason));
    }
    if let Some(first) = events.get(MOST_EVENTS) {
        let reason = format!("the delivery has {} events, and only the first {MOST_EVENTS} are read", events.len());
        elements.push(element(excerpt(first.get()), reason));
    }
    elements
}

/// The single event's id, else a hash over the ids of all, else over the body.
fn id(body: &[u8], events: &[&RawValue]) -> String {
    let ids: Option<Vec<String>> = events.iter().map(|one| event::id(one.get())).collect();
    match ids.as_deref() {
        None | Some([]) => hash(body),
        Some([one]) if is_printable(one) => one.clone(),
        Some(all) => hash_of_ids(all),
    }
}

fn is_printable(id: &str) -> bool {
    !id.is_empty() && id.len() <= LONGEST_ID && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A hash of ids, in which each one's end can be told.
fn hash_of_ids(ids: &[String]) -> String {
    let parts: Vec<String> = ids.iter().map(|id| format!("{}:{id}", id.len())).collect();
    hash(parts.concat().as_bytes())
}

fn hash(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}
