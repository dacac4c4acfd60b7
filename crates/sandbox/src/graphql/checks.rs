//! What checks say about a commit, and whether a pull request needs them.

use serde_json::{Map, Value, json};

use super::{
    Problem,
    execute::{Execution, Resolved},
    node::Node,
};
use crate::{
    git::Oid,
    render,
    world::{
        check::{CheckRun, Outcome, Status},
        repository::{Key, Repository},
    },
};

/// All check runs and statuses of a commit; nothing where there is none, as on GitHub.
pub(super) fn rollup(repository: &Repository, key: &Key, oid: &Oid) -> Option<Node> {
    let state = match repository.rollup_of(oid)? {
        Outcome::Success => "SUCCESS",
        Outcome::Failure => "FAILURE",
        Outcome::Pending => "PENDING",
    };
    let runs = repository.check_runs_of(oid).into_iter().map(|run| Node::CheckRun(key.clone(), run.id));
    let statuses = repository.statuses_of(oid).into_iter().map(|status| Node::Status(key.clone(), status.id));
    let contexts = Node::connection("StatusCheckRollupContextConnection", runs.chain(statuses).collect(), &Map::new());
    Some(Node::Plain(
        "StatusCheckRollup",
        vec![
            ("id", Resolved::Leaf(json!(format!("SCR_{oid}")))),
            ("state", Resolved::Leaf(json!(state))),
            ("contexts", Resolved::Object(contexts)),
        ],
    ))
}

impl Execution<'_> {
    /// What a field of a check run is.
    pub(super) fn check_run(
        &self,
        key: &Key,
        id: u64,
        name: &str,
        arguments: &Map<String, Value>,
    ) -> Result<Resolved, Problem> {
        let repository = self.world.repository(key)?;
        let Some(run) = repository.check_runs.iter().find(|run| run.id == id) else { return Ok(Resolved::NULL) };
        let CheckRun { status, conclusion, .. } = run;
        Ok(Resolved::Leaf(match name {
            "id" => json!(render::node_id("CR", id)),
            "databaseId" => json!(id),
            "name" => json!(run.name),
            "status" => json!(status.to_ascii_uppercase()),
            "conclusion" => json!(conclusion.as_ref().map(|text| text.to_ascii_uppercase())),
            "detailsUrl" => json!(run.details_url),
            _ => json!(is_required(repository, &run.name, arguments)),
        }))
    }

    /// What a field of a commit status is.
    pub(super) fn status(
        &self,
        key: &Key,
        id: u64,
        name: &str,
        arguments: &Map<String, Value>,
    ) -> Result<Resolved, Problem> {
        let repository = self.world.repository(key)?;
        let Some(status) = repository.statuses.iter().find(|status| status.id == id) else {
            return Ok(Resolved::NULL);
        };
        let Status { context, state, at, .. } = status;
        Ok(Resolved::Leaf(match name {
            "id" => json!(render::node_id("SC", id)),
            "context" => json!(context),
            "state" => json!(state.as_str().to_ascii_uppercase()),
            "description" => json!(status.description),
            "targetUrl" => json!(status.target_url),
            "createdAt" => json!(render::time(*at)),
            _ => json!(is_required(repository, context, arguments)),
        }))
    }
}

/// Whether the base of the pull request in the arguments requires a check.
fn is_required(repository: &Repository, check: &str, arguments: &Map<String, Value>) -> bool {
    let number = arguments.get("pullRequestNumber").and_then(Value::as_u64);
    let id = arguments.get("pullRequestId").and_then(Value::as_str).and_then(|id| render::id_of_node("PR", id));
    let mut all = repository.pull_requests.values();
    let found = all.find(|it| Some(it.number) == number || Some(it.id) == id);
    let demands = found.and_then(|it| repository.demands(&it.base_branch));
    demands.is_some_and(|demands| demands.checks.iter().any(|required| required == check))
}
