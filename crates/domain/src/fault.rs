//! What a failed call outside means for trying again.

use std::{error::Error, fmt, time::Duration};

/// The meaning of a failure, the same for every adapter: retrying is decided from this alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It may work later without anybody doing something: a timeout, a broken connection, a server error.
    Transient,
    /// The same of somebody who has failed so often that he is not asked for a while
    /// ([`circuit`](crate::circuit)).
    Away {
        /// How long it is not worth trying again.
        retry_after: Duration,
    },
    /// The other side asked us to slow down.
    Limited {
        /// How long it asked us to wait, when it said so.
        retry_after: Option<Duration>,
    },
    /// What we decided on is no longer so: look again and decide again.
    Stale,
    /// It will not work until a person changes something.
    Permanent,
}

impl Fault {
    /// The word for it in the field `fault` of a log line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Away { .. } => "away",
            Self::Limited { .. } => "limited",
            Self::Stale => "stale",
            Self::Permanent => "permanent",
        }
    }
}

/// An error with all its causes, on one line: the one way in which chains are printed.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
