//! Whoever works on something says so from time to time; who is not heard of loses it.

use domain::fault::Chain;
use store::Claim;
use tokio::time::{Instant, sleep};
use tracing::debug;

use crate::Reconciler;

/// How often in the time of a lease it is renewed: two in a row may fail.
const RENEWALS: u32 = 4;

impl Reconciler {
    /// Renews the lease of a claim; returns when another may have the work.
    ///
    /// That is so when the store says it, and when it has not confirmed the lease for so long that it may be over. The
    /// time for that begins before the store is asked, and goes by a clock that nobody sets.
    pub(crate) async fn until_lost(&self, claim: &Claim) {
        let lease = self.settings.lease;
        let mut over = Instant::now() + lease;
        loop {
            sleep(lease / RENEWALS).await;
            let asked = Instant::now();
            match self.renew(claim).await {
                Ok(()) => over = asked + lease,
                Err(store::Error::ClaimLost) => return,
                Err(error) if Instant::now() < over => debug!(error = %Chain(&error), "a lease is not renewed yet"),
                Err(_) => return,
            }
        }
    }

    async fn renew(&self, claim: &Claim) -> Result<(), store::Error> {
        let now = self.store.time().await?;
        self.store.renew(claim, now, self.settings.lease).await
    }
}
