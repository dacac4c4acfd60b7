//! Everything that a promotion's next step depends on, read anew in each pass.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    application::{Application, Gitops},
    commit::Commit,
    evidence::{self, Verdict},
    forge::{Ancestry, PullRequest, PullRequestState},
    missed::Told,
    promotion::{Aim, Base, Head, Proposed, Situation, Slot},
    proposal::ReleaseBranch,
    release::{self, Barrier},
};
use forge::Look;
use store::{Claim, Promotion, PromotionId, PushedHead, Rival};

use crate::{
    Error, Reconciler,
    outside::{Gathered, Known},
    overlays::{At, Wanted},
};

/// What a pass saw.
#[derive(Debug)]
pub(crate) struct Observed<'a> {
    pub(crate) application: &'a Application,
    pub(crate) promotion: Promotion,
    pub(crate) branch: ReleaseBranch,
    /// With the subject of the commit that was read earlier, where it was not read just now.
    pub(crate) gathered: Gathered,
    /// Its pull request, as it is needed to order a merge.
    pub(crate) look: Option<Look>,
    pub(crate) situation: Situation,
}

impl Reconciler {
    /// Reads what is stored, looks at the pull request, asks for whatever depends on that, and records the evidence.
    pub(crate) async fn observe(
        &self,
        claim: &Claim,
        id: PromotionId,
        now: DateTime<Utc>,
    ) -> Result<Observed<'_>, Error> {
        let mut promotion = self.store.promotion(id).await?;
        let application = self.outside.application(&promotion.application)?;
        let branch = ReleaseBranch::new(application.name(), promotion.commit);
        let builds = self.store.builds(promotion.release).await?;
        let recorded = self.store.evidence(id).await?;
        let rivals = self.store.rivals(&promotion).await?;
        let gitops = Gitops { repository: promotion.gitops.clone(), base: promotion.base.clone() };
        let wanted = Wanted { application, gitops: &gitops, commit: promotion.commit, builds: &builds };
        let reports = self.store.builder_reports(promotion.release).await?;
        let known = Known { evidence: &recorded, since: promotion.opened_at, reports: Some(&reports) };
        let look = self.look(claim, &promotion, (application, &branch), now).await?;
        if let Some(look) = &look
            && self.adopt(claim, (&promotion, &branch), &look.pull_request, now).await?
        {
            promotion = self.store.promotion(id).await?;
        }
        if let Some(look) = look.as_ref().filter(|look| look.pull_request.base == gitops.base) {
            self.outside.required.note(&gitops, &look.required_checks);
        }
        let at = match &look {
            Some(look) => at(&promotion, look),
            None if is_early(&promotion, &release::barrier(application, &builds, known.since, now)) => At::Nowhere,
            None => At::Tip,
        };
        let (mut gathered, newer) = tokio::try_join!(
            async {
                // A merge is recorded as such, whoever does not answer meanwhile.
                if look.as_ref().is_some_and(|look| is_merged(&promotion, look)) {
                    return Ok(Gathered::as_recorded(&recorded));
                }
                self.outside.gather(&wanted, known, (at, now)).await
            },
            self.newer(application, promotion.commit, &rivals),
        )?;

        self.store.record_evidence(claim, &gathered.evidence, gathered.subject.as_deref(), now).await?;
        gathered.subject = gathered.subject.or_else(|| promotion.subject.clone());

        let situation = Situation {
            now,
            poll_interval: self.settings.poll_interval,
            closing: promotion.closing.clone(),
            verdict: evidence::verdict(&gathered.evidence),
            overlays: gathered.seen.overlays.clone(),
            newer,
            slot: slot(&promotion, &rivals),
            pull_request: look.as_ref().map(|look| {
                let one = look.pull_request.clone();
                let tip = gathered.seen.edit.as_ref().map(|edit| edit.tip);
                let aim = if one.base == promotion.base { Aim::Base } else { Aim::Elsewhere };
                Proposed { head: head(&promotion, &one, tip), aim, pull_request: one }
            }),
            ordered: promotion.ordered,
            overdue_at: overdue_at(application, &promotion),
            restraint: None,
        };
        Ok(Observed { application, promotion, branch, gathered, look, situation })
    }

    /// The promotion's pull request: by number once that is known, before that by branch, wherever it is aimed at.
    ///
    /// One found by branch is recorded at once. Those of other promotions of the same commit do not count: by their
    /// number or, where that was never heard of, by what they pushed. Where a person opened another from our branch,
    /// the one into the base is ours.
    async fn look(
        &self,
        claim: &Claim,
        promotion: &Promotion,
        (application, branch): (&Application, &ReleaseBranch),
        now: DateTime<Utc>,
    ) -> Result<Option<Look>, Error> {
        let forge = &self.outside.forge;
        let labels = if promotion.labelled { &[][..] } else { &application.pull_request.labels };
        if let Some(number) = promotion.pull_request {
            return Ok(Some(forge.look(&promotion.gitops, number, labels).await?));
        }
        if promotion.heads.is_empty() {
            return Ok(None);
        }
        let other_numbers = self.store.other_pull_requests(promotion).await?;
        let mut other_heads = self.store.heads_of_release(promotion.release).await?;
        other_heads.retain(|head| promotion.heads.iter().all(|ours| ours.commit != *head));
        let is_mine = |one: &PullRequest| !other_numbers.contains(&one.number) && !other_heads.contains(&one.head);
        let all = forge.pull_requests_of(&promotion.gitops, branch).await?;
        let Some(mine) = all.into_iter().filter(is_mine).min_by_key(|one| one.base != promotion.base) else {
            return Ok(None);
        };
        self.store.record_pull_request(claim, mine.number, &mine.url, now).await?;
        Ok(Some(forge.look(&promotion.gitops, mine.number, labels).await?))
    }

    /// Takes a commit on the release branch that we do not know for one that we do not remember, if it says that it is of
    /// this release and is older than the promotion: the database was lost since. Whether it did.
    ///
    /// What people add to the branch is newer, and stays theirs.
    async fn adopt(
        &self,
        claim: &Claim,
        (promotion, branch): (&Promotion, &ReleaseBranch),
        pull_request: &PullRequest,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let is_ours = |head: &PushedHead| head.commit == pull_request.head;
        if pull_request.state != PullRequestState::Open || promotion.heads.iter().any(is_ours) {
            return Ok(false);
        }
        let history = self.outside.forge.history(&promotion.gitops, branch.branch()).await?;
        let Some(newest) = history.first().filter(|past| past.commit == pull_request.head) else { return Ok(false) };
        let told = Told::read(&newest.message);
        let is_of_this =
            told.is_some_and(|told| told.application == promotion.application && told.commit == promotion.commit);
        if !is_of_this || newest.committed_at >= promotion.opened_at {
            return Ok(false);
        }
        self.store.adopt_head(claim, newest.commit, now).await?;
        Ok(true)
    }

    /// A rival that is newer and proven.
    async fn newer(
        &self,
        application: &Application,
        commit: Commit,
        rivals: &[Rival],
    ) -> Result<Option<Commit>, Error> {
        for rival in rivals {
            if rival.closing || evidence::verdict(&rival.evidence) != Verdict::Passed {
                continue;
            }
            let source = &application.source.repository;
            let comparison = self.outside.comparison(source, commit, rival.commit).await?;
            if comparison.is_some_and(|comparison| comparison.ancestry == Ancestry::Ancestor) {
                return Ok(Some(rival.commit));
            }
        }
        Ok(None)
    }
}

/// Where the overlays are read for a promotion with a pull request. A merge is a merge, whatever they hold.
fn at(promotion: &Promotion, look: &Look) -> At {
    match (look.pull_request.state, look.tip) {
        _ if look.pull_request.base != promotion.base => At::Tip,
        (PullRequestState::Merged(_), _) => At::Nowhere,
        (PullRequestState::Open | PullRequestState::Closed, None) => At::Tip,
        (PullRequestState::Open | PullRequestState::Closed, Some(tip)) => At::Commit(tip),
    }
}

/// Whether a promotion's pull request was merged into where it belongs.
fn is_merged(promotion: &Promotion, look: &Look) -> bool {
    look.pull_request.base == promotion.base && matches!(look.pull_request.state, PullRequestState::Merged(_))
}

/// Whether a promotion only waits for the rest of its builds.
const fn is_early(promotion: &Promotion, barrier: &Barrier) -> bool {
    promotion.heads.is_empty() && matches!(barrier, Barrier::Open { .. })
}

/// When a pull request that is still open has waited for too long.
fn overdue_at(application: &Application, promotion: &Promotion) -> Option<DateTime<Utc>> {
    let after = TimeDelta::from_std(application.pull_request.overdue_after?).ok()?;
    promotion.opened_at.checked_add_signed(after)
}

fn slot(promotion: &Promotion, rivals: &[Rival]) -> Slot {
    match rivals.iter().find(|rival| rival.live) {
        Some(rival) => Slot::Taken(rival.commit),
        None if promotion.live => Slot::Ours,
        None => Slot::Free,
    }
}

/// Whose commit is at the tip of the pull request's branch.
fn head(promotion: &Promotion, pull_request: &PullRequest, tip: Option<Commit>) -> Head {
    let mut newest_first = promotion.heads.iter().rev();
    match newest_first.next() {
        Some(last) if last.commit == pull_request.head => {
            Head::Ours(if Some(last.base) == tip { Base::Tip } else { Base::Moved })
        }
        Some(_) | None if newest_first.any(|head| head.commit == pull_request.head) => Head::Outdated,
        Some(_) | None => Head::Foreign,
    }
}
