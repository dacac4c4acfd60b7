//! What the base of a pull request requires, and how far it is fulfilled.
//!
//! Everything here may be absent: to see checks takes permissions of their own, and rules are shown where they exist.

use std::collections::BTreeSet;

use domain::{
    commit::Commit,
    forge::{CheckStanding, RequiredCheck, Requirements},
};
use serde::Deserialize;

/// What is asked of a pull request that something is waited for; for use as `...Gates`, where `$number` is the number
/// of the pull request.
///
/// Checks that have said nothing of a commit are in none of its contexts, so that the rules are asked too: classic
/// protection (`refUpdateRule`, what those see who do not administer it) and rulesets (`rules`).
pub(crate) const GATES: &str = " fragment Gates on PullRequest { \
     reviewDecision latestOpinionatedReviews(first: 100, writersOnly: true) { nodes { state } } \
     baseRef { ...Base } \
     commits(last: 1) { nodes { commit { oid signature { isValid } statusCheckRollup { state contexts(first: 100) { nodes { __typename \
     ... on CheckRun { name status conclusion isRequired(pullRequestNumber: $number) } \
     ... on StatusContext { context state isRequired(pullRequestNumber: $number) } } } } } } } }";

/// What is asked of a branch that pull requests are merged into; for use as `...Base`, as `...Gates` does.
pub(crate) const BASE: &str = " fragment Base on Ref { target { oid } \
     refUpdateRule { requiredApprovingReviewCount requiredStatusCheckContexts requiresSignatures } \
     rules(first: 100) { nodes { type parameters { __typename \
     ... on RequiredStatusChecksParameters { requiredStatusChecks { context } } \
     ... on PullRequestParameters { requiredApprovingReviewCount } } } } }";

/// What a base requires of a pull request, with what is there.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Gates {
    review_decision: Option<String>,
    latest_opinionated_reviews: Option<Nodes<Review>>,
    base_ref: Option<BaseRef>,
    commits: Nodes<OfPullRequest>,
}

/// What all check runs and statuses of a commit add up to, whether they are required or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checks {
    /// It has none (yet).
    Absent,
    /// All are good.
    Passed,
    /// One failed or is running.
    Unfinished,
}

#[derive(Clone, Debug, Deserialize)]
struct Nodes<T> {
    nodes: Vec<Option<T>>,
}

impl<T> Default for Nodes<T> {
    fn default() -> Self {
        Self { nodes: Vec::new() }
    }
}

impl<T> Nodes<T> {
    fn iter(&self) -> impl Iterator<Item = &T> {
        self.nodes.iter().flatten()
    }
}

#[derive(Clone, Debug, Deserialize)]
struct Review {
    state: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BaseRef {
    target: Option<Tip>,
    ref_update_rule: Option<UpdateRule>,
    rules: Option<Nodes<Rule>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Tip {
    oid: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateRule {
    required_approving_review_count: Option<u32>,
    required_status_check_contexts: Option<Vec<Option<String>>>,
    #[serde(default)]
    requires_signatures: bool,
}

#[derive(Clone, Debug, Deserialize)]
struct Rule {
    #[serde(default)]
    r#type: String,
    parameters: Option<Parameters>,
}

/// Of every kind of rule, the parts that we know.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Parameters {
    required_status_checks: Vec<Named>,
    required_approving_review_count: u32,
}

#[derive(Clone, Debug, Deserialize)]
struct Named {
    context: String,
}

#[derive(Clone, Debug, Deserialize)]
struct OfPullRequest {
    commit: WithChecks,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WithChecks {
    oid: String,
    signature: Option<Signature>,
    status_check_rollup: Option<Rollup>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signature {
    is_valid: bool,
}

#[derive(Clone, Debug, Deserialize)]
struct Rollup {
    state: String,
    #[serde(default)]
    contexts: Nodes<Context>,
}

/// A check run or a commit status.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    #[serde(alias = "context")]
    name: String,
    status: Option<String>,
    conclusion: Option<String>,
    state: Option<String>,
    #[serde(default)]
    is_required: bool,
}

impl BaseRef {
    /// The names of the checks that it requires, as far as they are shown.
    pub(crate) fn required_checks(&self) -> impl Iterator<Item = &str> {
        let classic = self.ref_update_rule.as_ref().and_then(|rule| rule.required_status_check_contexts.as_deref());
        let classic = classic.unwrap_or_default().iter().flatten().map(String::as_str);
        let ruled = self.rules().flat_map(|rule| &rule.required_status_checks).map(|named| named.context.as_str());
        classic.chain(ruled)
    }

    fn requires_signatures(&self) -> bool {
        let mut rules = self.rules.iter().flat_map(Nodes::iter);
        self.ref_update_rule.as_ref().is_some_and(|rule| rule.requires_signatures)
            || rules.any(|rule| rule.r#type == "REQUIRED_SIGNATURES")
    }

    fn rules(&self) -> impl Iterator<Item = &Parameters> {
        self.rules.iter().flat_map(Nodes::iter).filter_map(|rule| rule.parameters.as_ref())
    }
}

impl Gates {
    /// The commit at the tip of the base.
    pub(crate) fn tip(&self) -> Option<Commit> {
        self.base_ref.as_ref()?.target.as_ref()?.oid.parse().ok()
    }

    /// The checks of the head. GitHub has no rollup for a commit without any
    /// (<https://docs.github.com/en/graphql/reference/objects#commit>).
    pub(crate) fn checks(&self, head: &str) -> Checks {
        match self.rollup(head).map(|rollup| rollup.state.as_str()) {
            None => Checks::Absent,
            Some("SUCCESS") => Checks::Passed,
            Some(_) => Checks::Unfinished,
        }
    }

    /// Whether the base is known to require a check or a review, so that "nothing is missing" says something.
    pub(crate) fn require_something(&self, head: &str) -> bool {
        !self.required_checks(head).is_empty() || self.required_approvals() > 0
    }

    /// What the base requires and the head does not have.
    pub(crate) fn missing(&self, head: &str) -> Requirements {
        let missing = self.required_checks(head).into_iter().filter_map(|name| {
            let standing = self.standing(head, name)?;
            Some(RequiredCheck { name: name.to_owned(), standing })
        });
        Requirements {
            checks: missing.collect(),
            approvals: self.missing_approvals(),
            signature: self.lacks_signature(head),
            changes_requested: self.review_decision.as_deref() == Some("CHANGES_REQUESTED"),
        }
    }

    fn commit(&self, head: &str) -> Option<&WithChecks> {
        self.commits.iter().map(|node| &node.commit).find(|commit| commit.oid == head)
    }

    fn rollup(&self, head: &str) -> Option<&Rollup> {
        self.commit(head)?.status_check_rollup.as_ref()
    }

    fn lacks_signature(&self, head: &str) -> bool {
        let is_signed = |commit: &WithChecks| commit.signature.as_ref().is_some_and(|signature| signature.is_valid);
        let is_required = self.base_ref.as_ref().is_some_and(BaseRef::requires_signatures);
        is_required && self.commit(head).is_some_and(|commit| !is_signed(commit))
    }

    fn contexts(&self, head: &str) -> impl Iterator<Item = &Context> {
        self.rollup(head).into_iter().flat_map(|rollup| rollup.contexts.iter())
    }

    fn rules(&self) -> impl Iterator<Item = &Parameters> {
        self.base_ref.iter().flat_map(BaseRef::rules)
    }

    /// The names of the checks that the base requires, as far as they are shown.
    pub(crate) fn required_checks(&self, head: &str) -> BTreeSet<&str> {
        let known = self.base_ref.iter().flat_map(BaseRef::required_checks);
        let reported = self.contexts(head).filter(|context| context.is_required).map(|context| context.name.as_str());
        known.chain(reported).collect()
    }

    fn required_approvals(&self) -> u32 {
        let classic = self.base_ref.as_ref().and_then(|base| base.ref_update_rule.as_ref());
        let classic = classic.and_then(|rule| rule.required_approving_review_count).unwrap_or(0);
        self.rules().map(|rule| rule.required_approving_review_count).fold(classic, u32::max)
    }

    fn missing_approvals(&self) -> u32 {
        if self.review_decision.as_deref() != Some("REVIEW_REQUIRED") {
            return 0;
        }
        let reviews = self.latest_opinionated_reviews.as_ref();
        let approvals = reviews.into_iter().flat_map(Nodes::iter).filter(|review| review.state == "APPROVED").count();
        // Where the counts do not explain it, as with code owners, one more is asked for.
        self.required_approvals().saturating_sub(u32::try_from(approvals).unwrap_or(u32::MAX)).max(1)
    }

    /// What a check says that has not passed; `None` when it has. The worst of several of that name counts.
    fn standing(&self, head: &str, name: &str) -> Option<CheckStanding> {
        let mut standings = self.contexts(head).filter(|context| context.name == name).map(Context::standing);
        let Some(first) = standings.next() else { return Some(CheckStanding::Absent) };
        let weight = |standing: &Option<CheckStanding>| match standing {
            None => 0,
            Some(CheckStanding::Absent | CheckStanding::Running) => 1,
            Some(CheckStanding::Failed) => 2,
        };
        standings.chain([first]).max_by_key(weight).flatten()
    }
}

impl Context {
    /// What it says; `None` when it has passed. Words that we do not know stand in the way.
    fn standing(&self) -> Option<CheckStanding> {
        match (self.state.as_deref(), self.status.as_deref(), self.conclusion.as_deref()) {
            (Some("SUCCESS"), _, _) | (None, Some("COMPLETED"), Some("SUCCESS" | "NEUTRAL" | "SKIPPED")) => None,
            (Some("PENDING"), _, _) => Some(CheckStanding::Running),
            (Some("EXPECTED"), _, _) => Some(CheckStanding::Absent),
            (Some(_), _, _) | (None, Some("COMPLETED"), _) => Some(CheckStanding::Failed),
            (None, _, _) => Some(CheckStanding::Running),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const HEAD: &str = "2222222222222222222222222222222222222222";

    fn gates(contexts: &Value, decision: &Value) -> Gates {
        let rules = json!([
            { "parameters": { "__typename": "RequiredStatusChecksParameters",
                "requiredStatusChecks": [{ "context": "lint" }] } },
            { "parameters": { "__typename": "PullRequestParameters", "requiredApprovingReviewCount": 2 } },
            { "parameters": { "__typename": "MergeQueueParameters" } },
            { "parameters": null },
        ]);
        serde_json::from_value(json!({
            "reviewDecision": decision,
            "latestOpinionatedReviews": { "nodes": [{ "state": "APPROVED" }, { "state": "DISMISSED" }, null] },
            "baseRef": {
                "refUpdateRule": { "requiredApprovingReviewCount": 1, "requiredStatusCheckContexts": ["ci", null] },
                "rules": { "nodes": rules },
            },
            "commits": { "nodes": [{ "commit": { "oid": HEAD, "statusCheckRollup": {
                "state": "PENDING", "contexts": { "nodes": contexts } } } }] },
        }))
        .unwrap()
    }

    fn run(name: &str, status: &str, conclusion: &Value) -> Value {
        json!({ "__typename": "CheckRun", "name": name, "status": status, "conclusion": conclusion, "isRequired": true })
    }

    fn status(context: &str, state: &str) -> Value {
        json!({ "__typename": "StatusContext", "context": context, "state": state, "isRequired": false })
    }

    #[test]
    fn what_is_missing_is_known_from_rules_of_both_kinds_and_from_what_checks_say() {
        let gates = gates(&json!([run("e2e", "IN_PROGRESS", &Value::Null)]), &json!("REVIEW_REQUIRED"));
        let said = "check `ci` (not reported yet), check `e2e`, check `lint` (not reported yet) and 1 approving review";
        assert_eq!(gates.missing(HEAD).to_string(), said);
        assert!(gates.require_something(HEAD));
    }

    #[test]
    fn a_check_passes_when_every_one_of_its_name_does() {
        for (contexts, expected) in [
            (json!([run("ci", "COMPLETED", &json!("SUCCESS"))]), None),
            (json!([run("ci", "COMPLETED", &json!("SKIPPED")), status("ci", "SUCCESS")]), None),
            (json!([run("ci", "COMPLETED", &json!("SUCCESS")), status("ci", "PENDING")]), Some(CheckStanding::Running)),
            (
                json!([run("ci", "COMPLETED", &json!("TIMED_OUT")), status("ci", "PENDING")]),
                Some(CheckStanding::Failed),
            ),
            (json!([run("ci", "WAITING", &Value::Null)]), Some(CheckStanding::Running)),
            (json!([run("ci", "COMPLETED", &json!("A_NEW_WORD"))]), Some(CheckStanding::Failed)),
            (json!([status("ci", "EXPECTED")]), Some(CheckStanding::Absent)),
            (json!([status("ci", "ERROR")]), Some(CheckStanding::Failed)),
            (json!([null]), Some(CheckStanding::Absent)),
        ] {
            assert_eq!(gates(&contexts, &Value::Null).standing(HEAD, "ci"), expected, "{contexts}");
        }
    }

    #[test]
    fn what_may_not_be_seen_is_not_made_up() {
        let nothing: Gates = serde_json::from_value(json!({})).unwrap();
        assert!(nothing.missing(HEAD).is_empty() && !nothing.require_something(HEAD));
        assert_eq!(nothing.checks(HEAD), Checks::Absent);
        let of_another = gates(&json!([status("ci", "SUCCESS")]), &Value::Null);
        assert_eq!(of_another.checks(&"9".repeat(40)), Checks::Absent);
    }

    #[test]
    fn reviews_are_missing_as_long_as_the_forge_says_so() {
        let missing = |decision: Value| gates(&json!([]), &decision).missing(HEAD);
        assert_eq!(missing(json!("APPROVED")).approvals, 0);
        assert_eq!(missing(Value::Null).approvals, 0);
        assert!(missing(json!("CHANGES_REQUESTED")).changes_requested);
    }
}
