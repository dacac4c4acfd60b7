//! The forge as clients see it: through a socket, with the real `git` and an ordinary HTTP client.

#![expect(clippy::indexing_slicing, reason = "an answer without the field fails the test, as it should")]

mod actions;
mod attestations;
mod authentication;
mod auto_merge;
mod client;
mod commits;
mod control;
mod faults;
mod git;
mod graphql;
mod limits;
mod merge_queue;
mod models;
mod references;
mod rest;
mod rules;
mod webhooks;
