//! What follows from a moved branch.

use std::collections::BTreeMap;

use serde_json::json;

use crate::{
    git::Oid,
    refusal::Refusal,
    render,
    world::{
        World,
        activity::Activity,
        event::Change,
        pull_request::{Event, Happening, Removal, State},
        repository::Key,
    },
};

/// A branch that is not where it was.
#[derive(Clone, Debug)]
struct Move {
    branch: String,
    before: Option<Oid>,
    after: Option<Oid>,
}

/// More commits than this are not listed in the webhook `push`
/// (<https://docs.github.com/webhooks/webhook-events-and-payloads#push>).
const MOST_COMMITS_IN_PUSH: usize = 2048;

impl World {
    /// Follows up everything that may have happened in a repository, until nothing follows any more.
    pub(crate) fn settle(&mut self, key: &Key, actor: &str) -> Result<(), Refusal> {
        self.follow_branches(key, actor)?;
        while self.merge_one_that_is_ready(key)? || self.advance_a_queue(key)? {
            self.follow_branches(key, actor)?;
        }
        Ok(())
    }

    /// Tells about every branch that moved since the last time, and moves pull requests with it.
    pub(crate) fn follow_branches(&mut self, key: &Key, actor: &str) -> Result<(), Refusal> {
        let now = self.now();
        let repository = self.repository_mut(key)?;
        let tips = repository.git.tips()?;
        let moves = differences(&repository.tips, &tips);
        if moves.is_empty() {
            return Ok(());
        }
        repository.pushed_at = now;
        // The first branch of an empty repository becomes its default, as on GitHub.
        if !tips.contains_key(&repository.default_branch)
            && repository.tips.is_empty()
            && let Some(first) = tips.keys().next()
        {
            repository.git.set_default_branch(first)?;
            repository.default_branch.clone_from(first);
        }
        repository.tips = tips;
        for moved in &moves {
            self.note_activity(key, actor, moved)?;
            self.announce_push(key, actor, moved)?;
        }
        for moved in &moves {
            for number in self.open_numbers(key)? {
                self.follow_head(key, actor, number, moved)?;
                self.follow_base(key, actor, number, moved)?;
            }
        }
        Ok(())
    }

    fn open_numbers(&self, key: &Key) -> Result<Vec<u64>, Refusal> {
        let pull_requests = self.repository(key)?.pull_requests.values();
        Ok(pull_requests.filter(|it| it.is_open()).map(|it| it.number).collect())
    }

    /// An open pull request goes where its branch goes, and is closed when there is nothing left of it.
    fn follow_head(&mut self, key: &Key, actor: &str, number: u64, moved: &Move) -> Result<(), Refusal> {
        let pull_request = self.repository(key)?.pull_request(number)?;
        if pull_request.head_branch != moved.branch || !pull_request.is_open() {
            return Ok(());
        }
        let (before, base) = (pull_request.head.clone(), pull_request.base.clone());
        let Some(after) = &moved.after else {
            return self.close(key, actor, number);
        };
        let (now, id) = (self.now(), self.fresh_id());
        let repository = self.repository_mut(key)?;
        repository.git.set_reference(&format!("refs/pull/{number}/head"), after)?;
        let is_empty = repository.standing(&base, after)?.ahead == 0;
        let is_forced = !repository.git.is_ancestor(&before, after)?;
        let unknown_reads = repository.settings.mergeable_unknown_reads;
        let pull_request = repository.pull_request_mut(number)?;
        pull_request.head = after.clone();
        pull_request.updated_at = now;
        pull_request.unknown_reads.set(unknown_reads);
        if is_forced {
            let what = Happening::ForcePushed { before: before.clone(), after: after.clone() };
            pull_request.timeline.push(Event { id, at: now, by: actor.to_owned(), what });
        }
        self.leave_queue(key, actor, number, Removal::Manual)?;
        if is_empty {
            return self.close(key, actor, number);
        }
        let extra = json!({ "before": before, "after": after });
        self.announce_pull_request(key, number, Change::with("synchronize", extra), actor)?;
        self.start_automatic_checks(key, after)
    }

    /// An open pull request sees a new base, and is merged when the base already has its commits.
    fn follow_base(&mut self, key: &Key, actor: &str, number: u64, moved: &Move) -> Result<(), Refusal> {
        let pull_request = self.repository(key)?.pull_request(number)?;
        if pull_request.base_branch != moved.branch || !pull_request.is_open() {
            return Ok(());
        }
        let Some(after) = &moved.after else {
            return self.close(key, actor, number);
        };
        let now = self.now();
        let repository = self.repository_mut(key)?;
        let head = repository.pull_request(number)?.head.clone();
        let has_it = repository.git.is_ancestor(&head, after)?;
        let unknown_reads = repository.settings.mergeable_unknown_reads;
        let pull_request = repository.pull_request_mut(number)?;
        if has_it {
            pull_request.state = State::Merged { at: now, by: actor.to_owned(), commit: after.clone() };
            return self.announce_pull_request(key, number, Change::plain("closed"), actor);
        }
        pull_request.base = after.clone();
        pull_request.unknown_reads.set(unknown_reads);
        Ok(())
    }

    fn note_activity(&mut self, key: &Key, actor: &str, moved: &Move) -> Result<(), Refusal> {
        let (at, id) = (self.now(), self.fresh_id());
        let repository = self.repository_mut(key)?;
        let forced = match (&moved.before, &moved.after) {
            (Some(before), Some(after)) => !repository.git.is_ancestor(before, after)?,
            _ => false,
        };
        let Move { branch, before, after } = moved.clone();
        repository.activities.push(Activity { id, branch, before, after, forced, actor: actor.to_owned(), at });
        Ok(())
    }

    fn announce_push(&mut self, key: &Key, actor: &str, moved: &Move) -> Result<(), Refusal> {
        let repository = self.repository(key)?;
        let (created, deleted) = (moved.before.is_none(), moved.after.is_none());
        let mut commits = Vec::new();
        let mut forced = false;
        if let (Some(before), Some(after)) = (&moved.before, &moved.after) {
            forced = !repository.git.is_ancestor(before, after)?;
            commits = repository.git.commits_between(before, after)?;
            commits.truncate(MOST_COMMITS_IN_PUSH);
        }
        let head = match &moved.after {
            Some(after) => repository.git.commit(after)?,
            None => None,
        };
        let listed = commits.iter().map(|commit| render::commit::in_push(self, key, commit));
        let zero_or = |oid: &Option<Oid>| oid.as_ref().map_or(Oid::ZERO, Oid::as_str).to_owned();
        let (before, after) = (zero_or(&moved.before), zero_or(&moved.after));
        let payload = json!({
            "ref": format!("refs/heads/{}", moved.branch),
            "before": before,
            "after": after,
            "created": created,
            "deleted": deleted,
            "forced": forced,
            "base_ref": null,
            "compare": format!("{}/{key}/compare/{before}...{after}", self.url),
            "commits": listed.collect::<Vec<_>>(),
            "head_commit": head.as_ref().map(|commit| render::commit::in_push(self, key, commit)),
            "pusher": { "name": actor, "email": render::user::email(actor) },
        });
        self.announce(key, "push", payload, actor)
    }
}

fn differences(old: &BTreeMap<String, Oid>, new: &BTreeMap<String, Oid>) -> Vec<Move> {
    let mut branches: Vec<&String> = old.keys().chain(new.keys()).collect();
    branches.sort();
    branches.dedup();
    let moves = branches.into_iter().map(|branch| Move {
        branch: branch.clone(),
        before: old.get(branch).cloned(),
        after: new.get(branch).cloned(),
    });
    moves.filter(|moved| moved.before != moved.after).collect()
}
