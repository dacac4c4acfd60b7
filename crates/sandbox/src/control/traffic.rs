//! What went over the wire, and what is to go wrong there.

use std::{collections::BTreeMap, time::Duration};

use super::Control;
use crate::{
    error::Error,
    refusal::Refusal,
    traffic::{Fault, Limits, Recorded, Used},
    webhook::{Attempt, Delivered, Target},
};

impl Control {
    /// Lets something go wrong for requests to come.
    pub fn add_fault(&self, fault: Fault) {
        self.shared.record().add_fault(fault);
    }

    /// Nothing goes wrong any more.
    pub fn clear_faults(&self) {
        self.shared.record().clear_faults();
    }

    /// All faults, also those whose time has passed.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.shared.record().faults()
    }

    /// The requests in the order of arrival, but those to `/_sim`; of very many the last ones.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.record().requests()
    }

    /// The requests that asked to change something, as `METHOD path operation…`.
    #[must_use]
    pub fn mutations(&self) -> Vec<String> {
        let requests = self.shared.record().requests();
        let mutating = requests.iter().filter(|request| request.mutating);
        mutating
            .map(|it| format!("{} {} {}", it.method, it.path, it.operations.join(" ")).trim_end().to_owned())
            .collect()
    }

    /// Forgets all requests so far.
    pub fn clear_requests(&self) {
        self.shared.record().clear_requests();
    }

    /// Ends the connections of so many requests before the server sees them, as if nobody were there. They are not
    /// recorded.
    pub fn refuse_connections(&self, requests: u64) {
        self.shared.record().gate().refuse(requests);
    }

    /// Sets how much may be asked from now on; what was asked before in the same hour counts.
    pub fn set_limits(&self, limits: Limits) {
        self.shared.traffic().buckets.limits = limits;
    }

    /// How much may be asked.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.shared.traffic().buckets.limits.clone()
    }

    /// How much everybody has asked for in this hour: `user octocat`, `installation ID 1001`, `app ID 1`.
    #[must_use]
    pub fn used(&self) -> BTreeMap<String, Used> {
        self.shared.traffic().buckets.used()
    }

    /// Holds every answer back for this long.
    pub fn set_latency(&self, latency: Duration) {
        self.shared.traffic().latency = latency;
    }

    /// All webhooks so far, delivered or not; of very many the last ones.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Delivered> {
        self.shared.traffic().deliveries.iter().map(Attempt::delivered).collect()
    }

    /// Sends a webhook again with the same identifier, to where webhooks go now.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is no such webhook.
    pub async fn redeliver(&self, id: u64) -> Result<(), Error> {
        let target = self.webhook().await?;
        let known = self.shared.traffic().deliveries.again(id);
        let mut delivery = known.ok_or_else(Refusal::not_found)?;
        delivery.target = target.unwrap_or(delivery.target);
        if self.outbox.send(delivery).is_err() {
            tracing::debug!("a webhook is not sent again, as the sandbox is stopping");
        }
        Ok(())
    }

    /// Sets where webhooks go, or with `None` that they go nowhere.
    ///
    /// # Errors
    /// None that is expected.
    pub async fn set_webhook(&self, target: Option<Target>) -> Result<(), Error> {
        let set = self.shared.with(move |world| {
            world.target = target;
            Ok(())
        });
        Ok(set.await?)
    }

    /// Where webhooks go.
    ///
    /// # Errors
    /// None that is expected.
    pub async fn webhook(&self) -> Result<Option<Target>, Error> {
        Ok(self.shared.see(|world| Ok(world.target.clone())).await?)
    }
}
