//! The document that asks everything of a commit at once, and what it is answered with.

use std::fmt::Write as _;

use domain::glob::Glob;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    About,
    branches::Page,
    rollup::{CONTEXTS, Contexts, Rollup},
};
use crate::{
    Error,
    client::{Problem, Reply},
};

/// How many branches are shown at once of those that begin like a pattern.
pub(super) const BRANCHES: usize = 50;

/// What is asked of a branch; `$sha` is the commit. The branch is the base of the comparison, the commit its head, which
/// may be given by its name (schema change of 2022-10-18, <https://docs.github.com/en/graphql/overview/changelog>).
pub(super) const STANDING: &str = "name compare(headRef: $sha) { status }";

const UNSEEN: &str = "it needs Checks: read and Commit statuses: read";

/// What is wanted of a commit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) branches: &'a [Glob],
    pub(super) checks: bool,
}

/// The answer to any of the documents.
#[derive(Deserialize)]
pub(super) struct Data {
    repository: Option<Place>,
}

#[derive(Deserialize)]
struct Place {
    object: Option<Object>,
    /// The branches: `branch0` and so on for those that are named, `like0` for those that begin like a pattern.
    #[serde(flatten)]
    branches: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    /// What only a commit has.
    oid: Option<String>,
    message: Option<String>,
    url: Option<String>,
    status_check_rollup: Option<OfRollup>,
}

#[derive(Deserialize)]
struct OfRollup {
    contexts: Option<Contexts>,
}

/// What was seen of a commit and of the branches.
pub(super) struct Seen {
    /// The commit, if the forge knows it.
    pub(super) commit: Option<Found>,
    branches: Map<String, Value>,
    contexts: Option<Contexts>,
    /// Why checks are not shown, in the forge's own words.
    hidden: Option<String>,
}

/// A commit that the forge knows.
pub(super) struct Found {
    message: String,
    pub(super) url: String,
}

/// The branches that are named, and the patterns, each in their order.
pub(super) fn parted(branches: &[Glob]) -> (Vec<&str>, Vec<&Glob>) {
    let named = branches.iter().filter_map(Glob::name).collect();
    (named, branches.iter().filter(|branch| branch.name().is_none()).collect())
}

impl Wanted<'_> {
    /// The document.
    pub(super) fn text(&self) -> String {
        let (named, patterns) = parted(self.branches);
        let (mut variables, mut fields) = (String::new(), String::new());
        let mut add = |variable: String, field: String| {
            // Writing to a text does not fail.
            let written = variables.write_str(&variable).and_then(|()| fields.write_str(&field));
            debug_assert!(written.is_ok());
        };
        for place in 0..named.len() {
            let field = format!(" branch{place}: ref(qualifiedName: $branch{place}) {{ {STANDING} }}");
            add(format!(", $branch{place}: String!"), field);
        }
        for place in 0..patterns.len() {
            let field = format!(" like{place}: {}", list(&format!("$like{place}"), ""));
            add(format!(", $like{place}: String!"), field);
        }
        // What is declared has to be used.
        let sha = if self.branches.is_empty() { "" } else { "$sha: String!, " };
        let rollup = if self.checks {
            format!(" statusCheckRollup {{ contexts(first: 100) {{ {CONTEXTS} }} }}")
        } else {
            String::new()
        };
        format!(
            "query Source({sha}$owner: String!, $name: String!, $oid: GitObjectID!{variables}) {{ \
             repository(owner: $owner, name: $name) {{ \
             object(oid: $oid) {{ ... on Commit {{ oid message url{rollup} }} }}{fields} }} }}"
        )
    }

    /// The values of its variables.
    pub(super) fn variables(&self, about: About<'_>) -> Value {
        let (named, patterns) = parted(self.branches);
        let named =
            named.iter().enumerate().map(|(place, name)| (format!("branch{place}"), format!("refs/heads/{name}")));
        let like =
            patterns.iter().enumerate().map(|(place, pattern)| (format!("like{place}"), pattern.prefix().to_owned()));
        let mut variables = of_commit(about);
        if let Some(variables) = variables.as_object_mut() {
            if !self.branches.is_empty() {
                variables.insert("sha".to_owned(), json!(about.commit.to_string()));
            }
            variables.extend(named.chain(like).map(|(name, value)| (name, json!(value))));
        }
        variables
    }
}

/// The values of the variables that every document has.
pub(super) fn of_commit(about: About<'_>) -> Value {
    let repository = about.repository;
    json!({ "owner": repository.owner(), "name": repository.name(), "oid": about.commit.to_string() })
}

/// The field with the branches whose name contains what a variable says, after a cursor.
pub(super) fn list(like: &str, after: &str) -> String {
    format!(
        "refs(refPrefix: \"refs/heads/\", query: {like}, first: {BRANCHES}{after}) {{ \
         pageInfo {{ hasNextPage endCursor }} nodes {{ {STANDING} }} }}"
    )
}

/// What an answer says, as far as it can be told from its errors.
pub(super) fn read(reply: Reply<Data>, about: About<'_>) -> Result<Seen, Error> {
    let (message, is_missing) = (reply.message(), reply.is_not_found());
    let mut hidden = None;
    for problem in &reply.errors {
        match judge(problem) {
            Hole::Expected => {}
            Hole::Checks => hidden = Some(problem.message.clone()),
            Hole::Forbidden => {
                let needs = "it needs Metadata: read and Contents: read";
                return Err(Error::Forbidden { doing: about.doing.to_owned(), why: problem.message.clone(), needs });
            }
            Hole::Odd => {
                return Err(Error::Misunderstood { doing: about.doing.to_owned(), why: problem.message.clone() });
            }
        }
    }
    match reply.data.and_then(|data| data.repository) {
        Some(place) => Ok(place.seen(hidden)),
        None if is_missing || message.is_empty() => Err(Error::NoRepository { repository: about.repository.clone() }),
        None => Err(Error::Refused { doing: about.doing.to_owned(), message }),
    }
}

/// What an error leaves a hole for.
enum Hole {
    /// Something that is not there, or a comparison that can not be made.
    Expected,
    /// Checks that we may not see.
    Checks,
    /// Something else that we may not see.
    Forbidden,
    /// Something that has to be there.
    Odd,
}

fn judge(problem: &Problem) -> Hole {
    let is_through = |field: &str| problem.path.iter().any(|step| step.as_str() == Some(field));
    match () {
        () if is_through("statusCheckRollup") && problem.is_forbidden() => Hole::Checks,
        () if is_through("statusCheckRollup") => Hole::Odd,
        () if problem.is_forbidden() => Hole::Forbidden,
        () if problem.kind.as_deref() == Some("NOT_FOUND") || is_through("compare") => Hole::Expected,
        () => Hole::Odd,
    }
}

impl Place {
    fn seen(self, hidden: Option<String>) -> Seen {
        let (mut commit, mut contexts) = (None, None);
        if let Some(Object { oid: Some(_), message, url, status_check_rollup }) = self.object {
            commit = Some(Found { message: message.unwrap_or_default(), url: url.unwrap_or_default() });
            contexts = status_check_rollup.and_then(|rollup| rollup.contexts);
        }
        Seen { commit, branches: self.branches, contexts, hidden }
    }
}

impl Seen {
    /// The checks that are shown, with where the next ones are. A hole where they are would look like none.
    pub(super) fn checks(&mut self, about: About<'_>) -> Result<Rollup, Error> {
        if let Some(why) = self.hidden.take() {
            let doing = format!("seeing the checks of commit {} in {}", about.commit, about.repository);
            return Err(Error::Forbidden { doing, why, needs: UNSEEN });
        }
        self.contexts.take().map_or_else(|| Ok(Rollup::default()), |contexts| contexts.read(about.doing))
    }

    /// A branch that is named, or a page of those that are like a pattern; `None` when it is not there.
    pub(super) fn branches<T: serde::de::DeserializeOwned>(
        &mut self,
        alias: &str,
        about: About<'_>,
    ) -> Result<Option<T>, Error> {
        let value = self.branches.remove(alias).unwrap_or_default();
        serde_json::from_value(value)
            .map_err(|source| Error::Misunderstood { doing: about.doing.to_owned(), why: source.to_string() })
    }

    /// A page of branches, which has to be there.
    pub(super) fn page(&mut self, alias: &str, about: About<'_>) -> Result<Page, Error> {
        let why = "it has no list of branches".to_owned();
        self.branches(alias, about)?.ok_or_else(|| Error::Misunderstood { doing: about.doing.to_owned(), why })
    }
}

impl Found {
    /// The first line of its message.
    pub(super) fn subject(&self) -> String {
        self.message.lines().next().unwrap_or_default().to_owned()
    }
}
