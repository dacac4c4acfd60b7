//! What overlays call an image.

use std::{fmt, str::FromStr};

/// The longest name of an image, in bytes; registries take no more than this for host and name together.
const LONGEST_NAME: usize = 255;

/// The `name` of an entry: an image as the manifests call it, taken literally.
///
/// Kustomize puts this text into a regular expression without escaping it
/// (`api/internal/image/image.go`, `IsImageMatched`), so a name with `* + ? ( ) [ ] { } ^ $ |` or a backslash
/// matches other images than the one it spells and is refused here. The dot is taken although it is such a
/// character: nearly every name with a registry has one, and it does match itself. A colon is taken as well:
/// `localhost:5000/app` is an ordinary name, and `app:1.0` is one that matches this tag only.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageName(String);

/// The text is not the literal name of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidImageName {
    /// Nothing, or more than any registry accepts.
    #[error("an image's name has 1 to {LONGEST_NAME} characters")]
    Length,
    /// A character that names do not have.
    #[error("an image's name has no {0:?}")]
    Character(char),
    /// A character that Kustomize reads as part of a regular expression.
    #[error("an image's name has no {0:?}: Kustomize takes the name as a regular expression")]
    Pattern(char),
}

impl ImageName {
    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ImageName {
    type Err = InvalidImageName;

    fn from_str(text: &str) -> Result<Self, InvalidImageName> {
        if text.is_empty() || text.len() > LONGEST_NAME {
            return Err(InvalidImageName::Length);
        }
        for character in text.chars() {
            match character {
                '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '^' | '$' | '|' | '\\' => {
                    return Err(InvalidImageName::Pattern(character));
                }
                '"' | '\'' | '`' => return Err(InvalidImageName::Character(character)),
                _ if character.is_ascii_graphic() => {}
                _ => return Err(InvalidImageName::Character(character)),
            }
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_a_regular_expression_is_refused() {
        for good in ["app", "ghcr.io/acme/app", "localhost:5000/app", "app:1.0", "PLACEHOLDER_IMAGE", "ko://x.y/z"] {
            assert!(good.parse::<ImageName>().is_ok(), "{good} was refused");
        }
        for bad in [".*", "app+", "a|b", "${IMAGE}", "a[b]", "^app", "app$", "a\\b", "(app)"] {
            assert!(matches!(bad.parse::<ImageName>(), Err(InvalidImageName::Pattern(_))), "{bad}");
        }
        for bad in ["a b", "\"app\"", "app\n", "é", "a\tb"] {
            assert!(matches!(bad.parse::<ImageName>(), Err(InvalidImageName::Character(_))), "{bad}");
        }
        assert_eq!("".parse::<ImageName>(), Err(InvalidImageName::Length));
        assert_eq!("a".repeat(256).parse::<ImageName>(), Err(InvalidImageName::Length));
    }
}
