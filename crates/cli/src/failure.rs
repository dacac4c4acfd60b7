//! Why a command failed, where its exit code is to tell more than that it did.

use std::process::ExitCode;

use domain::fault::Fault;

/// A failure with an exit code of its own; any other one is 1: refused or failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// 2: what was asked for makes no sense, and repeating it does not help.
    #[error("{0}")]
    Usage(String),
    /// 3: somebody who is needed does not answer, or not now.
    #[error("{what}")]
    Unreachable {
        /// What was being done.
        what: String,
        /// What happened instead.
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
}

/// The exit code of a failed command.
pub(crate) fn exit_code(error: &anyhow::Error) -> ExitCode {
    match error.downcast_ref::<Failure>() {
        Some(Failure::Usage(_)) => ExitCode::from(2),
        Some(Failure::Unreachable { .. }) => ExitCode::from(3),
        None => ExitCode::FAILURE,
    }
}

/// What a failed question outside is: whoever is asked and does not answer is unreachable; anything else has failed.
pub(crate) fn unanswered(error: reconciler::Error) -> anyhow::Error {
    match error.fault() {
        Fault::Transient | Fault::Away { .. } | Fault::Limited { .. } => Failure::Unreachable {
            what: "somebody who is to be asked does not answer".to_owned(),
            source: Some(error.into()),
        }
        .into(),
        Fault::Stale | Fault::Permanent => error.into(),
    }
}
