//! The whole service as a process, between registries and a forge.

mod barrier;
mod branches;
mod crash;
mod debian;
mod door;
mod latency;
mod moved;
mod overlay;
mod people;
mod programs;
mod proof;
mod release;
mod trouble;
mod unprotected;
