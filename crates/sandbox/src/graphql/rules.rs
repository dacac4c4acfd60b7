//! The rules of a branch: classic protection as `refUpdateRule`, the ruleset as `rules`.

use serde_json::{Map, Value, json};

use super::{execute::Resolved, node::Node};
use crate::{
    merging,
    world::{
        pull_request::Method,
        repository::Repository,
        rules::{MergeQueue, Rules},
    },
};

type Fields = Vec<(&'static str, Resolved)>;

/// The classic protection of a branch, as those see it who do not administer it.
pub(super) fn update_rule(repository: &Repository, branch: &str, login: &str) -> Option<Node> {
    let protection = repository.protections.get(branch)?;
    let leaf = |value: Value| Resolved::Leaf(value);
    Some(Node::Plain(
        "RefUpdateRule",
        vec![
            ("pattern", leaf(json!(branch))),
            ("allowsDeletions", leaf(json!(protection.allow_deletions))),
            ("allowsForcePushes", leaf(json!(protection.allow_force_pushes))),
            ("requiredApprovingReviewCount", leaf(json!(protection.required_approving_reviews))),
            ("requiredStatusCheckContexts", leaf(json!(protection.required_checks))),
            ("requiresSignatures", leaf(json!(false))),
            ("viewerCanPush", leaf(json!(merging::may_push(repository, branch, login)))),
        ],
    ))
}

/// The rules of a branch's ruleset.
pub(super) fn of_branch(repository: &Repository, branch: &str, arguments: &Map<String, Value>) -> Node {
    let rules = repository.rules.get(branch);
    let nodes = rules.map_or_else(Vec::new, |rules| {
        let listed = listed(rules).into_iter();
        listed.map(|(kind, parameters)| rule(repository, branch, kind, parameters)).collect()
    });
    Node::connection("RepositoryRuleConnection", nodes, arguments)
}

fn listed(rules: &Rules) -> Vec<(&'static str, Option<Node>)> {
    let mut listed = Vec::new();
    if !rules.required_checks.is_empty() || rules.strict {
        listed.push(("REQUIRED_STATUS_CHECKS", Some(Node::Plain("RequiredStatusChecksParameters", checks(rules)))));
    }
    if rules.require_pull_request || rules.required_approving_reviews > 0 || rules.allowed_merge_methods.is_some() {
        listed.push(("PULL_REQUEST", Some(Node::Plain("PullRequestParameters", by_pull_request(rules)))));
    }
    if rules.required_signatures {
        listed.push(("REQUIRED_SIGNATURES", None));
    }
    if let Some(MergeQueue { method, .. }) = rules.merge_queue {
        let method = Resolved::Leaf(json!(method.as_str().to_ascii_uppercase()));
        listed.push(("MERGE_QUEUE", Some(Node::Plain("MergeQueueParameters", vec![("mergeMethod", method)]))));
    }
    listed
}

fn rule(repository: &Repository, branch: &str, kind: &str, parameters: Option<Node>) -> Node {
    Node::Plain(
        "RepositoryRule",
        vec![
            ("id", Resolved::Leaf(json!(format!("RRU_{}:{branch}:{kind}", repository.id)))),
            ("type", Resolved::Leaf(json!(kind))),
            ("parameters", Resolved::optional(parameters)),
        ],
    )
}

fn checks(rules: &Rules) -> Fields {
    let named = rules.required_checks.iter().map(|name| {
        let fields = vec![("context", Resolved::Leaf(json!(name))), ("integrationId", Resolved::NULL)];
        Node::Plain("StatusCheckConfiguration", fields)
    });
    vec![
        ("doNotEnforceOnCreate", Resolved::Leaf(json!(false))),
        ("requiredStatusChecks", Resolved::List(named.collect())),
        ("strictRequiredStatusChecksPolicy", Resolved::Leaf(json!(rules.strict))),
    ]
}

fn by_pull_request(rules: &Rules) -> Fields {
    let all = [Method::Merge, Method::Squash, Method::Rebase];
    let methods = rules.allowed_merge_methods.as_deref().unwrap_or(&all);
    vec![
        ("allowedMergeMethods", Resolved::Leaf(json!(methods))),
        ("requiredApprovingReviewCount", Resolved::Leaf(json!(rules.required_approving_reviews))),
    ]
}
