//! Everything that a promotion's next step depends on, read anew in each pass.

use chrono::{DateTime, Utc};
use domain::{
    application::{Application, Gitops},
    commit::Commit,
    evidence::{self, Verdict},
    forge::{Ancestry, PullRequest},
    promotion::{Aim, Base, Head, Proposed, Situation, Slot},
    proposal::ReleaseBranch,
};
use store::{Claim, Promotion, PromotionId, Rival};

use crate::{
    Error, Reconciler,
    outside::{Gathered, Known},
    overlays::Wanted,
};

/// What a pass saw.
#[derive(Debug)]
pub(crate) struct Observed<'a> {
    pub(crate) application: &'a Application,
    pub(crate) promotion: Promotion,
    pub(crate) branch: ReleaseBranch,
    /// With the subject of the commit that was read earlier, where it was not read just now.
    pub(crate) gathered: Gathered,
    pub(crate) situation: Situation,
}

impl Reconciler {
    /// Reads what is stored, asks the forge for the rest, all at once, and records the evidence.
    pub(crate) async fn observe(
        &self,
        claim: &Claim,
        id: PromotionId,
        now: DateTime<Utc>,
    ) -> Result<Observed<'_>, Error> {
        let promotion = self.store.promotion(id).await?;
        let application = self.outside.application(&promotion.application)?;
        let branch = ReleaseBranch::new(application.name(), promotion.commit);
        let builds = self.store.builds(promotion.release).await?;
        let recorded = self.store.evidence(id).await?;
        let rivals = self.store.rivals(&promotion).await?;
        let gitops = Gitops { repository: promotion.gitops.clone(), base: promotion.base.clone() };
        let wanted = Wanted { application, gitops: &gitops, commit: promotion.commit, builds: &builds };
        let known = Known { evidence: &recorded, since: promotion.opened_at };
        let (mut gathered, pull_request, newer) = tokio::try_join!(
            self.outside.gather(&wanted, known, now),
            self.pull_request(claim, &promotion, &branch, now),
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
            pull_request: pull_request.map(|one| {
                let tip = gathered.seen.edit.as_ref().map(|edit| edit.tip);
                let aim = if one.base == promotion.base { Aim::Base } else { Aim::Elsewhere };
                Proposed { head: head(&promotion, &one, tip), aim, pull_request: one }
            }),
            ordered: promotion.ordered,
            restraint: None,
        };
        Ok(Observed { application, promotion, branch, gathered, situation })
    }

    /// The promotion's pull request: by number once that is known, before that by branch, wherever it is aimed at.
    ///
    /// One found by branch is recorded at once. Those of other promotions of the same commit do not count: by their
    /// number or, where that was never heard of, by what they pushed. Where a person opened another from our branch,
    /// the one into the base is ours.
    async fn pull_request(
        &self,
        claim: &Claim,
        promotion: &Promotion,
        branch: &ReleaseBranch,
        now: DateTime<Utc>,
    ) -> Result<Option<PullRequest>, Error> {
        if let Some(number) = promotion.pull_request {
            return Ok(Some(self.outside.forge.pull_request(&promotion.gitops, number).await?));
        }
        if promotion.heads.is_empty() {
            return Ok(None);
        }
        let other_numbers = self.store.other_pull_requests(promotion).await?;
        let mut other_heads = self.store.heads_of_release(promotion.release).await?;
        other_heads.retain(|head| promotion.heads.iter().all(|ours| ours.commit != *head));
        let is_mine = |one: &PullRequest| !other_numbers.contains(&one.number) && !other_heads.contains(&one.head);
        let all = self.outside.forge.pull_requests_of(&promotion.gitops, branch).await?;
        let mine = all.into_iter().filter(is_mine).min_by_key(|one| one.base != promotion.base);
        if let Some(mine) = &mine {
            self.store.record_pull_request(claim, mine.number, &mine.url, now).await?;
        }
        Ok(mine)
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
