//! Whether a service of the operator's own lets the images through.

use super::{Evidence, Kind, Wait};
use crate::application::{Application, Demand};

/// What the service said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateAnswer {
    /// Whether the images may be released.
    pub verdict: GateVerdict,
    /// Why, in its own words; may be empty.
    pub reason: String,
    /// Where people read more.
    pub link: Option<String>,
}

/// Whether images may be released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateVerdict {
    /// They may.
    Pass,
    /// They may not.
    Fail,
    /// It does not know yet.
    Pending,
}

/// As the service says; while it does not know, pending until the deadline.
#[must_use]
pub fn gate(application: &Application, answer: Option<&GateAnswer>, wait: Wait) -> Evidence {
    if application.verify.gate == Demand::Off {
        return Evidence::skipped(Kind::Gate, "no gate is asked: verify.gate is off".to_owned());
    }
    let Some(answer) = answer else { return wait.pending(Kind::Gate, "the gate was not asked") };
    let because = if answer.reason.is_empty() { String::new() } else { format!(": {}", answer.reason) };
    let evidence = match answer.verdict {
        GateVerdict::Pass => Evidence::passed(Kind::Gate, format!("the gate lets the images through{because}")),
        GateVerdict::Fail => Evidence::failed(Kind::Gate, format!("the gate holds the images back{because}")),
        GateVerdict::Pending => wait.pending(Kind::Gate, &format!("the gate does not know yet{because}")),
    };
    evidence.at(answer.link.as_ref())
}
