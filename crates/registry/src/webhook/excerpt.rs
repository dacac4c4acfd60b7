//! The beginning of what a sender wrote, for people.

/// How many bytes of an unusable element are kept: enough to recognise the event, little enough that a hostile sender
/// can not fill the store with it.
const LONGEST: usize = 512;

/// The beginning of a text, with `…` when there is more, and `\u{fffd}` for each control character but tabs and ends of
/// lines: a database may refuse them, and a terminal obey.
pub(super) fn excerpt(text: &str) -> String {
    let end = text.floor_char_boundary(LONGEST);
    let mut start: String = text
        .get(..end)
        .unwrap_or_default()
        .chars()
        .map(|one| match one {
            '\n' | '\t' => one,
            _ if one.is_control() => char::REPLACEMENT_CHARACTER,
            _ => one,
        })
        .collect();
    if end < text.len() {
        start.push('…');
    }
    start
}

/// The beginning of bytes that may not be text.
pub(super) fn excerpt_of_bytes(bytes: &[u8]) -> String {
    // Four bytes more, so that the cut of the text decides and not one in the middle of a character.
    let start = bytes.get(..LONGEST + 4).unwrap_or(bytes);
    excerpt(&String::from_utf8_lossy(start))
}
