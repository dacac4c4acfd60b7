//! Patterns for names that others gave: branches, checks, workflows.

use std::{fmt, str::FromStr};

/// The longest pattern, in bytes.
const LONGEST: usize = 255;

/// A name in which `*` stands for any characters, none and `/` among them; everything else is taken as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Glob(String);

/// The text is not a pattern for names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a pattern is 1 to {LONGEST} characters without control characters, where * stands for any")]
pub struct InvalidGlob;

impl Glob {
    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The one name that it matches, where it has no `*`.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        (!self.0.contains('*')).then_some(self.0.as_str())
    }

    /// What every name begins with that it matches.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.0.split('*').next().unwrap_or_default()
    }

    /// Whether it matches the whole name.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        // Each part is taken where it first occurs, which leaves the most for those after it.
        for part in parts {
            let Some((_, after)) = rest.split_once(part) else { return false };
            rest = after;
        }
        rest.ends_with(last)
    }
}

impl FromStr for Glob {
    type Err = InvalidGlob;

    fn from_str(text: &str) -> Result<Self, InvalidGlob> {
        let is_good = !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control);
        if is_good { Ok(Self(text.to_owned())) } else { Err(InvalidGlob) }
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        pattern.parse::<Glob>().unwrap().matches(name)
    }

    #[test]
    fn a_star_stands_for_any_characters_and_everything_else_for_itself() {
        for (pattern, name) in [
            ("main", "main"),
            ("*", ""),
            ("*", "a/b"),
            ("release/*", "release/1.2/x"),
            ("*/ci", "acme/ci"),
            ("build (*, *)", "build (linux, arm64)"),
            ("a*b*c", "abbc"),
            ("a**c", "ac"),
            ("*aa", "aaa"),
            ("a.c", "a.c"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("main", "mainline"),
            ("main", "Main"),
            ("release/*", "release"),
            ("a*a", "a"),
            ("a*b*c", "acb"),
            ("a.c", "abc"),
            ("ab*bc", "abc"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in ["", "a\nb", &"a".repeat(256)] {
            assert_eq!(text.parse::<Glob>(), Err(InvalidGlob));
        }
        let glob: Glob = "release/*".parse().unwrap();
        assert_eq!((glob.name(), glob.prefix()), (None, "release/"));
        let glob: Glob = "main".parse().unwrap();
        assert_eq!((glob.name(), glob.prefix()), (Some("main"), "main"));
    }
}
