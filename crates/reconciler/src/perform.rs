//! One pass over a promotion: look, ask for the next step, do it, look again, until there is something to wait for.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    commit::Commit,
    fault::{Chain, Fault},
    forge::{AutoMerge, PullRequest, PullRequestState},
    promotion::{Ending, Outcome, Reason, Step, later, next_step},
    proposal::Proposal,
};
use forge::{Armed, FileEdit, NewCommit, NewPullRequest, Order, Ordered};
use store::{Claim, Note, PromotionId, PushedHead};
use tracing::{debug, info, warn};

use crate::{Error, Reconciler, observe::Observed, outside::Outside, overlays::Rewritten, run::After};

/// How many steps a pass takes at most before others have their turn; the way from nothing to armed takes three.
const MOST_STEPS: usize = 6;

/// How long others have their turn then: what the forge shows may lag behind what it was told.
const BREATH: TimeDelta = TimeDelta::seconds(2);

/// The effects of steps on one promotion, as it was observed under one claim.
pub(crate) struct Performer<'a> {
    pub(crate) reconciler: &'a Reconciler,
    pub(crate) claim: &'a Claim,
    pub(crate) observed: &'a Observed<'a>,
}

impl Reconciler {
    /// Takes a promotion as far as it goes now.
    pub(crate) async fn pass(&self, claim: &Claim, id: PromotionId) -> Result<After, Error> {
        for _ in 0..MOST_STEPS {
            let observed = self.observe(claim, id, self.store.now()).await?;
            let step = next_step(&observed.situation);
            debug!(step = step.as_str(), promotion.id = %id, "the next step is decided");
            let performer = Performer { reconciler: self, claim, observed: &observed };
            performer.report().await?;
            performer.remark(&step).await?;
            match performer.perform(step).await {
                Ok(Some(after)) => return Ok(after),
                Ok(None) => {}
                Err(error) => {
                    if error.fault() == Fault::Permanent {
                        let why = Chain(&error).to_string();
                        performer.overdue(&why).await?;
                    }
                    return Err(error);
                }
            }
        }
        Ok(After::Again(self.store.now() + BREATH))
    }
}

impl Performer<'_> {
    /// Does one step; `None` means that it is worth looking again at once.
    async fn perform(&self, step: Step) -> Result<Option<After>, Error> {
        match step {
            Step::Wait { reason, until } => {
                if let Reason::Slot(_) = reason {
                    // The one in the way ends itself, once it sees that this one is newer and proven.
                    self.reconciler
                        .store
                        .wake_slot_holder(&self.observed.promotion, self.reconciler.store.now())
                        .await?;
                }
                if self.observed.situation.voids_order(&reason) {
                    self.reconciler.store.withdraw_order(self.claim).await?;
                }
                return Ok(Some(self.wait(&reason, until, None).await?));
            }
            Step::Settle(outcome) => {
                self.settle(&outcome).await?;
                return Ok(Some(After::Settled));
            }
            Step::Propose => self.propose().await?,
            Step::Close(ending) => self.close(&ending).await?,
            Step::Arm { head } => return self.arm(head).await,
            Step::Disarm => self.disarm().await?,
        }
        Ok(None)
    }

    /// Says what is waited for, and tells people once that it takes too long.
    async fn wait(&self, reason: &Reason, until: DateTime<Utc>, link: Option<&str>) -> Result<After, Error> {
        let why = reason.to_string();
        self.overdue(&why).await?;
        self.note(store::WAITING, why, link).await?;
        Ok(After::Again(until))
    }

    /// Records how it ended. Its branch goes first, so that a crash leaves none behind; the one of a pull request that
    /// a person closed is theirs.
    ///
    /// The branch may have a pull request that was not shown to us yet. Deleting it closes that, and a close by us is
    /// never to be taken for a person's: the decision is recorded first.
    async fn settle(&self, outcome: &Outcome) -> Result<(), Error> {
        let promotion = &self.observed.promotion;
        match outcome {
            Outcome::Ended(ending) if !promotion.heads.is_empty() => {
                if promotion.closing.is_none() {
                    self.reconciler.store.record_closing(self.claim, ending, self.reconciler.store.now()).await?;
                }
                self.delete_branch().await?;
            }
            Outcome::Merged { .. } if self.observed.look.as_ref().is_some_and(|look| look.has_branch) => {
                self.delete_branch().await?;
            }
            Outcome::Ended(_) | Outcome::Merged { .. } | Outcome::Declined => {}
        }
        self.reconciler.store.settle(self.claim, outcome, self.reconciler.store.now()).await?;
        info!(
            promotion.id = %promotion.id,
            application = %promotion.application,
            commit = %promotion.commit,
            outcome = outcome.as_str(),
            "a promotion is settled: {outcome}"
        );
        Ok(())
    }

    /// Commits the edits on the tip that was seen, pushes, and sees to it that there is a pull request; unless a tag was
    /// moved since it was looked at, which is looked at anew.
    ///
    /// The commit is recorded before the release branch points to it, so that after a crash in between it is known as
    /// ours. The same edit on the same tip gives the same commit, so that doing it twice does nothing the second time.
    async fn propose(&self) -> Result<(), Error> {
        let Reconciler { store, outside: Outside { forge, .. }, .. } = self.reconciler;
        let Observed { promotion, branch, gathered, .. } = self.observed;
        let Some(edit) = &gathered.seen.edit else { return Ok(()) };
        if self.reconciler.has_moved(self.claim, self.observed.application, promotion).await? {
            return Ok(());
        }
        store.take_slot(self.claim, self.reconciler.store.now()).await?;
        let message = self.proposal().commit_message();
        let file = |one: &Rewritten| FileEdit { path: one.path.clone(), bytes: one.after.clone() };
        let files: Vec<FileEdit> = edit.files.iter().map(file).collect();
        let ours = store.heads_of_release(promotion.release).await?;
        let new =
            NewCommit { branch, ours: &ours, tip: edit.tip, files: &files, message: &message, at: promotion.opened_at };
        self.reword().await?;
        let head = forge.commit(&promotion.gitops, &new).await?;
        store.record_head(self.claim, PushedHead { commit: head, base: edit.tip }, self.reconciler.store.now()).await?;
        forge.push(&promotion.gitops, branch, head, &ours).await?;
        self.note("pushed", format!("{} is at {}", branch.branch(), head.short()), None).await?;
        if promotion.pull_request.is_none() {
            self.open().await?;
        }
        Ok(())
    }

    /// Has an open pull request tell what its branch is about to be, where people left its words as they were.
    async fn reword(&self) -> Result<(), Error> {
        let Some(look) = &self.observed.look else { return Ok(()) };
        let Some(new) = self.proposal().rewording(&look.title, &look.body) else { return Ok(()) };
        let (promotion, number) = (&self.observed.promotion, look.pull_request.number);
        self.reconciler.outside.forge.reword(&promotion.gitops, number, &new).await?;
        let why = format!("pull request {number} tells of what is proposed now");
        self.note("reworded", why, Some(&look.pull_request.url)).await
    }

    /// Opens the pull request, or adopts the one that an earlier try opened without hearing of it.
    async fn open(&self) -> Result<(), Error> {
        let Observed { promotion, branch, .. } = self.observed;
        let proposal = self.proposal();
        let (title, body) = (proposal.title(), proposal.body());
        let new = NewPullRequest { branch, base: &promotion.base, title: &title, body: &body };
        let opened = self.reconciler.outside.forge.create_pull_request(&promotion.gitops, &new).await?;
        self.reconciler
            .store
            .record_pull_request(self.claim, opened.number, &opened.url, self.reconciler.store.now())
            .await?;
        info!(
            promotion.id = %promotion.id,
            pull_request.number = opened.number.0,
            application = %promotion.application,
            "a pull request is open"
        );
        Ok(())
    }

    /// Closes the pull request; the decision is recorded first, so that our own close is never taken for a person's.
    async fn close(&self, ending: &Ending) -> Result<(), Error> {
        let Reconciler { store, outside: Outside { forge, .. }, .. } = self.reconciler;
        let Some(open) = self.pull_request() else { return Ok(()) };
        store.record_closing(self.claim, ending, self.reconciler.store.now()).await?;
        if let Err(refused) = forge.close(&self.observed.promotion.gitops, open.number).await {
            // What was merged or closed in the meantime can not be closed, and need not be.
            let now = forge.pull_request(&self.observed.promotion.gitops, open.number).await?;
            if now.state == PullRequestState::Open {
                return Err(refused.into());
            }
            return Ok(());
        }
        self.note("closed", format!("pull request {} is closed: {ending}", open.number), Some(&open.url)).await
    }

    /// Deletes the branch where the forge has not done it, unless somebody else works on it: then it is theirs. That
    /// we may not delete it keeps no end from being recorded.
    async fn delete_branch(&self) -> Result<(), Error> {
        let Reconciler { store, outside: Outside { forge, .. }, .. } = self.reconciler;
        let Observed { promotion, branch, .. } = self.observed;
        let ours = store.heads_of_release(promotion.release).await?;
        match forge.delete_branch(&promotion.gitops, branch, &ours).await {
            Ok(()) => Ok(()),
            Err(forge::Error::ForeignTip { .. }) => {
                self.note("kept", "the branch has a commit that is not ours and is kept".to_owned(), None).await
            }
            Err(error) if error.fault() == Fault::Permanent => {
                let why = Chain(&error).to_string();
                warn!(promotion.id = %promotion.id, error = why, "a branch is left behind");
                self.note("kept", format!("the branch is left behind: {why}"), None).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Labels the pull request, once, and orders the forge to merge it; both can be repeated. What the forge takes no
    /// order for is looked at again later.
    async fn arm(&self, head: Commit) -> Result<Option<After>, Error> {
        let Reconciler { store, outside: Outside { forge, .. }, .. } = self.reconciler;
        let Observed { promotion, application, situation, .. } = self.observed;
        let Some(look) = &self.observed.look else { return Ok(None) };
        let open = &look.pull_request;
        let policy = &application.pull_request;
        let proposal = self.proposal();
        let order = Order {
            head,
            base: &promotion.base,
            method: policy.merge_method,
            headline: &proposal.title(),
            body: &proposal.trailers(),
            labels: if promotion.labelled { &[] } else { &policy.labels },
        };
        let Ordered { armed, unlabelled } = forge.arm(&promotion.gitops, look, &order).await?;
        if let Some(why) = unlabelled {
            warn!(promotion.id = %promotion.id, pull_request.number = open.number.0, why, "labels are missing");
            self.note("unlabelled", why, Some(&open.url)).await?;
        }
        if !promotion.labelled {
            store.record_labelled(self.claim, self.reconciler.store.now()).await?;
        }
        let number = open.number;
        match armed {
            Armed::Armed => {
                let why = format!("pull request {number} merges itself once it may");
                let note = Note { what: "armed", why, link: Some(open.url.clone()) };
                store.record_order(self.claim, head, &note, self.reconciler.store.now()).await?;
                return self.ordered(AutoMerge::Armed, Some(head)).await;
            }
            // The queue takes out what fails, and then it is tried again: that is nobody's order taken back.
            Armed::ForQueue => {
                self.note(
                    "armed",
                    format!("pull request {number} goes into the merge queue once it may"),
                    Some(&open.url),
                )
                .await?;
                return self.ordered(AutoMerge::Armed, None).await;
            }
            Armed::Queued => {
                self.note("armed", format!("pull request {number} is in the merge queue"), Some(&open.url)).await?;
                return self.ordered(AutoMerge::Queued, None).await;
            }
            Armed::Merged(_) => {
                let why = format!("pull request {number} had everything that is required and is merged");
                self.note("armed", why, Some(&open.url)).await?;
            }
            Armed::Watching(missing) => {
                let reason = Reason::Watching(missing);
                return Ok(Some(self.wait(&reason, later(situation), Some(&open.url)).await?));
            }
        }
        Ok(None)
    }

    /// Waits for what an order is for, which it says without another look: the forge has just shown the order.
    async fn ordered(&self, auto_merge: AutoMerge, ordered: Option<Commit>) -> Result<Option<After>, Error> {
        let mut situation = self.observed.situation.clone();
        situation.ordered = ordered.or(situation.ordered);
        if let Some(proposed) = &mut situation.pull_request {
            proposed.pull_request.auto_merge = auto_merge;
        }
        let Step::Wait { reason, until } = next_step(&situation) else { return Ok(None) };
        Ok(Some(self.wait(&reason, until, None).await?))
    }

    async fn disarm(&self) -> Result<(), Error> {
        let Some(open) = self.pull_request() else { return Ok(()) };
        self.reconciler.store.withdraw_order(self.claim).await?;
        self.reconciler.outside.forge.disarm(&self.observed.promotion.gitops, open).await?;
        self.note("disarmed", format!("pull request {} no longer merges itself", open.number), Some(&open.url)).await
    }

    pub(crate) async fn note(&self, what: &'static str, why: String, link: Option<&str>) -> Result<(), Error> {
        let note = Note { what, why, link: link.map(str::to_owned) };
        Ok(self.reconciler.store.note(self.claim, &note, self.reconciler.store.now()).await?)
    }

    pub(crate) fn pull_request(&self) -> Option<&PullRequest> {
        self.observed.situation.pull_request.as_ref().map(|proposed| &proposed.pull_request)
    }

    fn proposal(&self) -> Proposal<'_> {
        let Observed { application, promotion, gathered, .. } = self.observed;
        gathered.proposal(application, promotion.commit)
    }
}
