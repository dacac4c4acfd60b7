//! The name of a Git commit.

use std::{fmt, str::FromStr};

/// A commit by its full SHA-1 name: 40 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Commit([u8; 20]);

/// The text is not a full commit name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a commit is named by 40 lower-case hexadecimal digits")]
pub struct InvalidCommit;

impl Commit {
    /// A commit from the twenty bytes of its name.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The first seven digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(7).collect()
    }
}

impl FromStr for Commit {
    type Err = InvalidCommit;

    fn from_str(text: &str) -> Result<Self, InvalidCommit> {
        if text.len() != 40 {
            return Err(InvalidCommit);
        }
        let mut bytes = [0; 20];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte =
                pair.iter().try_fold(0, |value, digit| Some(value * 16 + hex_value(*digit)?)).ok_or(InvalidCommit)?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Commit({self})")
    }
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_prints_as_it_was_read() {
        let name = "0123456789abcdef0123456789abcdef01234567";
        let commit: Commit = name.parse().unwrap();
        assert_eq!(commit.to_string(), name);
        assert_eq!(commit.short(), "0123456");
    }

    #[test]
    fn a_commit_is_named_in_full_and_in_lower_case() {
        for bad in ["", "0123456", &"A".repeat(40), &"g".repeat(40), &"0".repeat(41), &"é".repeat(20)] {
            assert_eq!(bad.parse::<Commit>(), Err(InvalidCommit), "{bad}");
        }
    }
}
