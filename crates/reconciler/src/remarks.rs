//! What is said on pull requests and of their commits: once each.
//!
//! Whatever goes wrong with a comment, the release goes on. A status is asked for by the configuration, and a base branch
//! may require it: where it can not be set, that is what people are told.

use domain::{
    fault::{Chain, Fault},
    forge::Number,
    promotion::{Reason, Step},
    remark::Remark,
    report::report,
};
use store::Said;
use tracing::warn;

use crate::{Error, observe::Observed, perform::Performer};

impl Performer<'_> {
    /// Reports our verdict on the commit that we propose, where it is wanted and has changed.
    pub(crate) async fn report(&self) -> Result<(), Error> {
        let Observed { application, promotion, situation, .. } = self.observed;
        let Some(report) = report(situation).filter(|_| application.pull_request.verdict_status) else {
            return Ok(());
        };
        let known = promotion.reported.as_ref().map(|(head, state)| (*head, state.as_str()));
        if known == Some((report.head, report.state.as_str())) {
            return Ok(());
        }
        self.reconciler.outside.forge.set_status(&promotion.gitops, &report).await?;
        Ok(self.reconciler.store.record_report(self.claim, &report).await?)
    }

    /// Says what is worth it, as far as it was not said.
    pub(crate) async fn remark(&self, step: &Step) -> Result<(), Error> {
        let promotion = &self.observed.promotion;
        let Some(own) = self.pull_request().map(|own| own.number) else { return Ok(()) };
        if let Step::Wait { reason: Reason::Foreign(head), .. } = step {
            let remark = Remark::Foreign { head: *head, branch: self.observed.branch.branch() };
            self.say(own, &remark).await?;
        }
        for older in self.reconciler.store.superseded_by(promotion).await? {
            self.say(older, &Remark::SupersededBy { number: own }).await?;
        }
        Ok(())
    }

    /// Tells people that a pull request does not land, once for each of its heads: in a comment, in the log and in the
    /// ledger.
    pub(crate) async fn overdue(&self, why: &str) -> Result<(), Error> {
        let Observed { promotion, situation, .. } = self.observed;
        let Some(own) = self.pull_request().filter(|_| situation.is_overdue()) else { return Ok(()) };
        let remark = Remark::Overdue { head: own.head, since: promotion.opened_at, why };
        if self.say(own.number, &remark).await? {
            warn!(promotion.id = %promotion.id, pull_request.number = own.number.0, why, "a release does not land");
            self.note("overdue", format!("not landed since {}: {why}", promotion.opened_at), Some(&own.url)).await?;
        }
        Ok(())
    }

    /// Comments on a pull request, unless that was done; whether it is done now. Where an answer was lost, it is looked
    /// for first.
    async fn say(&self, on: Number, remark: &Remark<'_>) -> Result<bool, Error> {
        let store = &self.reconciler.store;
        let about = remark.about(on);
        let said = match store.begin_comment(self.claim, &about).await? {
            Said::Yes => return Ok(false),
            said @ (Said::No | Said::Perhaps) => said,
        };
        if let Err(error) = self.post(on, remark, said).await {
            let (fault, why) = (error.fault(), Chain(&error).to_string());
            warn!(pull_request.number = on.0, fault = fault.as_str(), error = why, "a comment is not made");
            if fault != Fault::Permanent {
                // The next pass tries again.
                return Ok(false);
            }
        }
        store.record_comment(self.claim, &about, self.reconciler.store.now()).await?;
        Ok(true)
    }

    async fn post(&self, on: Number, remark: &Remark<'_>, said: Said) -> Result<(), forge::Error> {
        let (forge, gitops) = (&self.reconciler.outside.forge, &self.observed.promotion.gitops);
        if said == Said::Perhaps && forge.has_comment(gitops, on, &remark.mark(on)).await? {
            return Ok(());
        }
        forge.comment(gitops, on, &remark.text(on)).await
    }
}
