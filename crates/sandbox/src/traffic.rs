//! What goes over the wire, of the forge and of the registry alike: the record of requests, faults, and connections.
//!
//! Deliveries and added latency are the forge's alone.

mod connection;
mod conventions;
mod deliveries;
mod exchange;
mod fault;
mod meeting;
mod observe;
mod record;
mod routes;

use std::{collections::BTreeMap, time::Duration};

pub(crate) use connection::{Cut, Peer, serve};
pub(crate) use conventions::{HOURLY_LIMIT, follow_conventions, reset_after};
pub(crate) use deliveries::Deliveries;
pub use exchange::{Answered, Exchange, Tap};
pub use fault::{Action, Answer, Fault, Match};
pub(crate) use meeting::Meeting;
pub(crate) use observe::observe;
pub(crate) use record::Record;
pub use record::Recorded;
pub use routes::{Call, TRAFFIC_ROUTES};
pub(crate) use routes::{done, list, missing, routes};

/// What the forge knows of its traffic besides the record of requests.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) deliveries: Deliveries,
    pub(crate) latency: Duration,
    pub(crate) tap: Option<Tap>,
    /// How many requests each credential has made.
    pub(crate) used: BTreeMap<String, u64>,
}
