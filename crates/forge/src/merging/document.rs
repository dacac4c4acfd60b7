//! The documents of GraphQL that order a merge or take the order back, and what they are answered with.

use domain::forge::PullRequest;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    client::{self, Reply},
    pull_request::{VIEW, View},
};

/// A document with its variables.
#[derive(Debug)]
pub(super) struct Document {
    text: String,
    variables: Value,
}

/// Which order is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Merge it once it may be merged.
    Enable,
    /// Put it into the merge queue.
    Enqueue,
}

/// What an order was answered with.
#[derive(Debug)]
pub(super) struct Answered {
    /// Why labels could not be added.
    pub(super) unlabelled: Option<String>,
    pub(super) outcome: Outcome,
}

/// What the forge says of an order.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is taken, and the pull request is so now.
    Shown(Box<View>),
    /// It is taken, and the pull request has a place in the queue.
    Placed,
    /// It is not taken, for this reason.
    Refused(String),
    /// Neither an error nor what it was to become.
    Nothing,
}

/// The fields of a document that orders something.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Data {
    enable_pull_request_auto_merge: Option<Enabled>,
    enqueue_pull_request: Option<Enqueued>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Enqueued {
    merge_queue_entry: Option<Entry>,
}

/// That it is there is all that counts.
#[derive(Deserialize)]
struct Entry {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Enabled {
    pull_request: Option<View>,
}

const LABEL: &str = "addLabelsToLabelable";

impl Order {
    const fn field(self) -> &'static str {
        match self {
            Self::Enable => "enablePullRequestAutoMerge",
            Self::Enqueue => "enqueuePullRequest",
        }
    }

    const fn input(self) -> &'static str {
        match self {
            Self::Enable => "EnablePullRequestAutoMergeInput",
            Self::Enqueue => "EnqueuePullRequestInput",
        }
    }
}

/// An order, after the labels with these handles: GitHub carries out the fields of a mutation one after another, and
/// goes on after one that fails.
pub(super) fn order(
    pull_request: &PullRequest,
    order: &super::Order<'_>,
    (kind, labels): (Order, &[&str]),
) -> Document {
    let (declared, label) = if labels.is_empty() {
        (String::new(), String::new())
    } else {
        let declared = "$labels: AddLabelsToLabelableInput!, ".to_owned();
        (declared, format!("{LABEL}(input: $labels) {{ clientMutationId }} "))
    };
    let (field, input) = (kind.field(), kind.input());
    let (selection, fragment) = match kind {
        Order::Enable => ("pullRequest { ...View }", VIEW),
        Order::Enqueue => ("mergeQueueEntry { position }", ""),
    };
    let text = format!(
        "mutation Arm({declared}$input: {input}!) {{ {label}{field}(input: $input) {{ {selection} }} }}{fragment}"
    );
    let head = order.head.to_string();
    let input = match kind {
        Order::Enable => json!({
            "pullRequestId": pull_request.handle,
            "expectedHeadOid": head,
            "mergeMethod": order.method.as_str().to_uppercase(),
            "commitHeadline": order.headline,
            "commitBody": order.body,
        }),
        Order::Enqueue => json!({ "pullRequestId": pull_request.handle, "expectedHeadOid": head }),
    };
    let mut variables = json!({ "input": input });
    if let (false, Some(variables)) = (labels.is_empty(), variables.as_object_mut()) {
        variables.insert("labels".to_owned(), json!({ "labelableId": pull_request.handle, "labelIds": labels }));
    }
    Document { text, variables }
}

/// Takes the order to merge back.
pub(super) fn disable(pull_request: &PullRequest) -> Document {
    let text = "mutation Disarm($input: DisablePullRequestAutoMergeInput!) { \
                disablePullRequestAutoMerge(input: $input) { pullRequest { id } } }";
    Document { text: text.to_owned(), variables: json!({ "input": { "pullRequestId": pull_request.handle } }) }
}

/// Takes a pull request out of the merge queue.
pub(super) fn dequeue(pull_request: &PullRequest) -> Document {
    let text = "mutation Dequeue($input: DequeuePullRequestInput!) { \
                dequeuePullRequest(input: $input) { mergeQueueEntry { id } } }";
    Document { text: text.to_owned(), variables: json!({ "input": { "id": pull_request.handle } }) }
}

/// Sorts what an order was answered with: an error about the labels is none about the order, and one without a place is
/// about everything.
pub(super) fn answered(reply: Reply<Data>, order: Order) -> Answered {
    let (labels, others): (Vec<_>, Vec<_>) = reply.errors.into_iter().partition(|problem| problem.is_at(LABEL));
    let said = |problems: &[client::Problem]| {
        let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        (!messages.is_empty()).then(|| messages.join("; "))
    };
    let unlabelled = said(&labels).map(|why| format!("adding labels: {why}"));
    let outcome = match (said(&others), reply.data) {
        (Some(why), _) => Outcome::Refused(why),
        (None, Some(data)) => data.outcome(order),
        (None, None) => Outcome::Nothing,
    };
    Answered { unlabelled, outcome }
}

impl Data {
    fn outcome(self, order: Order) -> Outcome {
        match order {
            Order::Enable => {
                let shown = self.enable_pull_request_auto_merge.and_then(|enabled| enabled.pull_request);
                shown.map_or(Outcome::Nothing, |view| Outcome::Shown(Box::new(view)))
            }
            Order::Enqueue => {
                let placed = self.enqueue_pull_request.and_then(|enqueued| enqueued.merge_queue_entry);
                placed.map_or(Outcome::Nothing, |Entry {}| Outcome::Placed)
            }
        }
    }
}

impl Document {
    /// It as a request that does that.
    pub(super) fn with<'a>(&'a self, doing: &'a str) -> client::Document<'a> {
        client::Document { text: &self.text, variables: &self.variables, doing }
    }
}
