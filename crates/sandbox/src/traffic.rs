//! What goes over the wire, of the forge and of the registry alike: the record of requests, faults, and connections.
//!
//! Deliveries and added latency are the forge's alone.

mod connection;
mod conventions;
mod deliveries;
mod exchange;
mod fault;
mod limits;
mod meeting;
mod memory;
mod observe;
mod record;
mod routes;

use std::{collections::BTreeMap, time::Duration};

pub(crate) use connection::{Cut, Gate, Peer, serve};
pub(crate) use conventions::{HOURLY_LIMIT, follow_conventions, rate_limit, reset_after};
pub(crate) use deliveries::Deliveries;
pub use exchange::{Answered, Exchange, Tap};
pub use fault::{Action, Answer, Fault, Match};
pub(crate) use limits::Buckets;
pub use limits::{Limits, Used};
pub(crate) use meeting::Meeting;
pub(crate) use memory::Memory;
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
    /// How much has been asked for, and how much may be.
    pub(crate) buckets: Buckets,
    /// Whose the credentials are that were seen.
    pub(crate) credentials: BTreeMap<String, String>,
}
