//! Commit statuses and check runs: two ways to say how a commit fares.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{git::Oid, world::repository::Repository};

/// A commit status (`POST /repos/{owner}/{repo}/statuses/{sha}`).
#[derive(Clone, Debug)]
pub(crate) struct Status {
    pub(crate) id: u64,
    pub(crate) sha: Oid,
    pub(crate) context: String,
    pub(crate) state: StatusState,
    pub(crate) description: Option<String>,
    pub(crate) target_url: Option<String>,
    pub(crate) creator: String,
    pub(crate) at: DateTime<Utc>,
}

/// A check run (`POST /repos/{owner}/{repo}/check-runs`).
#[derive(Clone, Debug)]
pub(crate) struct CheckRun {
    pub(crate) id: u64,
    pub(crate) sha: Oid,
    /// Whose it is; the App's of the sandbox where it is nobody else's.
    pub(crate) app: Option<Reporter>,
    pub(crate) name: String,
    pub(crate) status: String,
    pub(crate) conclusion: Option<String>,
    pub(crate) details_url: Option<String>,
    pub(crate) external_id: String,
    pub(crate) title: Option<String>,
    pub(crate) summary: Option<String>,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) completed_at: Option<DateTime<Utc>>,
}

/// The state of a commit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StatusState {
    /// It could not find out.
    Error,
    /// It does not agree.
    Failure,
    /// It is at work.
    Pending,
    /// It agrees.
    Success,
}

/// What a check says about a commit, however it says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The context of a status, the name of a check run.
    pub name: String,
    /// What it says.
    #[serde(default)]
    pub outcome: Outcome,
    /// As what it says it.
    #[serde(default)]
    pub kind: Kind,
}

/// An App that makes check runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reporter {
    /// Its number.
    pub id: u64,
    /// Its name in addresses, as `github-actions`.
    pub slug: String,
}

/// What a check run says in GitHub's own words, whoever makes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunReport {
    /// What it is called.
    pub name: String,
    /// `success`, `timed_out` and so on; it is in progress without one.
    #[serde(default)]
    pub conclusion: Option<String>,
    /// Who makes it; the App of the sandbox when it is not given.
    #[serde(default)]
    pub app: Option<Reporter>,
    /// Where people read more.
    #[serde(default)]
    pub details_url: Option<String>,
}

/// What a check has found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The commit is good.
    #[default]
    Success,
    /// The commit is bad.
    Failure,
    /// It is at work.
    Pending,
}

/// The two forms of a check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A check run, as GitHub Actions makes them.
    #[default]
    CheckRun,
    /// A commit status.
    Status,
}

impl StatusState {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Failure => "failure",
            Self::Pending => "pending",
            Self::Success => "success",
        }
    }
}

impl CheckRun {
    /// What it has found out; neutral and skipped runs do not stand in the way.
    pub(crate) fn outcome(&self) -> Outcome {
        match (self.status.as_str(), self.conclusion.as_deref()) {
            ("completed", Some("success" | "neutral" | "skipped")) => Outcome::Success,
            ("completed", _) => Outcome::Failure,
            _ => Outcome::Pending,
        }
    }
}

impl Status {
    /// What it has found out.
    pub(crate) const fn outcome(&self) -> Outcome {
        match self.state {
            StatusState::Success => Outcome::Success,
            StatusState::Pending => Outcome::Pending,
            StatusState::Error | StatusState::Failure => Outcome::Failure,
        }
    }
}

impl Repository {
    /// The last status of each context of a commit.
    pub(crate) fn statuses_of(&self, sha: &Oid) -> Vec<&Status> {
        let mut latest: Vec<&Status> = Vec::new();
        for status in self.statuses.iter().filter(|status| status.sha == *sha) {
            latest.retain(|earlier| earlier.context != status.context);
            latest.push(status);
        }
        latest
    }

    /// The last check run of each name and App of a commit.
    pub(crate) fn check_runs_of(&self, sha: &Oid) -> Vec<&CheckRun> {
        let mut latest: Vec<&CheckRun> = Vec::new();
        for run in self.check_runs.iter().filter(|run| run.sha == *sha) {
            latest.retain(|earlier| (&earlier.name, &earlier.app) != (&run.name, &run.app));
            latest.push(run);
        }
        latest
    }

    /// Every check of a commit by name.
    pub(crate) fn outcomes_of(&self, sha: &Oid) -> Vec<(&str, Outcome)> {
        let statuses = self.statuses_of(sha).into_iter();
        let runs = self.check_runs_of(sha).into_iter();
        statuses
            .map(|status| (status.context.as_str(), status.outcome()))
            .chain(runs.map(|run| (run.name.as_str(), run.outcome())))
            .collect()
    }

    /// What the checks of a commit add up to; `None` without any.
    pub(crate) fn rollup_of(&self, sha: &Oid) -> Option<Outcome> {
        let outcomes = self.outcomes_of(sha);
        let any = |wanted| outcomes.iter().any(|(_, outcome)| *outcome == wanted);
        match outcomes.len() {
            0 => None,
            _ if any(Outcome::Failure) => Some(Outcome::Failure),
            _ if any(Outcome::Pending) => Some(Outcome::Pending),
            _ => Some(Outcome::Success),
        }
    }
}
