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
    let mut start = String::new();
    for one in text.chars().map(shown) {
        // What stands for a control character is longer than it.
        if start.len() + one.len_utf8() > LONGEST {
            start.push('…');
            break;
        }
        start.push(one);
    }
    start
}

fn shown(one: char) -> char {
    match one {
        '\n' | '\t' => one,
        _ if one.is_control() => char::REPLACEMENT_CHARACTER,
        _ => one,
    }
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

    #[test]
    fn a_text_of_control_characters_is_no_longer_than_any_other() {
        let cut = format!("{}…", "\u{fffd}".repeat(LONGEST / 3));
        for hostile in ["\u{1}", "\u{7f}", "\u{85}"] {
            assert_eq!(excerpt(&hostile.repeat(LONGEST)), cut);
            assert_eq!(excerpt_of_bytes(hostile.repeat(LONGEST).as_bytes()), cut);
        }
        assert_eq!(excerpt_of_bytes(&[0xff; LONGEST]), cut);
    }
}
