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
    repository.rollup_of(oid).map(|_| Node::Rollup(key.clone(), oid.clone()))
}

impl Execution<'_> {
    /// What a field of all checks of a commit is.
    pub(super) fn rollup(
        &self,
        key: &Key,
        oid: &Oid,
        name: &str,
        arguments: &Map<String, Value>,
    ) -> Result<Resolved, Problem> {
        let repository = self.world.repository(key)?;
        let state = match repository.rollup_of(oid) {
            Some(Outcome::Success) => "SUCCESS",
            Some(Outcome::Failure) => "FAILURE",
            Some(Outcome::Pending) | None => "PENDING",
        };
        Ok(match name {
            "id" => Resolved::Leaf(json!(format!("SCR_{oid}"))),
            "state" => Resolved::Leaf(json!(state)),
            _ => {
                let runs = repository.check_runs_of(oid).into_iter().map(|run| Node::CheckRun(key.clone(), run.id));
                let statuses = repository.statuses_of(oid).into_iter().map(|it| Node::Status(key.clone(), it.id));
                let all = runs.chain(statuses).collect();
                Resolved::Object(Node::connection("StatusCheckRollupContextConnection", all, arguments))
            }
        })
    }

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
            "url" => json!(format!("{}/{key}/runs/{id}", self.world.url)),
            "checkSuite" => return Ok(Resolved::Object(self.check_suite(run))),
            _ => json!(is_required(repository, &run.name, arguments)),
        }))
    }

    /// The suite of a check run: each has one of its own.
    fn check_suite(&self, run: &CheckRun) -> Node {
        let ours = &self.world.app;
        let (id, slug) = run.app.as_ref().map_or((ours.id, &ours.slug), |app| (app.id, &app.slug));
        let leaf = |value: Value| Resolved::Leaf(value);
        let app = vec![
            ("id", leaf(json!(render::node_id("A", id)))),
            ("databaseId", leaf(json!(id))),
            ("slug", leaf(json!(slug))),
            ("name", leaf(json!(slug))),
        ];
        Node::Plain(
            "CheckSuite",
            vec![
                ("id", leaf(json!(render::node_id("CS", run.id)))),
                ("databaseId", leaf(json!(run.id))),
                ("app", Resolved::Object(Node::Plain("App", app))),
            ],
        )
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
