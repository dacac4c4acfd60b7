//! How much is worked on at once, and how much of one sender is taken: who comes beyond is told at once to come again.

use std::{collections::BTreeMap, num::NonZeroU32, time::Instant};

use axum::{extract, middleware::Next, response::Response};
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::warn;

use super::{State, error::Problem, rate::Rate, room::Room, tally::Tally};
use crate::config::LimitSettings;

const SECONDS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(60).expect("the number is written here and is not 0");

/// What is left of each limit.
#[derive(Debug)]
pub(crate) struct Limits {
    requests: Semaphore,
    overload: Tally,
    senders: BTreeMap<String, Quota>,
    deliveries_per_minute: NonZeroU32,
    room: Room,
}

/// What one sender may still send.
#[derive(Debug)]
struct Quota {
    rate: Rate,
    refused: Tally,
}

impl Limits {
    /// Nothing is used yet; the senders are those of the configuration.
    pub(crate) fn new<'a>(settings: &LimitSettings, senders: impl IntoIterator<Item = &'a str>) -> Self {
        let quota = || Quota {
            rate: Rate::new(settings.deliveries_per_second, settings.delivery_burst),
            refused: Tally::default(),
        };
        Self {
            requests: Semaphore::new(usize::from(settings.requests.get())),
            overload: Tally::default(),
            senders: senders.into_iter().map(|sender| (sender.to_owned(), quota())).collect(),
            deliveries_per_minute: settings.deliveries_per_second.saturating_mul(SECONDS_PER_MINUTE),
            room: Room::default(),
        }
    }

    /// How many deliveries one sender may send each minute in the long run.
    pub(super) const fn deliveries_per_minute(&self) -> NonZeroU32 {
        self.deliveries_per_minute
    }

    /// Lets a request be worked on for as long as the permit lives.
    ///
    /// Whoever still sends has none, so that a slow client takes no other's place.
    pub(super) fn enter(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.requests.try_acquire().map_err(|_none_left| {
            if let Some(refused) = self.overload.refuse(Instant::now()) {
                warn!(refused, "requests were refused: as many as server.limits.requests allows are worked on");
            }
            Problem::overloaded()
        })
    }

    /// Counts a delivery of a sender who was let in; a stranger can not use up what is theirs.
    pub(super) fn count(&self, sender: &str, now: Instant) -> Result<(), Problem> {
        let Some(quota) = self.senders.get(sender) else { return Ok(()) };
        quota.rate.take(now).map_err(|wait| {
            if let Some(refused) = quota.refused.refuse(now) {
                warn!(sender, refused, "deliveries were refused: more came than server.limits allows one sender");
            }
            Problem::too_often(wait)
        })
    }
}

/// Lets a body be read only as long as there is room for it.
pub(super) async fn meter(
    extract::State(state): extract::State<State>,
    request: extract::Request,
    next: Next,
) -> Response {
    next.run(request.map(|body| state.limits().room.meter(body))).await
}

/// Keeps a request from being worked on while too many are.
pub(super) async fn enter(
    extract::State(state): extract::State<State>,
    request: extract::Request,
    next: Next,
) -> Result<Response, Problem> {
    let _permit = state.limits().enter()?;
    Ok(next.run(request).await)
}
