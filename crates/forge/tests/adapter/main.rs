//! The adapter over a socket: real Git repositories behind `git`'s own server side, and scripted answers of REST and
//! GraphQL where it is their words that count.

mod attestations;
mod clash;
mod comments;
mod credentials;
mod documents;
mod enterprise;
mod faults;
mod history;
mod host;
mod landing;
mod looking_up;
mod lookup_answers;
mod merging;
mod mirror;
mod pull_requests;
mod push;
mod reading;
mod refusals;
mod sandbox;
mod signing;
mod source;
mod spending;
mod stage;
mod together;
mod trouble;
mod ways;
