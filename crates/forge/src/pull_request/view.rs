//! A pull request as GraphQL shows it, and what that means in our nouns.
//!
//! Values that GitHub may add are read as text, so that a new one does not hide the rest.

use domain::{
    commit::Commit,
    forge::{AutoMerge, Mergeability, Number, PullRequest, PullRequestState, Repository, Requirements},
    proposal::ReleaseBranch,
};
use serde::Deserialize;

/// What is asked of each pull request; for use as `...View`.
pub(crate) const VIEW: &str = " fragment View on PullRequest { \
     id number url state isDraft headRefOid headRefName baseRefName \
     headRepository { nameWithOwner } \
     autoMergeRequest { enabledAt } isInMergeQueue isMergeQueueEnabled \
     mergeable mergeStateStatus mergeCommit { oid } }";

/// A pull request.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct View {
    id: String,
    number: u64,
    url: String,
    state: String,
    is_draft: bool,
    head_ref_oid: String,
    head_ref_name: String,
    base_ref_name: String,
    head_repository: Option<Named>,
    auto_merge_request: Option<Enabled>,
    is_in_merge_queue: bool,
    is_merge_queue_enabled: bool,
    mergeable: String,
    merge_state_status: String,
    merge_commit: Option<Named>,
}

/// What is only looked at by name.
#[derive(Clone, Debug, Deserialize)]
struct Named {
    #[serde(alias = "nameWithOwner", alias = "oid")]
    name: String,
}

/// That it is there is all that counts.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Enabled {}

impl View {
    /// Whether it is that branch, of the repository itself and not of a fork, that it merges.
    pub(crate) fn is_of(&self, repository: &Repository, branch: &ReleaseBranch) -> bool {
        self.head_ref_name == branch.branch().as_str()
            && self.head_repository.as_ref().is_some_and(|head| head.name.eq_ignore_ascii_case(&repository.to_string()))
    }

    /// The commit at the tip of its branch, as it is written.
    pub(crate) fn head(&self) -> &str {
        &self.head_ref_oid
    }

    /// Whether its base is only changed through a merge queue.
    pub(crate) const fn has_queue(&self) -> bool {
        self.is_merge_queue_enabled
    }

    /// It in our nouns; the sentence says what can not be understood.
    pub(crate) fn read(&self) -> Result<PullRequest, String> {
        Ok(PullRequest {
            number: Number(self.number),
            handle: self.id.clone(),
            url: self.url.clone(),
            state: self.state()?,
            head: commit(&self.head_ref_oid)?,
            base: self
                .base_ref_name
                .parse()
                .map_err(|why: domain::forge::InvalidBranch| format!("{}: {why}", self.base_ref_name))?,
            auto_merge: self.auto_merge(),
            mergeability: self.mergeability(),
            missing: Requirements::default(),
        })
    }

    fn state(&self) -> Result<PullRequestState, String> {
        match self.state.as_str() {
            "OPEN" => Ok(PullRequestState::Open),
            "CLOSED" => Ok(PullRequestState::Closed),
            "MERGED" => {
                let merge = self.merge_commit.as_ref().map(|merge| commit(&merge.name));
                merge.transpose().map(PullRequestState::Merged)
            }
            other => Err(format!("state {other}")),
        }
    }

    /// A queue does not always take what has the order and everything else
    /// (<https://github.com/orgs/community/discussions/209348>), so that this is told apart.
    fn auto_merge(&self) -> AutoMerge {
        match (&self.auto_merge_request, self.is_in_merge_queue) {
            (_, true) => AutoMerge::Queued,
            (Some(_), false) if self.is_merge_queue_enabled && self.mergeability() == Mergeability::Clean => {
                AutoMerge::Unqueued
            }
            (Some(_), false) => AutoMerge::Armed,
            (None, false) => AutoMerge::Disarmed,
        }
    }

    fn mergeability(&self) -> Mergeability {
        if self.mergeable == "CONFLICTING" {
            return Mergeability::Conflicting;
        }
        if self.is_draft {
            return Mergeability::Draft;
        }
        mergeability(&self.merge_state_status)
    }
}

/// What a merge state means: GraphQL's `mergeStateStatus` and REST's `mergeable_state` are the same words.
pub(crate) fn mergeability(state: &str) -> Mergeability {
    match state.to_ascii_lowercase().as_str() {
        "clean" | "has_hooks" => Mergeability::Clean,
        "unstable" => Mergeability::Unstable,
        "blocked" => Mergeability::Blocked,
        "draft" => Mergeability::Draft,
        "behind" => Mergeability::Behind,
        "dirty" => Mergeability::Conflicting,
        _ => Mergeability::Unknown,
    }
}

/// A commit's name in an answer.
pub(crate) fn commit(text: &str) -> Result<Commit, String> {
    text.parse().map_err(|_invalid| format!("{text:?} is not the name of a commit"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn view(state: &str, mergeable: &str, status: &str) -> View {
        serde_json::from_value(json!({
            "id": "PR_1", "number": 3, "url": "https://forge.example/3", "state": state,
            "isDraft": false, "headRefOid": "1".repeat(40), "headRefName": "a/deploy-1",
            "baseRefName": "main", "headRepository": { "nameWithOwner": "acme/trinity" },
            "autoMergeRequest": null, "isInMergeQueue": false, "isMergeQueueEnabled": false, "mergeable": mergeable,
            "mergeStateStatus": status, "mergeCommit": null,
        }))
        .unwrap()
    }

    #[test]
    fn a_merge_state_means_one_thing() {
        for (mergeable, status, expected) in [
            ("MERGEABLE", "CLEAN", Mergeability::Clean),
            ("MERGEABLE", "HAS_HOOKS", Mergeability::Clean),
            ("MERGEABLE", "UNSTABLE", Mergeability::Unstable),
            ("MERGEABLE", "BLOCKED", Mergeability::Blocked),
            ("MERGEABLE", "DRAFT", Mergeability::Draft),
            ("MERGEABLE", "BEHIND", Mergeability::Behind),
            ("CONFLICTING", "UNKNOWN", Mergeability::Conflicting),
            ("CONFLICTING", "DIRTY", Mergeability::Conflicting),
            ("UNKNOWN", "UNKNOWN", Mergeability::Unknown),
            ("MERGEABLE", "A_NEW_WORD", Mergeability::Unknown),
        ] {
            assert_eq!(view("OPEN", mergeable, status).read().unwrap().mergeability, expected);
        }
    }

    #[test]
    fn an_order_is_told_from_a_place_in_the_queue_and_from_one_that_the_queue_left() {
        let mut one = view("OPEN", "MERGEABLE", "CLEAN");
        assert_eq!(one.read().unwrap().auto_merge, AutoMerge::Disarmed);
        one.auto_merge_request = Some(Enabled {});
        assert_eq!(one.read().unwrap().auto_merge, AutoMerge::Armed);
        one.is_merge_queue_enabled = true;
        assert_eq!(one.read().unwrap().auto_merge, AutoMerge::Unqueued);
        "BLOCKED".clone_into(&mut one.merge_state_status);
        assert_eq!(one.read().unwrap().auto_merge, AutoMerge::Armed);
        (one.auto_merge_request, one.is_in_merge_queue) = (None, true);
        assert_eq!(one.read().unwrap().auto_merge, AutoMerge::Queued);
    }

    #[test]
    fn a_draft_is_one_whatever_else_stands_in_the_way() {
        let mut one = view("OPEN", "MERGEABLE", "BLOCKED");
        one.is_draft = true;
        assert_eq!(one.read().unwrap().mergeability, Mergeability::Draft);
        "CONFLICTING".clone_into(&mut one.mergeable);
        assert_eq!(one.read().unwrap().mergeability, Mergeability::Conflicting);
    }

    #[test]
    fn a_merge_names_its_commit_once_the_forge_does() {
        let mut one = view("MERGED", "UNKNOWN", "UNKNOWN");
        assert_eq!(one.read().unwrap().state, PullRequestState::Merged(None));
        one.merge_commit = Some(Named { name: "2".repeat(40) });
        let merge = Commit::from_bytes([0x22; 20]);
        assert_eq!(one.read().unwrap().state, PullRequestState::Merged(Some(merge)));
    }

    #[test]
    fn a_state_that_we_do_not_know_is_no_state() {
        assert_eq!(view("LOCKED", "UNKNOWN", "UNKNOWN").read().unwrap_err(), "state LOCKED");
    }
}
