//! Opening, editing and closing pull requests.

use std::{cell::Cell, collections::BTreeSet};

use serde_json::{Value, json};

use crate::{
    git::Oid,
    refusal::Refusal,
    render,
    world::{
        World,
        event::Change,
        pull_request::{Comment, NewPullRequest, PullRequest, Removal, State},
        repository::Key,
    },
};

/// What of a pull request is to be changed; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edit {
    pub(crate) title: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) base: Option<String>,
}

impl World {
    /// Opens a pull request and gives its number.
    pub(crate) fn open(&mut self, key: &Key, actor: &str, new: NewPullRequest) -> Result<u64, Refusal> {
        let (head, base) = self.may_open(key, &new)?;
        let now = self.now();
        let id = self.fresh_id();
        let repository = self.repository_mut(key)?;
        let number = repository.pull_requests.keys().next_back().map_or(1, |last| last + 1);
        repository.git.set_reference(&format!("refs/pull/{number}/head"), &head)?;
        let pull_request = PullRequest {
            id,
            number,
            title: new.title,
            body: new.body,
            author: actor.to_owned(),
            state: State::Open,
            draft: new.draft,
            head_branch: branch_of(key, &new.head).to_owned(),
            head: head.clone(),
            base_branch: new.base,
            base,
            labels: Vec::new(),
            auto_merge: None,
            queued: None,
            timeline: Vec::new(),
            approvals: BTreeSet::new(),
            comments: Vec::new(),
            unknown_reads: Cell::new(repository.settings.mergeable_unknown_reads),
            created_at: now,
            updated_at: now,
        };
        repository.pull_requests.insert(number, pull_request);
        self.announce_pull_request(key, number, Change::plain("opened"), actor)?;
        self.start_automatic_checks(key, &head)?;
        self.settle(key, actor)?;
        Ok(number)
    }

    /// Closes an open pull request without merging it; a closed one stays as it is.
    pub(crate) fn close(&mut self, key: &Key, actor: &str, number: u64) -> Result<(), Refusal> {
        let now = self.now();
        let pull_request = self.repository_mut(key)?.pull_request_mut(number)?;
        if !pull_request.is_open() {
            return Ok(());
        }
        pull_request.state = State::Closed { at: now };
        pull_request.auto_merge = None;
        pull_request.updated_at = now;
        self.announce_pull_request(key, number, Change::plain("closed"), actor)?;
        self.leave_queue(key, actor, number, Removal::Manual)
    }

    /// Opens a closed pull request again, where its branch is now.
    pub(crate) fn reopen(&mut self, key: &Key, actor: &str, number: u64) -> Result<(), Refusal> {
        let now = self.now();
        let repository = self.repository_mut(key)?;
        let pull_request = repository.pull_request(number)?;
        if pull_request.is_open() {
            return Ok(());
        }
        let (head, base) = (&pull_request.head_branch, &pull_request.base_branch);
        let (Some(head), Some(base), false) =
            (repository.tips.get(head), repository.tips.get(base), pull_request.is_merged())
        else {
            return Err(Refusal::custom(
                "PullRequest",
                "state cannot be changed. The pull request cannot be reopened.",
            ));
        };
        let (head, base) = (head.clone(), base.clone());
        let pull_request = repository.pull_request_mut(number)?;
        pull_request.state = State::Open;
        (pull_request.head, pull_request.base) = (head, base);
        pull_request.updated_at = now;
        self.announce_pull_request(key, number, Change::plain("reopened"), actor)
    }

    /// Changes the words or the base of a pull request.
    pub(crate) fn edit(&mut self, key: &Key, actor: &str, number: u64, edit: Edit) -> Result<(), Refusal> {
        let now = self.now();
        let repository = self.repository_mut(key)?;
        let base = match &edit.base {
            None => None,
            Some(branch) => Some(
                repository.tips.get(branch).cloned().ok_or_else(|| Refusal::invalid_field("PullRequest", "base"))?,
            ),
        };
        let pull_request = repository.pull_request_mut(number)?;
        let mut changes = serde_json::Map::new();
        let mut note = |field: &str, change: Value| changes.insert(field.to_owned(), change).is_none();
        if let Some(title) = edit.title.filter(|title| *title != pull_request.title) {
            note("title", json!({ "from": std::mem::replace(&mut pull_request.title, title) }));
        }
        if let Some(body) = edit.body.filter(|body| Some(body) != pull_request.body.as_ref()) {
            note("body", json!({ "from": pull_request.body.replace(body) }));
        }
        if let (Some(branch), Some(tip)) = (edit.base.filter(|branch| *branch != pull_request.base_branch), base) {
            let from = std::mem::replace(&mut pull_request.base_branch, branch);
            let sha = std::mem::replace(&mut pull_request.base, tip);
            note("base", json!({ "ref": { "from": from }, "sha": { "from": sha } }));
            // A new base may ask for less, so that GitHub withdraws the order.
            pull_request.auto_merge = None;
        }
        if changes.is_empty() {
            return Ok(());
        }
        pull_request.updated_at = now;
        if changes.contains_key("base") {
            self.leave_queue(key, actor, number, Removal::Manual)?;
        }
        self.announce_pull_request(key, number, Change::with("edited", json!({ "changes": changes })), actor)
    }

    /// Marks a pull request as a draft, which withdraws every order to merge it, or as ready.
    pub(crate) fn set_draft(&mut self, key: &Key, actor: &str, number: u64, draft: bool) -> Result<(), Refusal> {
        let now = self.now();
        let pull_request = self.repository_mut(key)?.pull_request_mut(number)?;
        if pull_request.draft == draft {
            return Ok(());
        }
        pull_request.draft = draft;
        pull_request.updated_at = now;
        if !draft {
            return self.announce_pull_request(key, number, Change::plain("ready_for_review"), actor);
        }
        pull_request.auto_merge = None;
        self.announce_pull_request(key, number, Change::plain("converted_to_draft"), actor)?;
        self.leave_queue(key, actor, number, Removal::Manual)
    }

    /// Adds labels; those that it has already stay once.
    pub(crate) fn label(&mut self, key: &Key, actor: &str, number: u64, labels: &[String]) -> Result<(), Refusal> {
        for label in labels {
            let repository = self.repository_mut(key)?;
            if repository.label(label).is_none() {
                repository.labels.insert(label.clone());
            }
            let pull_request = repository.pull_request_mut(number)?;
            if pull_request.labels.contains(label) {
                continue;
            }
            pull_request.labels.push(label.clone());
            let label = render::pull_request::label(self, self.repository(key)?, label);
            self.announce_pull_request(key, number, Change::with("labeled", json!({ "label": label })), actor)?;
        }
        Ok(())
    }

    /// Takes a label away.
    pub(crate) fn unlabel(&mut self, key: &Key, actor: &str, number: u64, label: &str) -> Result<(), Refusal> {
        let pull_request = self.repository_mut(key)?.pull_request_mut(number)?;
        let Some(place) = pull_request.labels.iter().position(|known| known == label) else {
            return Err(Refusal::new(axum::http::StatusCode::NOT_FOUND, "Label does not exist"));
        };
        pull_request.labels.remove(place);
        let label = render::pull_request::label(self, self.repository(key)?, label);
        self.announce_pull_request(key, number, Change::with("unlabeled", json!({ "label": label })), actor)
    }

    /// Writes a comment.
    pub(crate) fn comment(&mut self, key: &Key, actor: &str, number: u64, body: String) -> Result<Comment, Refusal> {
        let comment = Comment { id: self.fresh_id(), author: actor.to_owned(), body, at: self.now() };
        self.repository_mut(key)?.pull_request_mut(number)?.comments.push(comment.clone());
        Ok(comment)
    }

    /// Records that a person approves of a pull request, and follows it up.
    pub(crate) fn approve(&mut self, key: &Key, reviewer: &str, number: u64) -> Result<(), Refusal> {
        let pull_request = self.repository_mut(key)?.pull_request_mut(number)?;
        pull_request.approvals.insert(reviewer.to_owned());
        self.settle(key, reviewer)
    }

    /// The tips of head and base, when a pull request between them is possible.
    fn may_open(&self, key: &Key, new: &NewPullRequest) -> Result<(Oid, Oid), Refusal> {
        let repository = self.repository(key)?;
        let branch = branch_of(key, &new.head);
        let field = |name| Refusal::invalid_field("PullRequest", name);
        let base = repository.tips.get(&new.base).ok_or_else(|| field("base"))?;
        let head = repository.tips.get(branch).ok_or_else(|| field("head"))?;
        let same = |it: &&PullRequest| it.is_open() && it.head_branch == branch && it.base_branch == new.base;
        if repository.pull_requests.values().find(same).is_some() {
            let text = format!("A pull request already exists for {}:{branch}.", key.owner());
            return Err(Refusal::custom("PullRequest", &text));
        }
        if repository.standing(base, head)?.ahead == 0 {
            let text = format!("No commits between {} and {branch}", new.base);
            return Err(Refusal::custom("PullRequest", &text));
        }
        Ok((head.clone(), base.clone()))
    }
}

/// The branch in `OWNER:branch`; another owner's branch is left with its prefix and so never found.
fn branch_of<'a>(key: &Key, head: &'a str) -> &'a str {
    match head.split_once(':') {
        Some((owner, branch)) if owner.eq_ignore_ascii_case(key.owner()) => branch,
        _ => head,
    }
}
