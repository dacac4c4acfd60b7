//! What all evidence adds up to.

use chrono::{DateTime, Utc};

use super::{Evidence, Kind, Outcome};

/// What all evidence adds up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing failed and nothing is pending.
    Passed,
    /// Something is pending, nothing failed.
    Pending {
        /// What is waited for.
        why: String,
        /// When the first of it counts as failed.
        until: DateTime<Utc>,
    },
    /// Something failed.
    Failed {
        /// The sentences of what failed.
        why: String,
    },
}

/// Adds evidence up: worse evidence never gives a better verdict.
///
/// What is always asked for must have passed, by a piece of evidence that is there: nothing is no proof.
#[must_use]
pub fn verdict(evidence: &[Evidence]) -> Verdict {
    let sentences = |wanted: fn(&Outcome) -> bool| {
        let all: Vec<&str> = evidence.iter().filter(|one| wanted(&one.outcome)).map(|one| one.seen.as_str()).collect();
        all.join("; ")
    };
    if evidence.iter().any(|one| one.outcome == Outcome::Failed) {
        return Verdict::Failed { why: sentences(|outcome| matches!(outcome, Outcome::Failed)) };
    }
    let is_there = |kind: &&Kind| evidence.iter().any(|one| one.kind == **kind && one.outcome != Outcome::Skipped);
    let unproven: Vec<&str> = Kind::ALWAYS.iter().filter(|kind| !is_there(kind)).map(|kind| kind.as_str()).collect();
    if !unproven.is_empty() {
        return Verdict::Failed { why: format!("nothing was verified of {}", unproven.join(", ")) };
    }
    let deadlines = evidence.iter().filter_map(|one| match one.outcome {
        Outcome::Pending { until } => Some(until),
        Outcome::Passed | Outcome::Failed | Outcome::Skipped => None,
    });
    match deadlines.min() {
        Some(until) => Verdict::Pending { why: sentences(|outcome| matches!(outcome, Outcome::Pending { .. })), until },
        None => Verdict::Passed,
    }
}
