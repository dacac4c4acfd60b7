//! Mutations.

mod references;

use serde_json::{Map, Value};

use super::{
    Problem,
    execute::{Execution, Resolved},
    node::{Node, text},
    queue,
};
use crate::{
    git::Oid,
    merging::{ArmRequest, EnqueueRequest, MergeRequest},
    world::{
        app::Access,
        proposing::Edit,
        pull_request::{Message, Method, NewPullRequest},
        repository::Key,
    },
};

type Input = Map<String, Value>;

/// The fields of a payload.
type Fields = Vec<(&'static str, Resolved)>;

impl Execution<'_> {
    /// Carries out a mutation and gives its payload.
    pub(super) fn mutate(&mut self, name: &str, arguments: &Map<String, Value>) -> Result<Resolved, Problem> {
        let input = arguments.get("input").and_then(Value::as_object).cloned().unwrap_or_default();
        let input = &input;
        let actor = self.actor();
        let client = Resolved::Leaf(input.get("clientMutationId").cloned().unwrap_or_default());
        let (name, mut fields) = match name {
            "addLabelsToLabelable" => ("AddLabelsToLabelablePayload", self.add_labels(input, &actor)?),
            "createPullRequest" => ("CreatePullRequestPayload", self.create(input, &actor)?),
            "createCommitOnBranch" => ("CreateCommitOnBranchPayload", self.commit_on_branch(input, &actor)?),
            "updateRefs" => ("UpdateRefsPayload", self.update_references(input, &actor)?),
            "enqueuePullRequest" => ("EnqueuePullRequestPayload", self.enqueue(input, &actor)?),
            "dequeuePullRequest" => ("DequeuePullRequestPayload", self.dequeue(input, &actor)?),
            _ => self.change(name, input, &actor)?,
        };
        fields.push(("actor", Resolved::Object(Node::account(&actor))));
        fields.push(("clientMutationId", client));
        Ok(Resolved::Object(Node::Plain(name, fields)))
    }

    /// Mutations of one pull request that answer it.
    fn change(&mut self, name: &str, input: &Input, actor: &str) -> Result<(&'static str, Fields), Problem> {
        let (key, number) = self.pull_request_of(input, "pullRequestId")?;
        let merges = matches!(name, "enablePullRequestAutoMerge" | "mergePullRequest");
        if merges {
            self.permitted(&key, "contents", Access::Write)?;
        }
        let payload = match name {
            "enablePullRequestAutoMerge" => {
                let (method, expected_head, message) = merge_input(input)?;
                self.world.arm(&key, actor, ArmRequest { number, method, expected_head, message })?;
                self.world.settle(&key, actor)?;
                "EnablePullRequestAutoMergePayload"
            }
            "disablePullRequestAutoMerge" => {
                self.world.disarm(&key, actor, number)?;
                "DisablePullRequestAutoMergePayload"
            }
            "mergePullRequest" => {
                let (method, expected_head, message) = merge_input(input)?;
                let request = MergeRequest { number, method, expected_head, message };
                self.world.merge(&key, actor, &request)?;
                self.world.settle(&key, actor)?;
                "MergePullRequestPayload"
            }
            "closePullRequest" => {
                self.world.close(&key, actor, number)?;
                "ClosePullRequestPayload"
            }
            "reopenPullRequest" => {
                self.world.reopen(&key, actor, number)?;
                "ReopenPullRequestPayload"
            }
            _ => {
                self.update(&key, number, input, actor)?;
                "UpdatePullRequestPayload"
            }
        };
        Ok((payload, vec![("pullRequest", Resolved::Object(Node::PullRequest(key, number)))]))
    }

    fn enqueue(&mut self, input: &Input, actor: &str) -> Result<Fields, Problem> {
        let (key, number) = self.pull_request_of(input, "pullRequestId")?;
        self.permitted(&key, "contents", Access::Write)?;
        let (_, expected_head, _) = merge_input(input)?;
        let jump = input.get("jump").and_then(Value::as_bool).unwrap_or(false);
        self.world.enqueue(&key, actor, &EnqueueRequest { number, expected_head, jump })?;
        let repository = self.world.repository(&key)?;
        let entry = Resolved::optional(queue::entry_of(repository, repository.pull_request(number)?));
        self.world.settle(&key, actor)?;
        Ok(vec![("mergeQueueEntry", entry)])
    }

    fn dequeue(&mut self, input: &Input, actor: &str) -> Result<Fields, Problem> {
        let (key, number) = self.pull_request_of(input, "id")?;
        self.permitted(&key, "contents", Access::Write)?;
        let repository = self.world.repository(&key)?;
        let entry = Resolved::optional(queue::entry_of(repository, repository.pull_request(number)?));
        self.world.dequeue(&key, actor, number)?;
        self.world.settle(&key, actor)?;
        Ok(vec![("mergeQueueEntry", entry)])
    }

    fn update(&mut self, key: &Key, number: u64, input: &Input, actor: &str) -> Result<(), Problem> {
        let edit = Edit { title: owned(input, "title"), body: owned(input, "body"), base: owned(input, "baseRefName") };
        self.world.edit(key, actor, number, edit)?;
        match text(input, "state") {
            "CLOSED" => self.world.close(key, actor, number)?,
            "OPEN" => self.world.reopen(key, actor, number)?,
            _ => {}
        }
        Ok(())
    }

    fn add_labels(&mut self, input: &Input, actor: &str) -> Result<Fields, Problem> {
        let (key, number) = self.pull_request_of(input, "labelableId")?;
        let mut labels = Vec::new();
        for id in input.get("labelIds").and_then(Value::as_array).into_iter().flatten() {
            let id = id.as_str().unwrap_or_default();
            let missing =
                || Problem::typed("NOT_FOUND", format!("Could not resolve to a node with the global id of '{id}'"));
            let name = id.strip_prefix("LA_").and_then(|digits| String::from_utf8(hex::decode(digits).ok()?).ok());
            let known = name.filter(|name| self.world.repository(&key).is_ok_and(|it| it.label(name).is_some()));
            labels.push(known.ok_or_else(missing)?);
        }
        self.world.label(&key, actor, number, &labels)?;
        Ok(vec![("labelable", Resolved::Object(Node::PullRequest(key, number)))])
    }

    fn create(&mut self, input: &Input, actor: &str) -> Result<Fields, Problem> {
        let Node::Repository(key) = self.node(text(input, "repositoryId"))? else {
            return Err(Problem::typed("NOT_FOUND", "Could not resolve to a Repository"));
        };
        self.permitted(&key, "pull_requests", Access::Write)?;
        let new = NewPullRequest {
            title: text(input, "title").to_owned(),
            body: owned(input, "body"),
            head: text(input, "headRefName").to_owned(),
            base: text(input, "baseRefName").to_owned(),
            draft: input.get("draft").and_then(Value::as_bool).unwrap_or(false),
        };
        let number = self.world.open(&key, actor, new)?;
        Ok(vec![("pullRequest", Resolved::Object(Node::PullRequest(key, number)))])
    }

    /// A pull request that the caller may change.
    fn pull_request_of(&self, input: &Input, field: &str) -> Result<(Key, u64), Problem> {
        let id = text(input, field);
        match self.node(id)? {
            Node::PullRequest(key, number) => {
                self.permitted(&key, "pull_requests", Access::Write)?;
                Ok((key, number))
            }
            Node::Root(_)
            | Node::Repository(_)
            | Node::Reference(..)
            | Node::Commit(..)
            | Node::Content(..)
            | Node::Rollup(..)
            | Node::CheckRun(..)
            | Node::Status(..)
            | Node::Plain(..) => {
                let text = format!("Could not resolve to PullRequest node with the global id of '{id}'.");
                Err(Problem::typed("NOT_FOUND", text))
            }
        }
    }
}

fn merge_input(input: &Input) -> Result<(Method, Option<Oid>, Message), Problem> {
    let method = Method::from_word(text(input, "mergeMethod")).unwrap_or_default();
    let expected = owned(input, "expectedHeadOid").map(|text| text.parse::<Oid>());
    let invalid = |_| Problem::typed("UNPROCESSABLE", "expectedHeadOid is not a commit");
    let message = Message { headline: owned(input, "commitHeadline"), body: owned(input, "commitBody") };
    Ok((method, expected.transpose().map_err(invalid)?, message))
}

fn owned(input: &Input, name: &str) -> Option<String> {
    input.get(name).and_then(Value::as_str).map(str::to_owned)
}
