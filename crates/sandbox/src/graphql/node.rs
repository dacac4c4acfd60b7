//! Objects and their fields, apart from pull requests.

use serde_json::{Map, Value, json};

use super::{
    Problem, checks,
    execute::{Execution, Resolved},
    queue, rules, schema,
};
use crate::{
    git::{Kind, Oid},
    render,
    world::{
        app::Access,
        pull_request::PullRequest,
        repository::{Key, Repository},
    },
};

/// An object.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// `Query` or `Mutation`.
    Root(&'static str),
    Repository(Key),
    PullRequest(Key, u64),
    /// A branch.
    Reference(Key, String),
    Commit(Key, Oid),
    /// A tree or a file.
    Content(Key, Oid, Kind),
    /// All checks of a commit.
    Rollup(Key, Oid),
    /// A check run by its number.
    CheckRun(Key, u64),
    /// A commit status by its number.
    Status(Key, u64),
    /// An object whose fields are all known: connections, payloads, accounts.
    Plain(&'static str, Vec<(&'static str, Resolved)>),
}

type Arguments = Map<String, Value>;

/// What a cursor begins with, before the place in the list.
const CURSOR: &str = "cursor:";

impl Node {
    /// The name of its type.
    pub(super) const fn type_name(&self) -> &'static str {
        match self {
            Self::Root(name) | Self::Plain(name, _) => name,
            Self::Repository(_) => "Repository",
            Self::PullRequest(..) => "PullRequest",
            Self::Reference(..) => "Ref",
            Self::Commit(..) | Self::Content(_, _, Kind::Commit) => "Commit",
            Self::Content(_, _, Kind::Tree) => "Tree",
            Self::Content(_, _, Kind::Blob) => "Blob",
            Self::Rollup(..) => "StatusCheckRollup",
            Self::CheckRun(..) => "CheckRun",
            Self::Status(..) => "StatusContext",
        }
    }

    /// Whether it is of a type, or of an interface's.
    pub(super) fn is(&self, name: &str) -> bool {
        let members = &schema::schema().members;
        self.type_name() == name || members.get(name).is_some_and(|it| it.contains(self.type_name()))
    }

    /// An account.
    pub(super) fn account(login: &str) -> Self {
        let id = render::user::id(login);
        Self::Plain(
            "User",
            vec![
                ("id", Resolved::Leaf(json!(render::node_id("U", id)))),
                ("login", Resolved::Leaf(json!(login))),
                ("databaseId", Resolved::Leaf(json!(id))),
            ],
        )
    }

    /// A label.
    pub(super) fn label(name: &str) -> Self {
        let id = Resolved::Leaf(json!(format!("LA_{}", hex::encode(name))));
        Self::Plain("Label", vec![("id", id), ("name", Resolved::Leaf(json!(name)))])
    }

    /// Of a list what follows `after`, as far as `first` or `last` allow.
    pub(super) fn connection(name: &'static str, nodes: Vec<Self>, arguments: &Arguments) -> Self {
        let total = nodes.len();
        let asked = |name: &str| arguments.get(name).and_then(Value::as_u64).and_then(|it| usize::try_from(it).ok());
        let after: Option<usize> = text(arguments, "after").strip_prefix(CURSOR).and_then(|place| place.parse().ok());
        let after = after.unwrap_or(0);
        let first = asked("first").unwrap_or(total);
        let last = asked("last").unwrap_or(total);
        let end = after.saturating_add(first).min(total);
        let kept: Vec<_> = nodes.into_iter().take(end).skip(after).collect();
        let kept: Vec<_> = kept.iter().skip(kept.len().saturating_sub(last)).cloned().collect();
        let leaf = |value: Value| Resolved::Leaf(value);
        let page = Self::Plain(
            "PageInfo",
            vec![
                ("hasNextPage", leaf(json!(end < total))),
                ("hasPreviousPage", leaf(json!(last < total))),
                ("startCursor", Resolved::NULL),
                ("endCursor", leaf(json!(format!("{CURSOR}{end}")))),
            ],
        );
        Self::Plain(
            name,
            vec![
                ("nodes", Resolved::List(kept)),
                ("totalCount", leaf(json!(total))),
                ("pageInfo", Resolved::Object(page)),
            ],
        )
    }
}

impl Execution<'_> {
    /// What a field of an object is.
    pub(super) fn resolve(&mut self, node: &Node, name: &str, arguments: &Arguments) -> Result<Resolved, Problem> {
        match node {
            Node::Root("Mutation") => self.mutate(name, arguments),
            Node::Root(_) => self.query(name, arguments),
            Node::Repository(key) => self.repository(key, name, arguments),
            Node::PullRequest(key, number) => self.pull_request(key, *number, name, arguments),
            Node::Reference(key, branch) => self.reference(key, branch, name, arguments),
            Node::Commit(key, oid) => self.commit(key, oid, name, arguments),
            Node::Content(key, oid, _) => self.content_field(key, oid, name),
            Node::Rollup(key, oid) => self.rollup(key, oid, name, arguments),
            Node::CheckRun(key, id) => self.check_run(key, *id, name, arguments),
            Node::Status(key, id) => self.status(key, *id, name, arguments),
            Node::Plain(_, fields) => {
                let found = fields.iter().find(|(known, _)| *known == name);
                Ok(found.map_or(Resolved::NULL, |(_, resolved)| resolved.clone()))
            }
        }
    }

    fn query(&self, name: &str, arguments: &Arguments) -> Result<Resolved, Problem> {
        match name {
            "repository" => {
                let full = format!("{}/{}", text(arguments, "owner"), text(arguments, "name"));
                let key: Option<Key> = full.parse().ok();
                let found = key.and_then(|key| self.permitted(&key, "metadata", Access::Read).ok());
                let missing = format!("Could not resolve to a Repository with the name '{full}'.");
                let found = found.ok_or_else(|| Problem::typed("NOT_FOUND", missing))?;
                Ok(Resolved::Object(Node::Repository(found.key.clone())))
            }
            "node" => self.node(text(arguments, "id")).map(Resolved::Object),
            "viewer" => Ok(Resolved::Object(Node::account(&self.actor()))),
            _ => {
                let limit = crate::traffic::HOURLY_LIMIT;
                let reset = crate::traffic::reset_after(self.world.now());
                let reset = chrono::DateTime::from_timestamp(reset, 0).map(render::time);
                let leaf = |value: Value| Resolved::Leaf(value);
                Ok(Resolved::Object(Node::Plain(
                    "RateLimit",
                    vec![
                        ("limit", leaf(json!(limit))),
                        ("cost", leaf(json!(1))),
                        ("remaining", leaf(json!(limit))),
                        ("used", leaf(json!(0))),
                        ("resetAt", leaf(json!(reset))),
                    ],
                )))
            }
        }
    }

    /// The object with a global identifier.
    pub(super) fn node(&self, id: &str) -> Result<Node, Problem> {
        let missing =
            || Problem::typed("NOT_FOUND", format!("Could not resolve to a node with the global id of '{id}'"));
        let visible = self
            .world
            .repositories
            .values()
            .filter(|repository| self.permitted(&repository.key, "metadata", Access::Read).is_ok());
        let mut visible = visible;
        if let Some(id) = render::id_of_node("R", id) {
            let found = visible.find(|repository| repository.id == id);
            return found.map(|it| Node::Repository(it.key.clone())).ok_or_else(missing);
        }
        let id = render::id_of_node("PR", id).ok_or_else(missing)?;
        let number =
            |repository: &Repository| repository.pull_requests.values().find(|it| it.id == id).map(|it| it.number);
        let found = visible.find_map(|it| Some(Node::PullRequest(it.key.clone(), number(it)?)));
        found.ok_or_else(missing)
    }

    fn repository(&self, key: &Key, name: &str, arguments: &Arguments) -> Result<Resolved, Problem> {
        let repository = self.world.repository(key)?;
        let settings = &repository.settings;
        let value = match name {
            "id" => json!(render::node_id("R", repository.id)),
            "databaseId" => json!(repository.id),
            "name" => json!(key.name()),
            "nameWithOwner" => json!(repository.key.to_string()),
            "url" => json!(format!("{}/{}", self.world.url, repository.key)),
            "isPrivate" => json!(settings.private),
            "isArchived" => json!(false),
            "viewerPermission" => json!("WRITE"),
            "autoMergeAllowed" => json!(settings.allow_auto_merge),
            "squashMergeAllowed" => json!(settings.allow_squash_merge),
            "mergeCommitAllowed" => json!(settings.allow_merge_commit),
            "rebaseMergeAllowed" => json!(settings.allow_rebase_merge),
            "deleteBranchOnMerge" => json!(settings.delete_branch_on_merge),
            "refs" => return self.references(key, arguments),
            "label" => {
                let found = repository.label(text(arguments, "name"));
                return Ok(Resolved::optional(found.map(Node::label)));
            }
            "mergeQueue" => {
                let branch = arguments.get("branch").and_then(Value::as_str).unwrap_or(&repository.default_branch);
                return Ok(Resolved::optional(queue::of_branch(self.world, repository, branch)));
            }
            "pullRequest" | "pullRequests" => return self.pull_requests(key, name, arguments),
            _ => return self.content(key, name, arguments),
        };
        Ok(Resolved::Leaf(value))
    }

    fn pull_requests(&self, key: &Key, name: &str, arguments: &Arguments) -> Result<Resolved, Problem> {
        let repository = self.permitted(key, "pull_requests", Access::Read)?;
        if name == "pullRequest" {
            let number = arguments.get("number").and_then(Value::as_u64).unwrap_or_default();
            if repository.pull_requests.contains_key(&number) {
                return Ok(Resolved::Object(Node::PullRequest(key.clone(), number)));
            }
            let text = format!("Could not resolve to a PullRequest with the number of {number}.");
            return Err(Problem::typed("NOT_FOUND", text));
        }
        if !arguments.contains_key("first") && !arguments.contains_key("last") {
            let text = "You must provide a `first` or `last` value to properly paginate the `pullRequests` connection.";
            return Err(Problem::typed("MISSING_PAGINATION_BOUNDARIES", text));
        }
        let equals = |name: &str, value: &str| {
            arguments.get(name).filter(|it| !it.is_null()).is_none_or(|asked| asked.as_str() == Some(value))
        };
        let in_state = |it: &PullRequest| match arguments.get("states") {
            Some(Value::Array(states)) => states.iter().any(|state| *state == super::pull_request::state(it)),
            Some(Value::String(state)) => state == super::pull_request::state(it),
            _ => true,
        };
        let found = repository.pull_requests.values().filter(|it| {
            equals("headRefName", &it.head_branch) && equals("baseRefName", &it.base_branch) && in_state(it)
        });
        let mut nodes: Vec<_> = found.map(|it| Node::PullRequest(key.clone(), it.number)).collect();
        let order = arguments.get("orderBy").and_then(|order| order.get("direction"));
        if order.and_then(Value::as_str) == Some("DESC") {
            nodes.reverse();
        }
        Ok(Resolved::Object(Node::connection("PullRequestConnection", nodes, arguments)))
    }

    fn content(&self, key: &Key, name: &str, arguments: &Arguments) -> Result<Resolved, Problem> {
        let repository = self.permitted(key, "contents", Access::Read)?;
        Ok(Resolved::optional(match name {
            "defaultBranchRef" => branch(repository, &repository.default_branch),
            "ref" => {
                let name = text(arguments, "qualifiedName");
                branch(repository, name.strip_prefix("refs/heads/").unwrap_or(name))
            }
            _ => {
                let asked = arguments.get("oid").or_else(|| arguments.get("expression"));
                let found = repository.resolve(asked.and_then(Value::as_str).unwrap_or_default())?;
                found.map(|oid| Node::Commit(key.clone(), oid))
            }
        }))
    }

    fn reference(&self, key: &Key, branch: &str, name: &str, arguments: &Arguments) -> Result<Resolved, Problem> {
        let repository = self.world.repository(key)?;
        let tip = repository.tips.get(branch);
        Ok(match name {
            "id" => Resolved::Leaf(json!(format!("REF_kwDOSB{:08x}:refs/heads/{branch}", repository.id))),
            "name" => Resolved::Leaf(json!(branch)),
            "prefix" => Resolved::Leaf(json!("refs/heads/")),
            "refUpdateRule" => Resolved::optional(rules::update_rule(repository, branch, &self.actor())),
            "rules" => Resolved::Object(rules::of_branch(repository, branch, arguments)),
            "target" => Resolved::optional(tip.map(|tip| Node::Commit(key.clone(), tip.clone()))),
            _ => {
                let head = text(arguments, "headRef");
                let (Some(tip), Some(head)) = (tip, repository.resolve(head)?) else { return Ok(Resolved::NULL) };
                let standing = repository.standing(tip, &head)?;
                let commit = |oid: &Oid| Resolved::Object(Node::Commit(key.clone(), oid.clone()));
                Resolved::Object(Node::Plain(
                    "Comparison",
                    vec![
                        ("status", Resolved::Leaf(json!(standing.as_str().to_ascii_uppercase()))),
                        ("aheadBy", Resolved::Leaf(json!(standing.ahead))),
                        ("behindBy", Resolved::Leaf(json!(standing.behind))),
                        ("baseTarget", commit(tip)),
                        ("headTarget", commit(&head)),
                    ],
                ))
            }
        })
    }

    fn commit(&self, key: &Key, oid: &Oid, name: &str, arguments: &Arguments) -> Result<Resolved, Problem> {
        let repository = self.world.repository(key)?;
        let value = match name {
            "id" => json!(format!("C_kwDOSB{:08x}:{oid}", repository.id)),
            "oid" => json!(oid),
            "abbreviatedOid" => json!(oid.as_str().chars().take(7).collect::<String>()),
            "url" => json!(format!("{}/{}/commit/{oid}", self.world.url, repository.key)),
            "file" => return self.file(key, oid, text(arguments, "path")),
            "tree" => return self.tree(key, oid),
            "signature" => {
                let valid = Resolved::Leaf(json!(true));
                let ours = [("isValid", valid.clone()), ("wasSignedByGitHub", valid)];
                let signature = || Node::Plain("GpgSignature", ours.to_vec());
                return Ok(Resolved::optional(repository.signed.contains(oid).then(signature)));
            }
            "statusCheckRollup" => {
                self.permitted(key, "checks", Access::Read)?;
                if !repository.statuses_of(oid).is_empty() {
                    self.permitted(key, "statuses", Access::Read)?;
                }
                return Ok(Resolved::optional(checks::rollup(repository, key, oid)));
            }
            _ => {
                let Some(commit) = repository.git.commit(oid)? else { return Ok(Resolved::NULL) };
                match name {
                    "parents" => {
                        let parents = commit.parents.into_iter().map(|parent| Node::Commit(key.clone(), parent));
                        let parents = Node::connection("CommitConnection", parents.collect(), arguments);
                        return Ok(Resolved::Object(parents));
                    }
                    "message" => json!(commit.message),
                    "messageHeadline" => json!(commit.headline()),
                    "messageBody" => json!(commit.body()),
                    "authoredDate" => json!(render::time(commit.author.when)),
                    _ => json!(render::time(commit.committer.when)),
                }
            }
        };
        Ok(Resolved::Leaf(value))
    }
}

/// A branch, if it is there.
pub(super) fn branch(repository: &Repository, name: &str) -> Option<Node> {
    repository.tips.contains_key(name).then(|| Node::Reference(repository.key.clone(), name.to_owned()))
}

/// An argument that is a text; empty when it is not there.
pub(super) fn text<'a>(arguments: &'a Arguments, name: &str) -> &'a str {
    arguments.get(name).and_then(Value::as_str).unwrap_or_default()
}
