//! The beginning of what a sender wrote, for people.
//!
//! What of a delivery can not be used is kept with its reason, bounded in size and number, whoever sent it.

/// How many unusable parts of one delivery are kept one by one; the others are counted in one sentence. They are for
/// people, who learn nothing from more.
pub const MOST_UNUSABLE: usize = 20;

/// How many bytes of an unusable part are kept: enough to recognise it, little enough that a hostile sender can not
/// fill the store with it.
pub const LONGEST: usize = 512;

/// The beginning of a text, with `…` when there is more.
///
/// `\u{fffd}` stands for each control character but tabs and ends of lines: a database may refuse them, and a terminal
/// obey. Otherwise it is as the sender wrote it: escape it where it is shown.
#[must_use]
pub fn excerpt(text: &str) -> String {
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
#[must_use]
pub fn excerpt_of_bytes(bytes: &[u8]) -> String {
    // Four bytes more, so that the cut of the text decides and not one in the middle of a character.
    let start = bytes.get(..LONGEST + 4).unwrap_or(bytes);
    excerpt(&String::from_utf8_lossy(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        assert_eq!(excerpt(&"a".repeat(LONGEST)), "a".repeat(LONGEST));
        let cut = excerpt(&format!("a{}", "é".repeat(LONGEST)));
        assert_eq!(cut, format!("a{}…", "é".repeat(255)));
        assert_eq!(excerpt_of_bytes("é".repeat(LONGEST).as_bytes()), format!("{}…", "é".repeat(256)));
    }

    #[test]
    fn control_characters_are_not_passed_on() {
        assert_eq!(excerpt("a\u{1b}[31m\tb\nc\0"), "a\u{fffd}[31m\tb\nc\u{fffd}");
        assert_eq!(excerpt_of_bytes(b"\xffx"), "\u{fffd}x");
    }
}
