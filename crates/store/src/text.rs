//! Text from outside within bounds.

/// The longest sentence that is kept, in bytes: evidence of many targets fits, a log file does not.
pub(crate) const LONGEST_SENTENCE: usize = 4_000;

/// The longest line that is kept, in bytes: a commit's subject, what could be read of an announcement.
pub(crate) const LONGEST_LINE: usize = 400;

/// The longest link that is kept, in bytes; a longer one is dropped, because half a link leads astray.
const LONGEST_LINK: usize = 2_000;

/// The text, cut at a character's boundary, without NUL, which PostgreSQL does not take.
pub(crate) fn bounded(text: &str, longest: usize) -> String {
    let end = text.floor_char_boundary(longest);
    text.get(..end).unwrap_or(text).replace('\0', "\u{fffd}")
}

/// A sentence for people.
pub(crate) fn sentence(text: &str) -> String {
    bounded(text, LONGEST_SENTENCE)
}

/// A link, unless it is too long to be kept whole.
pub(crate) fn link(text: Option<&str>) -> Option<String> {
    text.filter(|text| text.len() <= LONGEST_LINK).map(|text| bounded(text, LONGEST_LINK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(bounded("äöü", 3), "ä");
        assert_eq!(bounded("äöü", 60), "äöü");
        assert_eq!(bounded("a\0b", 60), "a\u{fffd}b");
        assert_eq!(link(Some(&"x".repeat(2_001))), None);
    }
}
