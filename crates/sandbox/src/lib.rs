//! A GitHub-compatible forge and an OCI registry on loopback, for the demo and the tests.
//!
//! [`Sandbox::start`] gives a forge over real Git repositories: GitHub's REST and GraphQL interfaces, Git over HTTP,
//! protected branches, rulesets, auto-merge, merge queues and webhooks. [`Control`] does what people and the world do to it, in the process or
//! over HTTP below `/_sim`. What is not here: forks, teams, deployments. The registry is a
//! server of its own, in [`registry`], and so is each cloud that signs what it sends, in [`senders`].
//!
//! Read the modules in this order: `world` (what is known) and `git` (what Git knows), `merging`, `rest`, `graphql` and
//! `smart_http` (the three faces), `actions` (identity tokens), `webhook`, `traffic` (records and faults), `control`, `server`.

mod actions;
mod clock;
mod control;
mod error;
mod git;
mod graphql;
mod key;
mod merging;
mod options;
mod protection;
mod refusal;
pub mod registry;
mod render;
mod rest;
pub mod senders;
mod server;
mod shared;
mod smart_http;
mod traffic;
mod webhook;
mod world;

pub use control::{
    AppChange, AppView, Control, NewRepository, PullRequestChange, PullRequestView, Push, ROUTES, RepositoryView,
};
pub use error::Error;
pub use git::{InvalidOid, Oid};
pub use options::{Options, PERSONAL_TOKEN, TokenFormat};
pub use server::Sandbox;
pub use traffic::{
    Action, Answer, Answered, Call, Exchange, Fault, Limits, Match, Recorded, TRAFFIC_ROUTES, Tap, Used,
};
pub use webhook::{Delivered, Fate, Target, signature};
pub use world::{
    attestation::Form,
    check::{Kind, Outcome, Report, Reporter, RunReport, StatusState},
    pull_request::{Method, Removal},
    repository::{AutomaticCheck, Key, Protection, Settings},
    rules::{MergeQueue, Rules},
};
