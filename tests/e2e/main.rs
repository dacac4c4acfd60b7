//! The whole service as a process, between registries and a forge.

mod barrier;
mod branches;
mod builds;
mod check;
mod clouds;
mod crash;
mod debian;
mod door;
mod examples;
mod intake;
mod latency;
mod moved;
mod openapi;
mod overlay;
mod people;
mod plan;
mod programs;
mod proof;
mod react;
mod release;
mod replay;
mod senders;
mod trouble;
mod unheard;
mod unprotected;
mod words;
