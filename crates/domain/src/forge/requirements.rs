//! What a base branch still requires of a pull request.

use std::fmt;

/// What a base branch requires and a pull request does not have yet, as far as the forge shows it.
///
/// It prints as what is waited for: "check `ci` and 1 approving review".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    /// The required checks that have not passed.
    pub checks: Vec<RequiredCheck>,
    /// How many approving reviews are missing.
    pub approvals: u32,
    /// Whether a reviewer asked for changes.
    pub changes_requested: bool,
    /// Whether its commit must be signed, and is not.
    pub signature: bool,
}

/// A required check that has not passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredCheck {
    /// The name of the check run or the context of the status.
    pub name: String,
    /// What it says.
    pub standing: CheckStanding,
}

/// What a required check says that has not passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckStanding {
    /// It has said nothing of this commit.
    Absent,
    /// It is at work.
    Running,
    /// It does not agree.
    Failed,
}

impl Requirements {
    /// Whether nothing is known to be missing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.checks.is_empty() && self.approvals == 0 && !self.changes_requested && !self.signature
    }
}

impl fmt::Display for Requirements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self.checks.iter().map(ToString::to_string).collect();
        match self.approvals {
            0 => {}
            1 => parts.push("1 approving review".to_owned()),
            several => parts.push(format!("{several} approving reviews")),
        }
        if self.changes_requested {
            parts.push("the changes that a reviewer asked for".to_owned());
        }
        if self.signature {
            parts.push("a verified signature of its commit (set `github.signing`, or `github.write: api`)".to_owned());
        }
        match parts.as_slice() {
            [] => f.write_str("nothing that is known"),
            [only] => f.write_str(only),
            [first @ .., last] => write!(f, "{} and {last}", first.join(", ")),
        }
    }
}

impl fmt::Display for RequiredCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, standing } = self;
        match standing {
            CheckStanding::Absent => write!(f, "check `{name}` (not reported yet)"),
            CheckStanding::Running => write!(f, "check `{name}`"),
            CheckStanding::Failed => write!(f, "check `{name}` (failed)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, standing: CheckStanding) -> RequiredCheck {
        RequiredCheck { name: name.to_owned(), standing }
    }

    #[test]
    fn what_is_missing_is_listed() {
        let mut missing = Requirements::default();
        assert!(missing.is_empty());
        missing.checks.push(check("ci", CheckStanding::Running));
        assert_eq!(missing.to_string(), "check `ci`");
        missing.approvals = 1;
        assert_eq!(missing.to_string(), "check `ci` and 1 approving review");
        missing.checks.push(check("lint", CheckStanding::Failed));
        missing.checks.push(check("e2e", CheckStanding::Absent));
        missing.approvals = 2;
        missing.changes_requested = true;
        assert_eq!(
            missing.to_string(),
            "check `ci`, check `lint` (failed), check `e2e` (not reported yet), 2 approving reviews and the changes \
             that a reviewer asked for"
        );
        let unsigned = Requirements { signature: true, ..Requirements::default() };
        assert!(!unsigned.is_empty());
        assert_eq!(
            unsigned.to_string(),
            "a verified signature of its commit (set `github.signing`, or `github.write: api`)"
        );
    }
}
