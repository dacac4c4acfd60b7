//! People: they close, merge, push, point elsewhere and run checks again; left alone, they finish what they began.

use domain::{commit::Commit, promotion::Aim};

use super::{
    World,
    forge::{Check, PullRequest, PullRequestIs},
};

impl World {
    pub(super) fn a_person_closes(&mut self) {
        if let Some(one) = self.open().and_then(|index| self.pull_requests.get(index)) {
            let kind = if one.now.required == Check::Failed { "close-red" } else { "close" };
            let number = one.number;
            self.change_open(|view| view.is = PullRequestIs::ClosedByAPerson);
            self.tell(kind, format_args!("{number} by a person"));
        }
    }

    /// A person merges and asks no check, as an administrator may.
    pub(super) fn a_person_merges(&mut self) {
        let Some(index) = self.open() else {
            return;
        };
        let is_red = self.pull_requests.get(index).is_some_and(|one| one.now.required == Check::Failed);
        self.merge(index);
        if is_red && self.open().is_none() {
            self.tell("merge-red", "by a person");
        }
    }

    pub(super) fn a_person_pushes(&mut self) {
        if self.random.bool() {
            return;
        }
        let Some(one) = self.open().and_then(|index| self.pull_requests.get(index)).copied() else {
            return;
        };
        let mut head = one.now.head;
        head.foreign = true;
        head.commit = Commit::from_bytes([250; 20]);
        if let Some(branch) = self.branches.get_mut(one.commit) {
            *branch = Some(head);
        }
        self.head_moves(one.commit, head);
        self.tell("foreign", format_args!("commit on {}", one.number));
    }

    /// A person points the pull request at another branch, or back. GitHub withdraws the order to merge for those who
    /// may not write to the new branch, so both happen.
    pub(super) fn a_person_retargets(&mut self) {
        let Some(one) = self.open().and_then(|index| self.pull_requests.get(index)) else {
            return;
        };
        let (number, aim) = (one.number, one.now.aim);
        let withdraws = self.random.bool();
        let (kind, aim) = match aim {
            Aim::Base => ("retargeted", Aim::Elsewhere),
            Aim::Elsewhere => ("pointed-back", Aim::Base),
        };
        self.change_open(|view| {
            view.aim = aim;
            view.armed &= !withdraws;
        });
        self.tell(kind, number);
    }

    pub(super) fn a_person_takes_the_order_back(&mut self) {
        if let Some(one) = self.open().and_then(|index| self.pull_requests.get(index))
            && one.now.armed
        {
            let number = one.number;
            self.change_open(|view| view.armed = false);
            self.tell("taken-back", number);
        }
    }

    /// Whether we wait for people to say what becomes of an order that they have taken back.
    fn waits_for_an_order(&self, one: &PullRequest) -> bool {
        !one.now.armed && self.promotions.iter().any(|mine| mine.outcome.is_none() && mine.ordered.is_some())
    }

    pub(super) fn a_person_runs_the_check_again(&mut self) {
        if let Some(one) = self.open().and_then(|index| self.pull_requests.get(index))
            && one.now.required == Check::Failed
        {
            self.change_open(|view| view.required = Check::Running);
            self.tell("rerun", "the required check");
        }
    }

    /// People and checks finish what they began, and hold up nothing for ever.
    pub(crate) fn people_finish(&mut self) {
        let Some(one) = self.open().and_then(|index| self.pull_requests.get(index)).copied() else {
            return self.people_take_their_commits_away();
        };
        let acts = self.random.u8(0..3);
        match (one.now.aim, acts) {
            (Aim::Elsewhere, 0) => return self.a_person_closes(),
            (Aim::Elsewhere, 1) => return self.a_person_merges(),
            (Aim::Elsewhere, _) => return self.a_person_retargets(),
            (Aim::Base, _) => {}
        }
        if self.waits_for_an_order(&one) && !one.now.head.foreign {
            return match acts {
                0 => self.a_person_closes(),
                1 => self.a_person_merges(),
                _ => self.change_open(|view| view.armed = true),
            };
        }
        match (one.now.head.foreign, one.now.required, acts) {
            (true, _, _) | (false, Check::Failed, 0) => self.a_person_closes(),
            (false, Check::Failed, 1) => self.a_person_merges(),
            (false, Check::Failed, _) => self.a_person_runs_the_check_again(),
            (false, Check::Running, _) => self.a_check_ends(),
            (false, Check::Passed, _) => match one.now.optional {
                Check::Running => self.a_check_ends(),
                // Nobody leaves it red for ever while it holds up the order to merge.
                Check::Failed if !one.now.armed => self.change_open(|view| view.optional = Check::Passed),
                Check::Failed | Check::Passed => {}
            },
        }
    }

    /// People delete the branches with commits of theirs that are in no pull request any more.
    fn people_take_their_commits_away(&mut self) {
        for branch in &mut self.branches {
            *branch = branch.filter(|tip| !tip.foreign);
        }
    }
}
