//! The world outside of us: source commits, the base branch, the forge, and people.

mod forge;
mod people;

use domain::{
    commit::Commit,
    evidence::Verdict,
    forge::Number,
    promotion::{Ending, Outcome},
};

pub(crate) use forge::{Check, PullRequest, PullRequestIs, View};

/// Everything that there is.
pub(crate) struct World {
    pub(crate) random: fastrand::Rng,
    /// Everything that happened, where somebody wants to read it.
    pub(crate) story: Option<Vec<String>>,
    /// What kinds of things happened, in their order.
    pub(crate) kinds: Vec<&'static str>,
    pub(crate) seconds: i64,
    /// How many of the commits are one line; the one after them branches off the first.
    line: usize,
    pub(crate) evidence: Vec<Proof>,
    pub(crate) base: Base,
    /// The base branch before its last change, as an answer shows it that lags behind.
    pub(crate) base_before: Base,
    rules: Rules,
    pub(crate) frozen: bool,
    pub(crate) promotions: Vec<Promotion>,
    pub(crate) pull_requests: Vec<PullRequest>,
    /// What is at the tip of the release branch of each commit.
    pub(crate) branches: Vec<Option<Head>>,
}

/// What the base branch asks of a pull request.
#[derive(Clone, Copy, Debug)]
struct Rules {
    /// A check must pass.
    requires_check: bool,
    /// It must contain the tip.
    strict: bool,
    /// Of a pull request that lacks both, the forge tells the missing tip first.
    tells_behind_first: bool,
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
    pub(crate) ordered: Option<Commit>,
    pub(crate) live: bool,
    pub(crate) outcome: Option<Outcome>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let line = random.usize(2..5);
        let commits = line + usize::from(random.u8(0..4) == 0);
        let base = Base { tip: 0, deployed: 0, broken: false };
        let rules =
            Rules { requires_check: random.u8(0..4) > 0, strict: random.bool(), tells_behind_first: random.bool() };
        Self {
            story: None,
            kinds: Vec::new(),
            seconds: 0,
            line,
            evidence: vec![Proof::Pending; commits],
            base,
            base_before: base,
            rules,
            frozen: false,
            promotions: (1..commits).map(|commit| Promotion { commit, ..Promotion::default() }).collect(),
            pull_requests: Vec::new(),
            branches: vec![None; commits],
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

    /// Remembers what happened, by its kind.
    pub(crate) fn tell(&mut self, kind: &'static str, what: impl std::fmt::Display) {
        self.kinds.push(kind);
        self.note(format_args!("{kind}: {what}"));
    }

    /// Adds to the story.
    pub(crate) fn note(&mut self, what: std::fmt::Arguments<'_>) {
        if let Some(story) = &mut self.story {
            story.push(what.to_string());
        }
    }

    /// One random thing that is not our doing.
    pub(crate) fn something_happens(&mut self) {
        self.seconds += 1;
        match self.random.u8(0..25) {
            0..=3 => self.evidence_comes_in(),
            4..=7 => self.a_check_ends(),
            8 => self.base_moves(self.base.deployed),
            9 => self.overlays_are_edited_by_hand(),
            10 => self.base.broken = !self.base.broken,
            11 => self.frozen = !self.frozen,
            12 => self.a_person_closes(),
            13 => self.a_person_merges(),
            14 => self.a_person_pushes(),
            15 => self.a_person_retargets(),
            16 => self.a_person_runs_the_check_again(),
            17 => self.an_optional_check_begins(),
            18 => self.a_refused_release_is_built_again(),
            19 => self.a_person_takes_the_order_back(),
            _ => self.forge_works(),
        }
    }

    /// People let go of what they hold up, and everything that is to be known is known.
    pub(crate) fn come_to_rest(&mut self) {
        self.frozen = false;
        self.base.broken = false;
        for proof in &mut self.evidence {
            if *proof == Proof::Pending {
                *proof = if self.random.u8(0..4) == 0 { Proof::Failed } else { Proof::Passed };
            }
        }
        self.note(format_args!("rest"));
    }

    /// What must be so at any time.
    pub(crate) fn check_now(&self) {
        let open = self.pull_requests.iter().filter(|one| one.now.is == PullRequestIs::Open).count();
        assert!(open <= 1, "{open} pull requests are open");
    }

    fn evidence_comes_in(&mut self) {
        let index = self.random.usize(0..self.evidence.len());
        let chance = self.random.u8(0..16);
        let Some(proof) = self.evidence.get_mut(index) else {
            return;
        };
        let (kind, becomes) = match (*proof, chance) {
            (Proof::Pending, 0..=1) => ("disproven", Proof::Failed),
            (Proof::Pending, _) => ("proven", Proof::Passed),
            // Its tag was pushed again, with another image.
            (Proof::Passed, 0..=1) => ("moved-tag", Proof::Failed),
            // The application got another target, which has no image of it yet.
            (Proof::Passed, 2..=3) => ("another-target", Proof::Pending),
            (Proof::Passed, _) | (Proof::Failed, _) => return,
        };
        *proof = becomes;
        self.tell(kind, index);
    }

    /// A new build of a refused release comes in, which opens the release again: the branch is the same.
    fn a_refused_release_is_built_again(&mut self) {
        let commit = self.random.usize(0..self.evidence.len());
        let last = self.promotions.iter().rfind(|one| one.commit == commit);
        if !last.is_some_and(|last| matches!(last.outcome, Some(Outcome::Ended(Ending::Refused { .. })))) {
            return;
        }
        if let Some(proof) = self.evidence.get_mut(commit) {
            *proof = if self.random.bool() { Proof::Pending } else { Proof::Passed };
        }
        self.tell("reopened", format_args!("release {commit}"));
        self.promotions.push(Promotion { commit, ..Promotion::default() });
    }

    /// The base branch gets a commit, after which the overlays name this one.
    fn base_moves(&mut self, deployed: usize) {
        self.base_before = self.base;
        self.base.tip += 1;
        self.base.deployed = deployed;
        let tip = self.base.tip;
        self.tell("base", format_args!("tip {tip} names {deployed}"));
    }

    fn overlays_are_edited_by_hand(&mut self) {
        let deployed = self.random.usize(0..self.evidence.len());
        self.tell("hand-edit", format_args!("to {deployed}"));
        self.base_moves(deployed);
    }
}
