//! Merging: real commits on the base branch.

use axum::http::StatusCode;
use chrono::TimeDelta;

use crate::{
    git::{CommitObject, NewCommit, Oid, Signature, Trial},
    merging::{self, MergeState, queue},
    refusal::Refusal,
    render,
    world::{
        World,
        event::Change,
        pull_request::{Message, Method, PullRequest, State},
        repository::{Key, Repository},
    },
};

/// What a merge is asked.
#[derive(Clone, Debug)]
pub(crate) struct MergeRequest {
    pub(crate) number: u64,
    pub(crate) method: Method,
    /// The head that the caller has seen.
    pub(crate) expected_head: Option<Oid>,
    pub(crate) message: Message,
}

impl World {
    /// Merges a pull request and deletes its branch if the repository is set so. The caller settles afterwards.
    pub(crate) fn merge(&mut self, key: &Key, actor: &str, request: &MergeRequest) -> Result<Oid, Refusal> {
        self.may_merge(key, actor, request)?;
        let commit = self.write_merge(key, request)?;
        self.complete_merge(key, actor, request.number, &commit)?;
        Ok(commit)
    }

    /// Makes a commit the tip of a pull request's base, and the pull request merged by it.
    pub(super) fn complete_merge(&mut self, key: &Key, actor: &str, number: u64, commit: &Oid) -> Result<(), Refusal> {
        let now = self.now();
        let repository = self.repository_mut(key)?;
        let pull_request = repository.pull_request(number)?;
        let base = format!("refs/heads/{}", pull_request.base_branch);
        repository.git.move_reference(&base, &pull_request.base, commit).map_err(|error| {
            tracing::debug!(%error, "the base moved below a merge");
            not_allowed("Base branch was modified. Review and try the merge again.")
        })?;
        let head = format!("refs/heads/{}", pull_request.head_branch);
        let deletes = repository.settings.delete_branch_on_merge
            && pull_request.head_branch != repository.default_branch
            && repository.tips.contains_key(&pull_request.head_branch);
        if deletes {
            repository.git.delete_reference(&head)?;
        }
        repository.signed.insert(commit.clone());
        let pull_request = repository.pull_request_mut(number)?;
        pull_request.state = State::Merged { at: now, by: actor.to_owned(), commit: commit.clone() };
        pull_request.updated_at = now;
        self.announce_pull_request(key, number, Change::plain("closed"), actor)
    }

    fn may_merge(&self, key: &Key, actor: &str, request: &MergeRequest) -> Result<(), Refusal> {
        let repository = self.repository(key)?;
        let pull_request = repository.pull_request(request.number)?;
        if !pull_request.is_open() {
            return Err(not_allowed("Pull Request is not mergeable"));
        }
        if request.expected_head.as_ref().is_some_and(|expected| *expected != pull_request.head) {
            let text = "Head branch was modified. Review and try the merge again.";
            return Err(Refusal::new(StatusCode::CONFLICT, text));
        }
        queue::require_no_queue(repository, pull_request)?;
        merging::require_method((repository, pull_request), request.method, |text, _| {
            not_allowed(&format!("{text} are not allowed on this repository."))
        })?;
        if !merging::may_push(repository, &pull_request.base_branch, actor) {
            return Err(not_allowed(
                "You're not authorized to push to this branch. Visit https://docs.github.com/articles/about-protected-branches/ for more information.",
            ));
        }
        match merging::state(repository, pull_request)? {
            MergeState::Clean | MergeState::Unstable => Ok(()),
            MergeState::Unknown | MergeState::Dirty => Err(not_allowed("Pull Request is not mergeable")),
            MergeState::Draft => Err(not_allowed("Pull Request is still a draft")),
            MergeState::Blocked(sentence) => Err(not_allowed(&sentence)),
            MergeState::Behind => Err(not_allowed("Head branch is out of date. Review and try the merge again.")),
        }
    }

    /// Writes the commit that a merge would give; no branch has it yet.
    pub(super) fn write_merge(&self, key: &Key, request: &MergeRequest) -> Result<Oid, Refusal> {
        let repository = self.repository(key)?;
        let pull_request = repository.pull_request(request.number)?;
        let (base, head) = (&pull_request.base, &pull_request.head);
        let not_mergeable = || not_allowed("Pull Request is not mergeable");
        let Trial::Tree(tree) = repository.trial(base, head)? else {
            return Err(not_mergeable());
        };
        // Another try of the queue is another commit, even within the same second.
        let tries = i64::try_from(pull_request.removals().count()).unwrap_or_default();
        let now = self.now() + TimeDelta::seconds(tries);
        let author = Signature {
            name: pull_request.author.clone(),
            email: render::user::email(&pull_request.author),
            when: now,
        };
        let forge = Signature { name: "GitHub".to_owned(), email: "noreply@github.com".to_owned(), when: now };
        let commits = repository.git.commits_between(base, head)?;
        let message = match request.method {
            Method::Merge => merge_message(key, pull_request, &request.message),
            Method::Squash => squash_message(pull_request, &commits, &request.message),
            Method::Rebase => return replay(repository, base, &commits, &forge),
        };
        let both = [base, head];
        let parents: &[&Oid] = if request.method == Method::Merge { &both } else { &[base] };
        let new = NewCommit { tree: &tree, parents, message: &message, author: &author, committer: &forge };
        Ok(repository.git.write_commit(&new)?)
    }
}

/// Puts commits one by one on top of the base.
fn replay(repository: &Repository, base: &Oid, commits: &[CommitObject], forge: &Signature) -> Result<Oid, Refusal> {
    let mut tip = base.clone();
    for commit in commits.iter().filter(|commit| commit.parents.len() < 2) {
        let Trial::Tree(tree) = repository.git.try_pick(&tip, commit)? else {
            return Err(not_allowed("This branch can't be rebased"));
        };
        let new = NewCommit {
            tree: &tree,
            parents: &[&tip],
            message: &commit.message,
            author: &commit.author,
            committer: forge,
        };
        tip = repository.git.write_commit(&new)?;
    }
    Ok(tip)
}

fn merge_message(key: &Key, pull_request: &PullRequest, asked: &Message) -> String {
    let headline =
        format!("Merge pull request #{} from {}/{}", pull_request.number, key.owner(), pull_request.head_branch);
    joined(asked, headline, pull_request.title.clone())
}

/// GitHub's default for squashing: the only commit's own words, or the title and a list of all.
fn squash_message(pull_request: &PullRequest, commits: &[CommitObject], asked: &Message) -> String {
    let number = pull_request.number;
    match commits {
        [only] => joined(asked, format!("{} (#{number})", only.headline()), only.body().to_owned()),
        several => {
            let listed: Vec<_> = several.iter().map(|commit| format!("* {}", commit.message)).collect();
            joined(asked, format!("{} (#{number})", pull_request.title), listed.join("\n\n"))
        }
    }
}

fn joined(asked: &Message, headline: String, body: String) -> String {
    let headline = asked.headline.clone().filter(|text| !text.is_empty()).unwrap_or(headline);
    let body = asked.body.clone().unwrap_or(body);
    if body.is_empty() { format!("{headline}\n") } else { format!("{headline}\n\n{body}\n") }
}

/// The refusal of a merge.
pub(super) fn not_allowed(text: &str) -> Refusal {
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, text)
}
