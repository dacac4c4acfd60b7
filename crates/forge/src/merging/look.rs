//! The look at a pull request: one query for everything that the next step and an order to merge depend on.

use std::fmt::Write as _;

use domain::{
    commit::Commit,
    forge::{Mergeability, Number, PullRequest, Repository},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    Error, Forge,
    client::{Document, Problem},
    pull_request::{BASE, Checks, GATES, Gates, VIEW, View, read},
};

/// A pull request as it was seen, with everything that an order to merge it depends on.
#[derive(Clone, Debug)]
pub struct Look {
    /// The pull request.
    pub pull_request: PullRequest,
    /// The commit at the tip of its base; `None` when the base is gone, or is not shown to us.
    pub tip: Option<Commit>,
    /// Its title.
    pub title: String,
    /// Its body; empty when it has none.
    pub body: String,
    /// The names of the checks that its base requires, sorted, as far as they are shown.
    pub required_checks: Vec<String>,
    /// Whether its branch is still there.
    pub has_branch: bool,
    pub(super) terms: Terms,
    pub(super) checks: Seen,
    pub(super) removals: Removals,
    /// The wanted labels that it does not have.
    pub(super) unlabelled: Vec<Label>,
    /// Whatever about it may change what the forge says to the next order.
    pub(super) fingerprint: String,
}

/// What the repository and the base have to say about merging.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// Whether the base is only changed through a merge queue.
    pub(super) has_queue: bool,
    /// Whether the repository lets pull requests merge themselves.
    pub(super) may_merge_itself: bool,
    /// Whether the base is known to require a check or a review.
    pub(super) is_gated: bool,
}

/// The checks of the head, if we may see them.
#[derive(Clone, Debug)]
pub(super) enum Seen {
    Checks(Checks),
    /// The forge's own words.
    Hidden(String),
}

/// How the queue has treated this head so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Removals {
    /// How often it was taken out by somebody else than us.
    pub(super) count: usize,
    /// Why the last time, in the forge's word.
    pub(super) last: Option<String>,
}

/// A label that is to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) name: String,
    /// The forge's key for it; `None` when the repository does not have it.
    pub(super) handle: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    repository: Option<Place>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    #[serde(default)]
    auto_merge_allowed: bool,
    pull_request: Option<Looked>,
    /// The wanted labels: `label0` and so on.
    #[serde(flatten)]
    labels: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Looked {
    #[serde(flatten)]
    view: View,
    #[serde(flatten)]
    gates: Gates,
    #[serde(default)]
    title: String,
    #[serde(default)]
    body: String,
    head_ref: Option<Branch>,
    #[serde(default)]
    updated_at: String,
    author: Option<Account>,
    #[serde(default)]
    labels: Option<Nodes<Named>>,
    #[serde(default)]
    timeline_items: Option<Nodes<Happening>>,
}

/// That it is there is all that counts.
#[derive(Deserialize)]
struct Branch {}

#[derive(Deserialize)]
struct Nodes<T> {
    nodes: Vec<Option<T>>,
}

#[derive(Deserialize)]
struct Account {
    login: String,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
#[serde(tag = "__typename")]
enum Happening {
    HeadRefForcePushedEvent {},
    RemovedFromMergeQueueEvent {
        reason: Option<String>,
        actor: Option<Account>,
    },
    #[serde(other)]
    Other,
}

impl Forge {
    /// A pull request as it is now, with which of these labels it does not have. One request.
    ///
    /// # Errors
    ///
    /// [`Error::NoPullRequest`], [`Error::NoRepository`], and what any request can end with.
    pub async fn look(&self, repository: &Repository, number: Number, labels: &[String]) -> Result<Look, Error> {
        let doing = format!("looking at pull request {repository}{number}");
        let mut variables = json!({ "owner": repository.owner(), "name": repository.name(), "number": number.0 });
        if let Some(variables) = variables.as_object_mut() {
            variables.extend(labels.iter().enumerate().map(|(place, name)| (format!("label{place}"), json!(name))));
        }
        let text = text(labels.len());
        let document = Document { text: &text, variables: &variables, doing: &doing };
        let reply = self.client().ask::<Data>(repository, document).await?;
        let hidden = reply.errors.iter().find(|problem| problem.is_forbidden()).cloned();
        let (message, is_missing) = (reply.message(), reply.is_not_found());
        match reply.data.and_then(|data| data.repository) {
            Some(Place { pull_request: Some(looked), auto_merge_allowed, labels: found }) => {
                let unlabelled = unlabelled(labels, &looked, &found);
                Ok(Look { unlabelled, ..looked.read(&doing, hidden, auto_merge_allowed)? })
            }
            Some(_) if is_missing || message.is_empty() => {
                Err(Error::NoPullRequest { repository: repository.clone(), number })
            }
            None if is_missing || message.is_empty() => Err(Error::NoRepository { repository: repository.clone() }),
            Some(_) | None => Err(Error::Refused { doing, message }),
        }
    }
}

/// The query, with a field for each wanted label.
fn text(labels: usize) -> String {
    let (mut variables, mut fields) = (String::new(), String::new());
    for place in 0..labels {
        // Writing to a text does not fail.
        let written = write!(variables, ", $label{place}: String!")
            .and_then(|()| write!(fields, " label{place}: label(name: $label{place}) {{ id }}"));
        debug_assert!(written.is_ok());
    }
    format!(
        "query Look($owner: String!, $name: String!, $number: Int!{variables}) {{ \
         repository(owner: $owner, name: $name) {{ autoMergeAllowed{fields} \
         pullRequest(number: $number) {{ ...View ...Gates title body headRef {{ id }} updatedAt author {{ login }} \
         labels(first: 100) {{ nodes {{ name }} }} \
         timelineItems(last: 50, itemTypes: [HEAD_REF_FORCE_PUSHED_EVENT, REMOVED_FROM_MERGE_QUEUE_EVENT]) {{ \
         nodes {{ __typename ... on RemovedFromMergeQueueEvent {{ reason actor {{ login }} }} }} }} }} }} }} \
         {VIEW}{GATES}{BASE}"
    )
}

impl Looked {
    fn read(&self, doing: &str, hidden: Option<Problem>, may_merge_itself: bool) -> Result<Look, Error> {
        let head = self.view.head();
        let shown = read(&self.view, doing)?;
        let pull_request = PullRequest { missing: self.gates.missing(head), ..shown };
        let checks = match (self.gates.checks(head), hidden) {
            // A hole where the checks are would look like none.
            (Checks::Absent, Some(problem)) => Seen::Hidden(problem.message),
            (checks, _) => Seen::Checks(checks),
        };
        let PullRequest { base, mergeability, auto_merge, .. } = &pull_request;
        let fingerprint = format!(
            "{head} {base} {mergeability:?} {auto_merge:?} {checks:?} {} {:?}",
            self.updated_at, pull_request.missing
        );
        Ok(Look {
            terms: Terms {
                has_queue: self.view.has_queue(),
                may_merge_itself,
                is_gated: self.gates.require_something(head),
            },
            checks,
            removals: self.removals(),
            unlabelled: Vec::new(),
            fingerprint,
            tip: self.gates.tip(),
            title: self.title.clone(),
            body: self.body.clone(),
            required_checks: self.gates.required_checks(head).into_iter().map(str::to_owned).collect(),
            has_branch: self.head_ref.is_some(),
            pull_request,
        })
    }

    /// What became of it in the queue since its branch was last made anew. Our own way of taking it out does not count;
    /// who opened it is us.
    fn removals(&self) -> Removals {
        let author = self.author.as_ref().map(|author| author.login.as_str());
        let mut removals = Removals::default();
        for happening in self.timeline_items.iter().flat_map(|items| items.nodes.iter().flatten()) {
            match happening {
                Happening::HeadRefForcePushedEvent {} => removals = Removals::default(),
                Happening::RemovedFromMergeQueueEvent { reason, actor } => {
                    let by = actor.as_ref().map(|actor| actor.login.as_str());
                    if by.is_none() || by != author {
                        removals.count += 1;
                        removals.last.clone_from(reason);
                    }
                }
                Happening::Other => {}
            }
        }
        removals
    }
}

fn unlabelled(wanted: &[String], looked: &Looked, found: &Map<String, Value>) -> Vec<Label> {
    let has = |name: &str| {
        let mut names = looked.labels.iter().flat_map(|labels| labels.nodes.iter().flatten());
        names.any(|label| label.name.eq_ignore_ascii_case(name))
    };
    let missing = wanted.iter().enumerate().filter(|(_, name)| !has(name));
    let label = |(place, name): (usize, &String)| {
        let handle = found.get(&format!("label{place}")).and_then(|label| label.get("id")?.as_str());
        Label { name: name.clone(), handle: handle.map(str::to_owned) }
    };
    missing.map(label).collect()
}

impl Look {
    /// Whether nothing stands in the way of a merge.
    pub(super) fn is_clean(&self) -> bool {
        self.pull_request.mergeability == Mergeability::Clean
    }
}
