//! Why the forge does not take the order to merge a pull request: its texts, and what each means for us.

use domain::{
    fault::Fault,
    forge::{Branch, MergeMethod},
};

/// Why the forge does not merge a pull request, now or later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The repository does not allow auto-merge, and its base branch requires no check that a merge of our own could
    /// wait for.
    #[error(
        "auto-merge is not allowed, and `{0}` requires no check: switch on \"Allow auto-merge\" in the repository's \
         settings and protect the branch (Settings, Branches), or merge it by hand"
    )]
    AutoMergeOff(Branch),
    /// The repository or a rule does not allow the merge method.
    #[error(
        "the merge method {} is not allowed there: allow it, or choose another in `pull_request.auto_merge`",
        .0.as_str()
    )]
    MethodOff(MergeMethod),
    /// Its commits can not be put on top of the base one by one.
    #[error("its commits can not be rebased onto the base: choose squash or merge in `pull_request.auto_merge`")]
    NotRebaseable,
    /// The base branch has no rule that a merge could wait for.
    #[error(
        "`{0}` requires no check, so a pull request can not merge itself: protect the branch (Settings, Branches), or \
         merge it by hand"
    )]
    Unprotected(Branch),
    /// The base branch requires no check, and none has run: for the forge there is nothing left to wait for.
    #[error(
        "`{0}` requires no check, and none has run yet: require one (Settings, Branches), so that a pull request can \
         merge itself, or merge it by hand"
    )]
    Unchecked(Branch),
    /// The base branch restricts who may push to it.
    #[error("the base branch restricts who may push: add the App to its list")]
    NotAuthorized,
    /// Our credentials lack a permission.
    #[error("the credentials lack a permission: Contents: write and Pull requests: write are needed")]
    Forbidden,
    /// The head is not the commit that the order was about.
    #[error("the head moved in the meantime")]
    HeadMoved,
    /// A person chose another base than the one that the order was about.
    #[error("it was pointed at another branch in the meantime")]
    Retargeted,
    /// The base moved while the forge was merging.
    #[error("the base branch moved in the meantime")]
    BaseMoved,
    /// The base branch requires that it contains the base's tip, and it does not.
    #[error("it is behind its base, which requires the opposite")]
    Behind,
    /// Something that is not required failed or is running.
    #[error("a check that is not required failed or is running")]
    Unstable,
    /// It is a draft.
    #[error("it is a draft: mark it as ready for review")]
    Draft,
    /// It is closed, merged or in conflict.
    #[error("it is closed, merged already, or conflicts with its base")]
    WrongState,
    /// Required checks or reviews are missing.
    #[error("something that the base branch requires is missing: {0}")]
    Missing(String),
    /// The base branch is only changed through a merge queue, since a moment ago.
    #[error("the base branch has a merge queue in the meantime")]
    Queue,
    /// The merge queue took it out again and again.
    #[error(
        "the merge queue took it out {times} times{}: mend what fails there, then put it into the queue by hand or \
         release another commit",
        reason_of(.reason.as_deref())
    )]
    Dequeued {
        /// How often.
        times: usize,
        /// Why the last time, in the forge's word.
        reason: Option<String>,
    },
    /// The forge has not worked out yet what stands in the way.
    #[error("the forge has not worked out yet whether it can be merged")]
    Computing,
    /// A text that we do not know.
    #[error("{0}")]
    Unknown(String),
    /// A text that we do not know, again and again.
    #[error("{words} (tried {tries} times; tried again once an hour, and when the pull request changes)")]
    Resting {
        /// The forge's own words.
        words: String,
        /// How often before it rested.
        tries: u32,
    },
}

impl Refusal {
    /// What it means for trying again.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::AutoMergeOff(_)
            | Self::MethodOff(_)
            | Self::NotRebaseable
            | Self::Unprotected(_)
            | Self::NotAuthorized
            | Self::Forbidden
            | Self::Draft
            | Self::Dequeued { .. }
            | Self::Unknown(_)
            | Self::Resting { .. } => Fault::Permanent,
            Self::HeadMoved | Self::Retargeted | Self::BaseMoved | Self::Behind | Self::WrongState | Self::Queue => {
                Fault::Stale
            }
            // The first check of a fresh pull request comes a moment after it.
            Self::Unchecked(_) | Self::Unstable | Self::Missing(_) | Self::Computing => Fault::Transient,
        }
    }
}

/// What one of the forge's texts means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Everything that the base requires is there: it can be merged at once.
    MergeNow,
    AutoMergeOff,
    MethodOff,
    NotRebaseable,
    /// The base requires nothing. A fresh pull request is mergeable there before its first check has registered, so
    /// that a merge by us would be one without any check.
    Unprotected,
    NotAuthorized,
    Forbidden,
    HeadMoved,
    BaseMoved,
    Behind,
    Unstable,
    Draft,
    WrongState,
    Missing,
    /// It must go through the merge queue.
    Queue,
    /// It is in the merge queue already.
    Queued,
    Computing,
    Unknown,
}

/// The forge's texts in lower case, the first that fits counts. They stand in no documentation: they were seen in
/// answers, some in several versions, so a part of each is looked for.
const TEXTS: &[(&str, Meaning)] = &[
    ("auto merge is not allowed for this repository", Meaning::AutoMergeOff),
    ("protected branch rules not configured", Meaning::Unprotected),
    ("is in clean status", Meaning::MergeNow),
    ("is in has_hooks status", Meaning::MergeNow),
    ("is in unstable status", Meaning::Unstable),
    ("is in behind status", Meaning::Behind),
    ("is in draft status", Meaning::Draft),
    ("is in dirty status", Meaning::WrongState),
    ("is in unknown status", Meaning::Computing),
    ("merge commits are not allowed", Meaning::MethodOff),
    ("squash merging is not allowed", Meaning::MethodOff),
    ("squash merges are not allowed", Meaning::MethodOff),
    ("rebase merging is not allowed", Meaning::MethodOff),
    ("rebase merges are not allowed", Meaning::MethodOff),
    ("user is not authorized for this protected branch", Meaning::NotAuthorized),
    ("not authorized to push to this branch", Meaning::NotAuthorized),
    ("resource not accessible by", Meaning::Forbidden),
    ("head branch was modified", Meaning::HeadMoved),
    ("expected head", Meaning::HeadMoved),
    ("head sha", Meaning::HeadMoved),
    ("head oid", Meaning::HeadMoved),
    ("base branch was modified", Meaning::BaseMoved),
    ("head branch is out of date", Meaning::Behind),
    ("can't be rebased", Meaning::NotRebaseable),
    ("changes must be made through the merge queue", Meaning::Queue),
    ("is already in the merge queue", Meaning::Queued),
    ("still a draft", Meaning::Draft),
    ("can't enable auto-merge for this pull request", Meaning::WrongState),
    ("not in the correct state to enable auto-merge", Meaning::WrongState),
    ("pull request is not mergeable", Meaning::WrongState),
    ("required status check", Meaning::Missing),
    ("repository rule violations found", Meaning::Missing),
    ("approving review", Meaning::Missing),
    ("review is required", Meaning::Missing),
    ("waiting on code owner review", Meaning::Missing),
    ("is not satisfied", Meaning::Missing),
    ("must have verified signatures", Meaning::Missing),
    ("could not resolve to a node", Meaning::Computing),
    ("could not resolve to pullrequest node", Meaning::Computing),
];

impl Meaning {
    /// What the text means.
    pub(crate) fn of(message: &str) -> Self {
        let message = message.to_lowercase();
        TEXTS.iter().find(|(text, _)| message.contains(text)).map_or(Self::Unknown, |(_, meaning)| *meaning)
    }

    /// The refusal that it is, to an order with this method into this base.
    pub(crate) fn refusal(self, message: String, method: MergeMethod, base: &Branch) -> Refusal {
        match self {
            Self::AutoMergeOff => Refusal::AutoMergeOff(base.clone()),
            Self::MethodOff => Refusal::MethodOff(method),
            Self::NotRebaseable => Refusal::NotRebaseable,
            Self::Unprotected => Refusal::Unprotected(base.clone()),
            Self::NotAuthorized => Refusal::NotAuthorized,
            Self::Forbidden => Refusal::Forbidden,
            Self::HeadMoved => Refusal::HeadMoved,
            Self::BaseMoved => Refusal::BaseMoved,
            Self::Behind => Refusal::Behind,
            Self::Unstable => Refusal::Unstable,
            Self::Draft => Refusal::Draft,
            Self::WrongState => Refusal::WrongState,
            Self::Missing => Refusal::Missing(message),
            Self::Queue => Refusal::Queue,
            Self::Computing => Refusal::Computing,
            Self::MergeNow | Self::Queued | Self::Unknown => Refusal::Unknown(message),
        }
    }
}

/// A word of the forge for a reason, as it stands in a sentence.
fn reason_of(word: Option<&str>) -> String {
    word.map_or_else(String::new, |word| format!(" ({}, the last time)", word.to_lowercase().replace('_', " ")))
}

#[cfg(test)]
mod tests;
