//! What a repository and its base branch allow and require, for whoever sets them up.

use std::collections::BTreeSet;

use domain::forge::{Branch, MergeMethod, Repository};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    Error, Forge,
    api::Request,
    client::Document,
    pull_request::{BASE, BaseRef},
};

/// What a repository and one of its branches allow and require, as far as we are shown it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ground {
    /// Whether nobody may change anything.
    pub is_archived: bool,
    /// Whether pull requests may be ordered to merge themselves; `None` when we are not shown.
    pub auto_merge: Option<bool>,
    /// How pull requests may be merged; empty when we are not shown.
    pub methods: Vec<MergeMethod>,
    /// Whether the branch is protected or has rules at all.
    pub is_protected: bool,
    /// The checks that a pull request needs, sorted.
    pub checks: Vec<String>,
    /// How many people must approve one.
    pub approvals: u64,
    /// What the branch demands besides, without repetitions.
    pub demands: BTreeSet<Demand>,
}

/// What a branch demands of a pull request, besides checks and reviews.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Demand {
    /// It contains the tip of the branch.
    Tip,
    /// It is merged by a queue.
    Queue,
    /// Its commits are signed.
    Signatures,
}

#[derive(Deserialize)]
struct RepositoryShown {
    #[serde(default)]
    archived: bool,
    allow_auto_merge: Option<bool>,
    allow_merge_commit: Option<bool>,
    allow_squash_merge: Option<bool>,
    allow_rebase_merge: Option<bool>,
}

#[derive(Deserialize)]
struct BranchShown {
    protected: bool,
    #[serde(default)]
    protection: Option<Protection>,
}

#[derive(Deserialize)]
struct Protection {
    #[serde(default)]
    required_status_checks: Option<RequiredChecks>,
}

#[derive(Deserialize)]
struct RequiredChecks {
    #[serde(default)]
    contexts: Vec<String>,
}

#[derive(Deserialize)]
struct Rule {
    r#type: String,
    #[serde(default)]
    parameters: Value,
}

const REQUIRED: &str = "query Required($owner: String!, $name: String!, $branch: String!) { \
     repository(owner: $owner, name: $name) { ref(qualifiedName: $branch) { ...Base } } } ";

#[derive(Deserialize)]
struct Required {
    repository: Option<Referring>,
}

#[derive(Deserialize)]
struct Referring {
    r#ref: Option<BaseRef>,
}

impl Forge {
    /// The names of the checks that a branch requires of pull requests into it, sorted, as far as they are shown: without
    /// permission, and where there is no such branch, there are none. One request.
    ///
    /// # Errors
    ///
    /// What any request can end with.
    pub async fn required_checks(&self, repository: &Repository, branch: &Branch) -> Result<Vec<String>, Error> {
        let doing = format!("looking at what {branch} of {repository} requires");
        let variables = json!({ "owner": repository.owner(), "name": repository.name(), "branch": branch.reference() });
        let document = Document { text: &[REQUIRED, BASE].concat(), variables: &variables, doing: &doing };
        let reply = self.client().ask::<Required>(repository, document).await?;
        let base = reply.data.and_then(|data| data.repository?.r#ref);
        let names: BTreeSet<&str> = base.iter().flat_map(BaseRef::required_checks).collect();
        Ok(names.into_iter().map(str::to_owned).collect())
    }

    /// What a repository and one of its branches allow and require. Three requests.
    ///
    /// Classic protection shows its required checks and no more to whoever does not administer the repository
    /// (<https://docs.github.com/en/rest/branches/branches#get-a-branch>); rulesets show everything
    /// (<https://docs.github.com/en/rest/repos/rules#get-rules-for-a-branch>).
    ///
    /// # Errors
    ///
    /// [`Error::NoRepository`], [`Error::NoBranch`], and what any request can end with.
    pub async fn ground(&self, repository: &Repository, branch: &Branch) -> Result<Ground, Error> {
        let gone = || Error::NoRepository { repository: repository.clone() };
        let shown: RepositoryShown = self.shown(repository, String::new()).await?.ok_or_else(gone)?;
        let name = encoded(branch.as_str());
        let no_branch = || Error::NoBranch { repository: repository.clone(), branch: branch.clone() };
        let tip: BranchShown = self.shown(repository, format!("/branches/{name}")).await?.ok_or_else(no_branch)?;
        // A forge that is too old for rulesets has none.
        let rules: Vec<Rule> = self.shown(repository, format!("/rules/branches/{name}")).await?.unwrap_or_default();
        let mut ground = Ground {
            is_archived: shown.archived,
            auto_merge: shown.allow_auto_merge,
            methods: shown.methods(),
            is_protected: tip.protected || !rules.is_empty(),
            ..Ground::default()
        };
        let classic = tip.protection.and_then(|protection| protection.required_status_checks);
        ground.checks = classic.map(|checks| checks.contexts).unwrap_or_default();
        for rule in &rules {
            ground.add(rule);
        }
        ground.checks.sort();
        ground.checks.dedup();
        Ok(ground)
    }

    /// The answer at an address below the repository; `None` where there is nothing.
    async fn shown<T: DeserializeOwned>(&self, repository: &Repository, below: String) -> Result<Option<T>, Error> {
        let doing = format!("looking at what {repository} allows and requires");
        let request = Request::get(format!("/repos/{repository}{below}"), doing);
        let answer = self.client().send(repository, &request).await?;
        match answer.status {
            200 => answer.read(&request).map(Some),
            404 => Ok(None),
            _ => Err(request.refused(answer.message())),
        }
    }
}

impl RepositoryShown {
    fn methods(&self) -> Vec<MergeMethod> {
        [
            (self.allow_merge_commit, MergeMethod::Merge),
            (self.allow_squash_merge, MergeMethod::Squash),
            (self.allow_rebase_merge, MergeMethod::Rebase),
        ]
        .into_iter()
        .filter_map(|(allowed, method)| (allowed == Some(true)).then_some(method))
        .collect()
    }
}

impl Ground {
    fn add(&mut self, rule: &Rule) {
        let parameter = |name: &str| rule.parameters.get(name);
        match rule.r#type.as_str() {
            "required_status_checks" => {
                let checks = parameter("required_status_checks").and_then(Value::as_array).into_iter().flatten();
                let named = checks.filter_map(|check| check.get("context").and_then(Value::as_str));
                self.checks.extend(named.map(str::to_owned));
                if parameter("strict_required_status_checks_policy") == Some(&Value::Bool(true)) {
                    self.demands.insert(Demand::Tip);
                }
            }
            "pull_request" => {
                let count = parameter("required_approving_review_count").and_then(Value::as_u64).unwrap_or_default();
                self.approvals = self.approvals.max(count);
            }
            "merge_queue" => {
                self.demands.insert(Demand::Queue);
            }
            "required_signatures" => {
                self.demands.insert(Demand::Signatures);
            }
            _ => {}
        }
    }
}

/// A branch's name in an address: what would end the path is written in another way.
fn encoded(branch: &str) -> String {
    branch.replace('%', "%25").replace('#', "%23").replace('?', "%3F")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_add_up() {
        let mut ground = Ground::default();
        for rule in [
            json!({ "type": "required_status_checks", "parameters": {
                "strict_required_status_checks_policy": true,
                "required_status_checks": [{ "context": "validate", "integration_id": 1 }, { "context": "lint" }],
            }}),
            json!({ "type": "pull_request", "parameters": { "required_approving_review_count": 2 } }),
            json!({ "type": "merge_queue", "parameters": {} }),
            json!({ "type": "required_signatures" }),
            json!({ "type": "a_new_rule" }),
        ] {
            ground.add(&serde_json::from_value(rule).unwrap());
        }
        let expected = Ground {
            checks: vec!["validate".to_owned(), "lint".to_owned()],
            approvals: 2,
            demands: [Demand::Tip, Demand::Queue, Demand::Signatures].into(),
            ..Ground::default()
        };
        assert_eq!(ground, expected);
    }

    #[test]
    fn a_branch_does_not_end_the_address() {
        assert_eq!(encoded("release/1.x#2?3%4"), "release/1.x%232%3F3%254");
    }
}
