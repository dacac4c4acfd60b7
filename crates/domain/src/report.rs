//! Our verdict as a status of the commit that we propose, so that a base branch can require it.

use crate::{
    commit::Commit,
    evidence::Verdict,
    forge::PullRequestState,
    promotion::{Head, Situation},
};

/// The name of the status, as a base branch requires it.
pub const CONTEXT: &str = "tagferry/verdict";

/// The longest description that GitHub shows, in characters
/// (<https://docs.github.com/en/rest/commits/statuses#create-a-commit-status>).
const LONGEST: usize = 140;

/// What is said of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The commit on the release branch.
    pub head: Commit,
    /// What the evidence adds up to.
    pub state: State,
    /// One sentence; at most 140 characters.
    pub description: String,
}

/// What the evidence adds up to, in the forge's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is proven.
    Success,
    /// It is not proven yet, or not any more.
    Pending,
    /// It is disproven.
    Failure,
}

impl State {
    /// The word for it in columns and in the forge's interface.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Pending => "pending",
            Self::Failure => "failure",
        }
    }
}

/// What is to be said now; `None` where there is nothing of ours to say it of. Of a commit that is not ours nothing is
/// said, so that a base that requires the status keeps it out.
#[must_use]
pub fn report(situation: &Situation) -> Option<Report> {
    let proposed = situation.pull_request.as_ref()?;
    let is_open = proposed.pull_request.state == PullRequestState::Open;
    if !is_open || !matches!(proposed.head, Head::Ours(_)) {
        return None;
    }
    let (state, description) = match &situation.verdict {
        Verdict::Passed => (State::Success, "every piece of evidence that is asked for is there"),
        Verdict::Pending { why, .. } => (State::Pending, why.as_str()),
        Verdict::Failed { why } => (State::Failure, why.as_str()),
    };
    Some(Report { head: proposed.pull_request.head, state, description: cut(description) })
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LONGEST - 1).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_no_longer_than_the_forge_shows() {
        assert_eq!(cut("x"), "x");
        assert_eq!(cut(&"é".repeat(140)), "é".repeat(140));
        assert_eq!(cut(&"é".repeat(141)), format!("{}…", "é".repeat(139)));
    }
}
