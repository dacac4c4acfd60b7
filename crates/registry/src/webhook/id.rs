//! By what a delivery is recognised when it comes again.
//!
//! The sender's own id where it has one, else a hash of the body: then two deliveries that say the same are one.

use sha2::{Digest as _, Sha256};

use super::{Head, json::Object};

/// The longest id that is used as it is, in bytes; theirs are UUIDs of 36.
const LONGEST_ID: usize = 128;

/// A sender's own id, or a hash of it where it is unusual.
pub(super) fn own(id: &str) -> String {
    let is_printable = !id.is_empty() && id.len() <= LONGEST_ID && id.bytes().all(|byte| byte.is_ascii_graphic());
    if is_printable { id.to_owned() } else { of_several(&[id]) }
}

/// One id for what has several, in which each one's end can be told.
pub(super) fn of_several<T: AsRef<str>>(ids: &[T]) -> String {
    let parts: Vec<String> = ids.iter().map(|id| format!("{}:{}", id.as_ref().len(), id.as_ref())).collect();
    of_body(parts.concat().as_bytes())
}

/// The id of a message that has none.
pub(super) fn of_body(body: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(body)))
}

/// The id in the first of these headers that is there, else one of the body.
pub(super) fn of_header(head: &Head<'_>, names: &[&str], body: &[u8]) -> String {
    let mut ids = names.iter().filter_map(|name| head.text(name)).filter(|id| !id.is_empty());
    ids.next().map_or_else(|| of_body(body), own)
}

/// The id in the field `id` of a body, else one of the body.
pub(super) fn of_field(object: &Object<'_>, body: &[u8]) -> String {
    let id = object.hint("id").filter(|id| !id.is_empty());
    id.map_or_else(|| of_body(body), |id| own(&id))
}
