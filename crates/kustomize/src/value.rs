//! What an entry can say: any text that fits on one line.

use std::{fmt, str::FromStr};

use domain::image::{Digest, Repository, Tag};

/// The longest value, in bytes. The longest that means something is an image repository with 255.
const LONGEST: usize = 1024;

/// The text of `newName`, `newTag` or `digest`: printable characters on one line.
///
/// It need not be what registries accept. People put templates such as `${TAG}` into overlays, and Kustomize writes
/// whatever it is given. A [`Tag`], [`Digest`] or [`Repository`] is always one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Value(String);

/// The text can not stand in an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidValue {
    /// Kustomize takes empty text for none.
    #[error("a value of an image has 1 to {LONGEST} bytes")]
    Length,
    /// A control character, a line break or something that no reader shows.
    #[error("a value of an image has no character U+{:04X}", u32::from(*.0))]
    Character(char),
}

impl Value {
    /// The text, without quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Value {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if text.is_empty() || text.len() > LONGEST {
            return Err(InvalidValue::Length);
        }
        match text.chars().find(|character| !is_printable(*character)) {
            Some(character) => Err(InvalidValue::Character(character)),
            None => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Tag> for Value {
    fn from(tag: Tag) -> Self {
        Self(tag.to_string())
    }
}

impl From<Digest> for Value {
    fn from(digest: Digest) -> Self {
        Self(digest.to_string())
    }
}

impl From<Repository> for Value {
    fn from(repository: Repository) -> Self {
        Self(repository.to_string())
    }
}

/// YAML 1.2.2 section 5.1, "Character Set", without the tab, the line breaks and the byte order mark.
fn is_printable(character: char) -> bool {
    !character.is_control() && !matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_line_of_printable_text() {
        for good in ["v1", "${TAG}", "v 2", "v2:v3", "it's \"so\"", "ü", "\\"] {
            assert_eq!(good.parse::<Value>().map(|value| value.to_string()).as_deref(), Ok(good));
        }
        for bad in ["a\nb", "\r", "a\tb", "\u{0}", "a\u{85}b", "\u{2028}", "\u{feff}v1", "\u{7f}"] {
            assert!(matches!(bad.parse::<Value>(), Err(InvalidValue::Character(_))), "{bad:?} was taken");
        }
        for bad in [String::new(), "v".repeat(1025)] {
            assert_eq!(bad.parse::<Value>(), Err(InvalidValue::Length));
        }
        assert_eq!(InvalidValue::Character('\n').to_string(), "a value of an image has no character U+000A");
    }
}
