//! The rules of a branch (`repository-rule-detailed`).

use serde_json::{Map, Value, json};

use crate::world::{
    pull_request::Method,
    repository::Repository,
    rules::{MergeQueue, Rules},
};

/// Every rule of a branch's ruleset; classic protection is none.
pub(crate) fn of_branch(repository: &Repository, branch: &str) -> Vec<Value> {
    let Some(rules) = repository.rules.get(branch) else { return Vec::new() };
    let mut listed = Vec::new();
    if !rules.required_checks.is_empty() || rules.strict {
        listed.push(("required_status_checks", Some(checks(rules))));
    }
    if rules.require_pull_request || rules.required_approving_reviews > 0 || rules.allowed_merge_methods.is_some() {
        listed.push(("pull_request", Some(by_pull_request(rules))));
    }
    if rules.required_signatures {
        listed.push(("required_signatures", None));
    }
    if let Some(queue) = &rules.merge_queue {
        listed.push(("merge_queue", Some(merge_queue(queue))));
    }
    listed.into_iter().map(|(kind, parameters)| rule(repository, kind, parameters)).collect()
}

fn rule(repository: &Repository, kind: &str, parameters: Option<Value>) -> Value {
    let mut rule = Map::new();
    rule.insert("type".to_owned(), json!(kind));
    if let Some(parameters) = parameters {
        rule.insert("parameters".to_owned(), parameters);
    }
    rule.insert("ruleset_source_type".to_owned(), json!("Repository"));
    rule.insert("ruleset_source".to_owned(), json!(repository.key.to_string()));
    rule.insert("ruleset_id".to_owned(), json!(repository.id));
    Value::Object(rule)
}

fn checks(rules: &Rules) -> Value {
    let listed = rules.required_checks.iter().map(|context| json!({ "context": context }));
    json!({
        "do_not_enforce_on_create": false,
        "required_status_checks": listed.collect::<Vec<_>>(),
        "strict_required_status_checks_policy": rules.strict,
    })
}

fn by_pull_request(rules: &Rules) -> Value {
    let all = [Method::Merge, Method::Squash, Method::Rebase];
    let methods = rules.allowed_merge_methods.as_deref().unwrap_or(&all);
    json!({
        "allowed_merge_methods": methods,
        "dismiss_stale_reviews_on_push": false,
        "require_code_owner_review": false,
        "require_last_push_approval": false,
        "required_approving_review_count": rules.required_approving_reviews,
        "required_review_thread_resolution": false,
    })
}

fn merge_queue(queue: &MergeQueue) -> Value {
    json!({
        "check_response_timeout_minutes": 60,
        "grouping_strategy": "ALLGREEN",
        "max_entries_to_build": 1,
        "max_entries_to_merge": 1,
        "merge_method": queue.method.as_str().to_ascii_uppercase(),
        "min_entries_to_merge": 1,
        "min_entries_to_merge_wait_minutes": 0,
    })
}
