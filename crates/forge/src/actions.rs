//! What GitHub Actions tells us of builds, and whose word counts.
//!
//! A workflow shows an identity token that GitHub signed for its run
//! (<https://docs.github.com/en/actions/concepts/security/openid-connect>). The token says which repository, commit
//! and workflow it is; what the workflow says besides must agree with that. Deliberately not here: the token's
//! signature, which `identity` checks before.

mod report;
#[cfg(test)]
mod tests;

use domain::{announcement::BuildRun, commit::Commit, forge::Repository};
use serde::Deserialize;

pub use report::{Invalid, Report, Unusable};

/// Where GitHub's own issuer is; GitHub Enterprise Server has another.
pub const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// Whose word counts.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The repositories whose workflows may report builds.
    pub repositories: Vec<Allowed>,
    /// The refs they may run on, as `refs/heads/main`; `*` at the end stands for anything. Empty: any ref.
    pub refs: Vec<String>,
    /// The events that may have started them. A pull request's event is not to be among them: whoever opens one
    /// decides what it runs.
    pub events: Vec<String>,
    /// The workflows, as `acme/shop/.github/workflows/release.yml`, with or without `@` and a ref. Empty: any workflow.
    pub workflows: Vec<String>,
}

/// A repository that may report builds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// By its name, which is free for others once it is renamed.
    Name(Repository),
    /// By its number, which stays.
    Id(u64),
}

/// The claims of a run's token that matter here; GitHub writes all of them as strings
/// (<https://docs.github.com/en/actions/reference/security/oidc>).
#[derive(Clone, Debug, Deserialize)]
pub struct Claims {
    /// `acme/shop`
    repository: String,
    repository_id: String,
    /// The commit that the workflow runs on.
    sha: String,
    #[serde(rename = "ref")]
    git_ref: String,
    event_name: String,
    /// `acme/shop/.github/workflows/release.yml@refs/heads/main`
    workflow_ref: String,
    run_id: String,
    /// The token's own number, the same however often it is shown.
    jti: String,
}

/// A run of a workflow whose word counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The repository that the workflow is of.
    pub repository: Repository,
    /// What it was built from.
    pub commit: Commit,
    /// The token's own number; at most 128 printable characters.
    pub token_id: String,
    /// The number of the repository, which stays when it is renamed.
    pub repository_id: u64,
    /// The workflow, with its reference.
    pub workflow: String,
    /// The run's number, in the repository.
    pub run_id: u64,
}

impl Run {
    /// The run as what it built is kept with it; repositories are found under `address`.
    #[must_use]
    pub fn built(&self, address: &str) -> BuildRun {
        let url = format!("{address}/{}/actions/runs/{}", self.repository, self.run_id);
        BuildRun { workflow: shown(&self.workflow), url }
    }
}

/// The token is genuine, and its run may not report builds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A claim is not of the form that GitHub gives it.
    #[error("the token's claim `{0}` is not of the expected form")]
    Claim(&'static str),
    /// Another repository.
    #[error("workflows of {0} may not report builds (github.actions.repositories)")]
    Repository(String),
    /// Another branch or tag.
    #[error("workflows that run on {0} may not report builds (github.actions.refs)")]
    Ref(String),
    /// Another event.
    #[error("workflows that were started by {0} may not report builds (github.actions.events)")]
    Event(String),
    /// Another workflow.
    #[error("the workflow {0} may not report builds (github.actions.workflows)")]
    Workflow(String),
}

impl Policy {
    /// The events that are let through where the configuration names none.
    pub const EVENTS: [&'static str; 4] = ["push", "workflow_dispatch", "release", "schedule"];

    /// Decides whether a run's word counts.
    ///
    /// # Errors
    ///
    /// It does not; the sentence names the setting.
    pub fn admit(&self, claims: Claims) -> Result<Run, Refused> {
        let repository: Repository = claims.repository.parse().map_err(|_illegal| Refused::Claim("repository"))?;
        let id: u64 = claims.repository_id.parse().map_err(|_illegal| Refused::Claim("repository_id"))?;
        let is_allowed = |allowed: &Allowed| match allowed {
            Allowed::Name(name) => *name == repository,
            Allowed::Id(allowed) => *allowed == id,
        };
        if !self.repositories.iter().any(is_allowed) {
            return Err(Refused::Repository(repository.to_string()));
        }
        if !self.events.contains(&claims.event_name) {
            return Err(Refused::Event(shown(&claims.event_name)));
        }
        if !is_listed(&self.refs, |pattern| matches(pattern, &claims.git_ref)) {
            return Err(Refused::Ref(shown(&claims.git_ref)));
        }
        let (workflow, _ref) = claims.workflow_ref.split_once('@').unwrap_or((&claims.workflow_ref, ""));
        if !is_listed(&self.workflows, |allowed| allowed == workflow || *allowed == claims.workflow_ref) {
            return Err(Refused::Workflow(shown(&claims.workflow_ref)));
        }
        let is_printable = |id: &str| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        let token_id = Some(claims.jti).filter(|id| is_printable(id)).ok_or(Refused::Claim("jti"))?;
        Ok(Run {
            repository,
            commit: claims.sha.parse().map_err(|_illegal| Refused::Claim("sha"))?,
            token_id,
            repository_id: id,
            workflow: claims.workflow_ref,
            run_id: claims.run_id.parse().map_err(|_illegal| Refused::Claim("run_id"))?,
        })
    }
}

/// An empty list is no restriction.
fn is_listed(list: &[String], is_it: impl Fn(&str) -> bool) -> bool {
    list.is_empty() || list.iter().any(|one| is_it(one))
}

fn matches(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => text.starts_with(beginning),
        None => pattern == text,
    }
}

/// A claim as a sentence can hold it.
fn shown(text: &str) -> String {
    text.escape_debug().take(200).collect()
}
