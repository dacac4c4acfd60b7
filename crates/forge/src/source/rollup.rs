//! What checks say of a commit.

use domain::evidence::{App, CheckState, Reported};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    About, MOST_PAGES,
    branches::PageInfo,
    document::{self, of_commit},
};
use crate::{Error, Forge, client::Document};

/// What is asked of the list of all checks of a commit.
pub(super) const CONTEXTS: &str = "pageInfo { hasNextPage endCursor } nodes { __typename \
     ... on CheckRun { name status conclusion detailsUrl url checkSuite { app { databaseId slug } } } \
     ... on StatusContext { context state targetUrl } }";

/// Some of the checks of a commit.
#[derive(Debug, Default)]
pub(super) struct Rollup {
    reported: Vec<Reported>,
    /// Where the next ones begin.
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Contexts {
    page_info: PageInfo,
    nodes: Vec<Option<Context>>,
}

#[derive(Deserialize)]
#[serde(tag = "__typename")]
enum Context {
    CheckRun(CheckRun),
    #[serde(rename = "StatusContext")]
    Status(Status),
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CheckRun {
    name: String,
    status: String,
    conclusion: Option<String>,
    details_url: Option<String>,
    url: Option<String>,
    check_suite: Option<Suite>,
}

#[derive(Deserialize)]
struct Suite {
    app: Option<OfApp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfApp {
    database_id: Option<u64>,
    slug: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    context: String,
    state: String,
    target_url: Option<String>,
}

impl Forge {
    /// A page of the checks of a commit, which has to be there.
    pub(super) async fn page_of_checks(&self, about: About<'_>, after: Option<&str>) -> Result<Rollup, Error> {
        let text = format!(
            "query Checks($owner: String!, $name: String!, $oid: GitObjectID!, $after: String) {{ \
             repository(owner: $owner, name: $name) {{ object(oid: $oid) {{ ... on Commit {{ oid \
             statusCheckRollup {{ contexts(first: 100, after: $after) {{ {CONTEXTS} }} }} }} }} }} }}"
        );
        let mut variables = of_commit(about);
        if let Some(variables) = variables.as_object_mut() {
            variables.insert("after".to_owned(), after.map_or(Value::Null, |after| json!(after)));
        }
        let document = Document { text: &text, variables: &variables, doing: about.doing };
        let reply = self.client().ask_reading(about.repository, document).await?;
        let mut seen = document::read(reply, about)?;
        if seen.commit.is_none() {
            return Err(Error::UnknownCommit { repository: about.repository.clone(), commit: about.commit });
        }
        seen.checks(about)
    }

    /// All checks of a commit, from the first page.
    pub(super) async fn rest_of_checks(&self, about: About<'_>, first: Rollup) -> Result<Vec<Reported>, Error> {
        let Rollup { mut reported, mut next } = first;
        for _ in 1..MOST_PAGES {
            let Some(after) = next else { return Ok(reported) };
            let page = self.page_of_checks(about, Some(&after)).await?;
            reported.extend(page.reported);
            next = page.next;
        }
        match next {
            None => Ok(reported),
            Some(_) => {
                let message = "it has more checks than are read".to_owned();
                Err(Error::Refused { doing: about.doing.to_owned(), message })
            }
        }
    }
}

impl Contexts {
    pub(super) fn read(self, doing: &str) -> Result<Rollup, Error> {
        let mut reported = Vec::new();
        for context in self.nodes {
            let why = "a check is not shown".to_owned();
            let context = context.ok_or_else(|| Error::Misunderstood { doing: doing.to_owned(), why })?;
            reported.extend(context.reported());
        }
        Ok(Rollup { reported, next: self.page_info.next() })
    }
}

impl Context {
    fn reported(self) -> Option<Reported> {
        match self {
            Self::CheckRun(run) => {
                let state = run.state();
                let app = run.check_suite.and_then(|suite| suite.app);
                let app = app.and_then(|app| Some(App { id: app.database_id?, slug: app.slug }));
                Some(Reported { name: run.name, app, state, url: run.details_url.or(run.url) })
            }
            Self::Status(status) => {
                let state = status.state();
                Some(Reported { name: status.context, app: None, state, url: status.target_url })
            }
            Self::Other => None,
        }
    }
}

impl CheckRun {
    /// <https://docs.github.com/en/graphql/reference/enums#checkconclusionstate>
    fn state(&self) -> CheckState {
        match (self.status.as_str(), self.conclusion.as_deref()) {
            ("COMPLETED", Some("SUCCESS")) => CheckState::Succeeded,
            ("COMPLETED", Some("NEUTRAL")) => CheckState::Neutral,
            ("COMPLETED", Some("SKIPPED")) => CheckState::Skipped,
            ("COMPLETED", Some(other)) => CheckState::Failed(other.to_ascii_lowercase()),
            _ => CheckState::Running,
        }
    }
}

impl Status {
    /// <https://docs.github.com/en/graphql/reference/enums#statusstate>
    fn state(&self) -> CheckState {
        match self.state.as_str() {
            "SUCCESS" => CheckState::Succeeded,
            "PENDING" | "EXPECTED" => CheckState::Running,
            other => CheckState::Failed(other.to_ascii_lowercase()),
        }
    }
}
