//! The forge: pull requests, their checks, and merging.

use domain::{
    commit::Commit,
    forge::{Mergeability, Number},
    promotion::Aim,
};

use super::{Head, World};

/// A pull request, as it is and as an answer shows it that lags behind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PullRequest {
    pub(crate) number: Number,
    /// The promotion that opened it.
    pub(crate) promotion: usize,
    /// The commit whose release branch it merges.
    pub(crate) commit: usize,
    pub(crate) now: View,
    /// What it was before its last change; `None` when it was not there.
    pub(crate) before: Option<View>,
}

/// What can be seen of a pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) is: PullRequestIs,
    pub(crate) armed: bool,
    pub(crate) required: Check,
    pub(crate) optional: Check,
    pub(crate) aim: Aim,
    pub(crate) head: Head,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PullRequestIs {
    Open,
    ClosedByUs,
    ClosedByAPerson,
    /// It is in the branch that it was aimed at.
    Merged(Commit),
}

/// How a check of a head stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    Running,
    Passed,
    Failed,
}

impl PullRequest {
    pub(crate) fn is_open(&self) -> bool {
        self.now.is == PullRequestIs::Open
    }

    /// Changes it; what it was is what a lagging answer shows.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut View)) {
        let was = self.now;
        change(&mut self.now);
        if self.now != was {
            self.before = Some(was);
        }
    }
}

impl World {
    /// The pull request that is open; there is one at most.
    pub(crate) fn open(&self) -> Option<usize> {
        self.pull_requests.iter().position(PullRequest::is_open)
    }

    /// Changes the pull request that is open.
    pub(crate) fn change_open(&mut self, change: impl FnOnce(&mut View)) {
        if let Some(one) = self.pull_requests.iter_mut().find(|one| one.is_open()) {
            one.change(change);
        }
    }

    /// Opens a pull request of a release branch into the base.
    pub(crate) fn create(&mut self, promotion: usize, head: Head) {
        let commit = self.promotions.get(promotion).map_or(0, |promotion| promotion.commit);
        let number = Number(u64::try_from(self.pull_requests.len()).unwrap_or(0) + 1);
        let (required, optional) = self.checks_of_a_new_head();
        let now = View { is: PullRequestIs::Open, armed: false, required, optional, aim: Aim::Base, head };
        self.pull_requests.push(PullRequest { number, promotion, commit, now, before: None });
        self.tell("created", format_args!("{number} of {commit}"));
    }

    /// A pull request gets the commit that was pushed to its branch.
    pub(crate) fn head_moves(&mut self, commit: usize, head: Head) {
        let checks = self.checks_of_a_new_head();
        for one in self.pull_requests.iter_mut().filter(|one| one.commit == commit && one.is_open()) {
            one.change(|view| {
                if view.head.commit != head.commit {
                    (view.required, view.optional) = checks;
                }
                view.head = head;
            });
        }
    }

    /// The required check and the other one.
    fn checks_of_a_new_head(&mut self) -> (Check, Check) {
        let required = if self.rules.requires_check { Check::Running } else { Check::Passed };
        let optional = if self.random.u8(0..4) == 0 { Check::Running } else { Check::Passed };
        (required, optional)
    }

    /// The line that both would change is another one now than when the head was made.
    pub(crate) fn conflicts(&self, one: &PullRequest, view: &View) -> bool {
        let base = self.base;
        view.aim == Aim::Base && base.deployed != view.head.made_on.deployed && base.deployed != one.commit
    }

    fn is_behind(&self, view: &View) -> bool {
        view.aim == Aim::Base && self.rules.strict && view.head.made_on.tip != self.base.tip
    }

    /// Whether a pull request that looks so could be merged.
    pub(crate) fn mergeability(&self, one: &PullRequest, view: &View) -> Mergeability {
        let (is_behind, is_blocked) = (self.is_behind(view), view.required != Check::Passed);
        if self.conflicts(one, view) {
            Mergeability::Conflicting
        } else if is_behind && (self.rules.tells_behind_first || !is_blocked) {
            Mergeability::Behind
        } else if is_blocked {
            Mergeability::Blocked
        } else if view.optional == Check::Passed {
            Mergeability::Clean
        } else {
            Mergeability::Unstable
        }
    }

    /// The forge merges what is armed and lacks nothing that is required, into whatever it is aimed at by now.
    pub(crate) fn forge_works(&mut self) {
        if let Some(index) = self.open()
            && let Some(one) = self.pull_requests.get(index)
            && one.now.armed
            && one.now.required == Check::Passed
        {
            self.merge(index);
        }
    }

    /// Merges an open pull request where Git and the tip that it must contain allow it.
    pub(crate) fn merge(&mut self, index: usize) {
        let Some(one) = self.pull_requests.get(index).copied() else {
            return;
        };
        if !one.is_open() || self.conflicts(&one, &one.now) || self.is_behind(&one.now) {
            return;
        }
        let (number, commit) = (one.number, one.commit);
        let merge = match one.now.aim {
            Aim::Base => {
                let deployed = self.base.deployed;
                assert!(!self.is_ancestor(commit, deployed), "the merge of {commit} moves the overlays backwards");
                self.tell("merge", format_args!("{number} of {commit}"));
                self.base_moves(commit);
                200 + self.base.tip % 50
            }
            Aim::Elsewhere => {
                self.tell("merge-elsewhere", format_args!("{number} of {commit}"));
                180
            }
        };
        if let Some(one) = self.pull_requests.get_mut(index) {
            one.change(|view| view.is = PullRequestIs::Merged(Commit::from_bytes([merge; 20])));
        }
        if let Some(branch) = self.branches.get_mut(commit) {
            *branch = None;
        }
    }

    /// Deletes a release branch, which closes its open pull request.
    pub(crate) fn delete_branch(&mut self, commit: usize) {
        if let Some(branch) = self.branches.get_mut(commit) {
            *branch = None;
        }
        for one in self.pull_requests.iter_mut().filter(|one| one.commit == commit && one.is_open()) {
            one.change(|view| view.is = PullRequestIs::ClosedByUs);
        }
    }

    pub(super) fn a_check_ends(&mut self) {
        let Some(one) = self.open().and_then(|index| self.pull_requests.get(index)) else {
            return;
        };
        let (required, optional) = (one.now.required, one.now.optional);
        let verdict = if self.random.u8(0..4) == 0 { Check::Failed } else { Check::Passed };
        if required == Check::Running {
            self.change_open(|view| view.required = verdict);
            self.tell(if verdict == Check::Failed { "red" } else { "green" }, "the required check");
        } else if optional == Check::Running {
            self.change_open(|view| view.optional = verdict);
            self.tell(if verdict == Check::Failed { "optional-red" } else { "optional-green" }, "the other check");
        }
    }

    pub(super) fn an_optional_check_begins(&mut self) {
        if self.open().is_some() {
            self.change_open(|view| view.optional = Check::Running);
            self.tell("optional-runs", "again");
        }
    }
}
