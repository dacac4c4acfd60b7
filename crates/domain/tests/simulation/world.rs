//! The world outside of us: source commits, the base branch, the forge, and people.

use domain::{
    commit::Commit,
    evidence::Verdict,
    forge::Number,
    promotion::{Ending, Outcome},
};

/// Everything that there is.
pub(crate) struct World {
    pub(crate) random: fastrand::Rng,
    pub(crate) log: Vec<String>,
    pub(crate) seconds: i64,
    /// How many of the commits are one line; the one after them branches off the first.
    line: usize,
    pub(crate) evidence: Vec<Proof>,
    pub(crate) base: Base,
    pub(crate) strict: bool,
    pub(crate) frozen: bool,
    pub(crate) promotions: Vec<Promotion>,
    pub(crate) pull_requests: Vec<PullRequest>,
    /// What is at the tip of the release branch of each promotion.
    pub(crate) branches: Vec<Option<Head>>,
}

/// What is proven of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    Pending,
    Passed,
    Failed,
}

/// The base branch of the GitOps repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    /// Counts its commits.
    pub(crate) tip: u8,
    /// The source commit that the overlays name.
    pub(crate) deployed: usize,
    /// Whether the overlays can not be edited.
    pub(crate) broken: bool,
}

/// A commit at the tip of a release branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) commit: Commit,
    pub(crate) made_on: Base,
    pub(crate) foreign: bool,
}

/// What we have stored of a promotion.
#[derive(Clone, Debug, Default)]
pub(crate) struct Promotion {
    pub(crate) commit: usize,
    pub(crate) number: Option<Number>,
    pub(crate) heads: Vec<(Commit, u8)>,
    pub(crate) closing: Option<Ending>,
    pub(crate) live: bool,
    pub(crate) outcome: Option<Outcome>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct PullRequest {
    pub(crate) number: Number,
    pub(crate) promotion: usize,
    pub(crate) is: PullRequestIs,
    pub(crate) armed: bool,
    pub(crate) checked: bool,
    pub(crate) head: Head,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PullRequestIs {
    Open,
    ClosedByUs,
    ClosedByAPerson,
    Merged(Commit),
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let line = random.usize(2..5);
        let commits = line + usize::from(random.u8(0..4) == 0);
        Self {
            log: Vec::new(),
            seconds: 0,
            line,
            evidence: (0..commits).map(|_| Proof::Pending).collect(),
            base: Base { tip: 0, deployed: 0, broken: false },
            strict: random.bool(),
            frozen: false,
            promotions: (1..commits).map(|commit| Promotion { commit, ..Promotion::default() }).collect(),
            pull_requests: Vec::new(),
            branches: vec![None; commits - 1],
            random,
        }
    }

    pub(crate) fn name(index: usize) -> Commit {
        Commit::from_bytes([u8::try_from(index).unwrap_or(u8::MAX); 20])
    }

    pub(crate) fn index_of(&self, commit: Commit) -> usize {
        (0..self.evidence.len()).find(|index| Self::name(*index) == commit).unwrap_or(usize::MAX)
    }

    /// Whether the first commit is an ancestor of the second, and not the same.
    pub(crate) fn is_ancestor(&self, first: usize, second: usize) -> bool {
        first < second && (second < self.line || first == 0)
    }

    pub(crate) fn verdict(&self, commit: usize) -> Verdict {
        match self.evidence.get(commit) {
            Some(Proof::Passed) => Verdict::Passed,
            Some(Proof::Pending) => Verdict::Pending {
                why: "an image is missing".to_owned(),
                until: chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(self.seconds + 5),
            },
            Some(Proof::Failed) | None => Verdict::Failed { why: "no such commit".to_owned() },
        }
    }

    /// The line that both would change is another one now than when the head was made.
    pub(crate) fn conflicts(&self, one: &PullRequest) -> bool {
        let wanted = self.promotions.get(one.promotion).map(|promotion| promotion.commit);
        self.base.deployed != one.head.made_on.deployed && Some(self.base.deployed) != wanted
    }

    pub(crate) fn is_behind(&self, one: &PullRequest) -> bool {
        self.strict && one.head.made_on.tip != self.base.tip
    }

    /// One random thing that is not our doing.
    pub(crate) fn something_happens(&mut self) {
        self.seconds += 1;
        match self.random.u8(0..16) {
            0..=3 => self.evidence_comes_in(),
            4..=6 => self.checks_pass(),
            7 => self.base_moves(),
            8 => self.overlays_are_edited_by_hand(),
            9 => self.base.broken = !self.base.broken,
            10 => self.frozen = !self.frozen,
            11 => self.a_person_closes(),
            12 => self.a_person_merges(),
            13 => self.a_person_pushes(),
            _ => self.forge_works(),
        }
    }

    /// People finish what they began and touch nothing more.
    pub(crate) fn come_to_rest(&mut self) {
        self.frozen = false;
        self.base.broken = false;
        for proof in &mut self.evidence {
            if *proof == Proof::Pending {
                *proof = if self.random.u8(0..4) == 0 { Proof::Failed } else { Proof::Passed };
            }
        }
        for one in &mut self.pull_requests {
            one.checked = true;
            if one.is == PullRequestIs::Open && one.head.foreign {
                one.is = PullRequestIs::ClosedByAPerson;
            }
        }
        self.log.push("rest".to_owned());
    }

    /// The forge merges what is armed and may be merged.
    pub(crate) fn forge_works(&mut self) {
        for index in 0..self.pull_requests.len() {
            let Some(one) = self.pull_requests.get(index).copied() else {
                continue;
            };
            if one.armed && one.checked {
                self.merge(index);
            }
        }
    }

    /// Merges an open pull request where nothing stands in the way.
    pub(crate) fn merge(&mut self, index: usize) {
        let Some(one) = self.pull_requests.get(index).copied() else {
            return;
        };
        if one.is != PullRequestIs::Open || self.conflicts(&one) || self.is_behind(&one) {
            return;
        }
        let commit = self.promotions.get(one.promotion).map_or(0, |promotion| promotion.commit);
        assert!(!self.is_ancestor(commit, self.base.deployed), "the merge of {commit} moves the overlays backwards");
        self.base.tip += 1;
        self.base.deployed = commit;
        let merge_commit = Commit::from_bytes([200 + self.base.tip % 50; 20]);
        if let Some(one) = self.pull_requests.get_mut(index) {
            one.is = PullRequestIs::Merged(merge_commit);
        }
        if let Some(branch) = self.branches.get_mut(one.promotion) {
            *branch = None;
        }
        self.log.push(format!("merged {commit} as tip {}", self.base.tip));
    }

    /// What must be so at any time.
    pub(crate) fn check_now(&self) {
        let open = self.pull_requests.iter().filter(|one| one.is == PullRequestIs::Open).count();
        assert!(open <= 1, "{open} pull requests are open");
    }

    fn evidence_comes_in(&mut self) {
        let index = self.random.usize(0..self.evidence.len());
        let failed = self.random.u8(0..6) == 0;
        if let Some(proof) = self.evidence.get_mut(index)
            && *proof == Proof::Pending
        {
            *proof = if failed { Proof::Failed } else { Proof::Passed };
            self.log.push(format!("evidence of {index}: {proof:?}"));
        }
    }

    pub(crate) fn checks_pass(&mut self) {
        for one in &mut self.pull_requests {
            one.checked = true;
        }
        self.log.push("checks pass".to_owned());
    }

    fn base_moves(&mut self) {
        self.base.tip += 1;
        self.log.push(format!("base moves to tip {}", self.base.tip));
    }

    fn overlays_are_edited_by_hand(&mut self) {
        self.base.tip += 1;
        self.base.deployed = self.random.usize(0..self.evidence.len());
        self.log.push(format!("hand-edit to {} at tip {}", self.base.deployed, self.base.tip));
    }

    fn a_person_closes(&mut self) {
        if let Some(one) = self.pull_requests.last_mut()
            && one.is == PullRequestIs::Open
        {
            one.is = PullRequestIs::ClosedByAPerson;
            self.log.push(format!("a person closes {}", one.number));
        }
    }

    fn a_person_merges(&mut self) {
        if let Some(index) = self.pull_requests.len().checked_sub(1) {
            self.merge(index);
        }
    }

    fn a_person_pushes(&mut self) {
        if self.random.u8(0..4) > 0 {
            return;
        }
        if let Some(one) = self.pull_requests.last_mut()
            && one.is == PullRequestIs::Open
        {
            one.head.foreign = true;
            one.head.commit = Commit::from_bytes([250; 20]);
            if let Some(branch) = self.branches.get_mut(one.promotion) {
                *branch = Some(one.head);
            }
            self.log.push(format!("foreign commit on {}", one.number));
        }
    }
}
