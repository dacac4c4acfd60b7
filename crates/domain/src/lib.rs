//! Decides: what a tag means, what the evidence adds up to, what a promotion does next, what a pull request says.
//!
//! Everything here is a pure function over plain data: no input or output, no clock, no async, no serialisation.
//! Time is an argument. Read the modules in this order:
//!
//! - [`image`] and [`commit`]: what registries and Git name.
//! - [`forge`]: what the Git host names: repositories, branches, pull requests.
//! - [`application`]: what is released together, and by which policy.
//! - [`announcement`]: what a sender says, and which application it is about.
//! - [`release`]: an application at one commit, with its builds, and the barrier that waits for all targets.
//! - [`evidence`]: what was verified, and what it adds up to.
//! - [`promotion`]: a release on its way, and the one function that says what to do next.
//! - [`proposal`]: the branch, commit message, title and body of the pull request.
//! - [`remark`] and [`report`]: what is said on a pull request beside that, and of its commit.
//! - [`missed`]: what nobody told us, and what Git tells of it.
//! - [`fault`]: what a failed call outside means for trying again.
//! - [`circuit`]: whether a host that does not answer is asked once more.
//! - [`glob`]: patterns for names that others gave.
//! - [`excerpt`]: the beginning of what a sender wrote, for people.

pub mod announcement;
pub mod application;
pub mod circuit;
pub mod commit;
pub mod evidence;
pub mod excerpt;
pub mod fault;
pub mod forge;
pub mod glob;
pub mod image;
pub mod missed;
pub mod promotion;
pub mod proposal;
pub mod release;
pub mod remark;
pub mod report;

#[cfg(test)]
mod sample;
