//! How steps, endings and reasons read: one word for machines, one sentence for people.

use std::fmt;

use super::{Ending, Outcome, Reason, Step};

impl Outcome {
    /// The word for it in columns and interfaces.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Merged { .. } => "merged",
            Self::Declined => "declined",
            Self::Ended(ending) => ending.as_str(),
        }
    }
}

impl Ending {
    /// The word for it in columns and interfaces.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::AlreadyCurrent => "already-current",
            Self::Superseded { .. } => "superseded",
            Self::Refused { .. } => "refused",
        }
    }
}

impl Step {
    /// The word for it in the field `step` of a log line.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Settle(_) => "settle",
            Self::Close(_) => "close",
            Self::Disarm => "disarm",
            Self::Wait { .. } => "wait",
            Self::Propose => "propose",
            Self::Arm { .. } => "arm",
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyCurrent => f.write_str("the overlays name this release already"),
            Self::Superseded { by } => write!(f, "superseded by {}", by.short()),
            Self::Refused { why } => write!(f, "refused: {why}"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Merged { commit: Some(commit) } => write!(f, "merged as {}", commit.short()),
            Self::Merged { commit: None } => f.write_str("merged"),
            Self::Declined => f.write_str("a person closed the pull request; this commit is not proposed again"),
            Self::Ended(ending) => ending.fmt(f),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Evidence(why) | Self::Restrained(why) | Self::Unreadable(why) => f.write_str(why),
            Self::Slot(commit) => write!(f, "the pull request of release {} is to be closed first", commit.short()),
            Self::Foreign(head) => write!(
                f,
                "commit {} on the branch is not ours: take it off the branch, or merge or close the pull request",
                head.short()
            ),
            Self::Retargeted => {
                f.write_str("the pull request was pointed at another branch: point it back, or merge or close it")
            }
            Self::TakenBack => f.write_str(
                "the order to merge was taken back: enable auto-merge on the pull request again, or merge or close it",
            ),
            Self::Computing => f.write_str("the forge is working out whether the pull request can be merged"),
            Self::Unstable => {
                f.write_str("a check that is not required failed or is running; once it passes the merge goes on")
            }
            Self::Draft => f.write_str("the pull request is a draft; mark it as ready for review"),
            Self::Required(missing) if missing.is_empty() => {
                f.write_str("the checks or reviews that the base branch requires are not there yet")
            }
            Self::Required(missing) => write!(f, "waits for {missing}"),
            Self::Watching(missing) if missing.is_empty() => f.write_str(
                "auto-merge is not allowed in the repository: Tagferry merges once what the base branch requires is there",
            ),
            Self::Watching(missing) => {
                write!(f, "auto-merge is not allowed in the repository: Tagferry merges once there is {missing}")
            }
            Self::Queued => f.write_str("the pull request is in the merge queue, which merges it once its checks pass"),
            Self::Merging => f.write_str("everything is there; the forge is about to merge"),
        }
    }
}
