//! One application of the configuration file.

use std::time::Duration;

use domain::{
    application::{
        Application, Gitops, ImageName, InvalidApplication, Name, OverlayPath, Parts, Pin, PullRequestPolicy,
        ReleasePolicy, Source, TagPattern, Target,
    },
    forge::{self, Branch, MergeMethod},
    image,
};
use serde::Deserialize;

use super::{
    SourceSettings, VerifySettings,
    fields::{UniqueMap, duration, duration_or_off, parsed},
};

/// What is released together.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationSettings {
    /// Where its code is.
    pub source: SourceSettings,
    /// Where its overlays are.
    pub gitops: GitopsSettings,
    /// The `images[].name` in the overlays.
    #[serde(deserialize_with = "parsed")]
    pub image: ImageName,
    /// How a tag spells the commit.
    #[serde(default = "default_tag", deserialize_with = "parsed")]
    pub tag: TagPattern,
    /// Where it is released to.
    pub targets: UniqueMap<Name, TargetSettings>,
    /// When a release is complete and what is written.
    #[serde(default)]
    pub release: ReleaseSettings,
    /// Which evidence is asked for.
    #[serde(default)]
    pub verify: VerifySettings,
    /// What its pull requests look like.
    #[serde(default)]
    pub pull_request: PullRequestSettings,
}

/// Where the overlays of an application are.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GitopsSettings {
    /// `owner/name`.
    #[serde(deserialize_with = "parsed")]
    pub repository: forge::Repository,
    /// The branch that clusters follow.
    #[serde(default = "default_base", deserialize_with = "parsed")]
    pub base: Branch,
}

/// One overlay and where its cluster pulls from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetSettings {
    /// `host/name`.
    #[serde(deserialize_with = "parsed")]
    pub repository: image::Repository,
    /// The overlay's directory.
    #[serde(deserialize_with = "parsed")]
    pub overlay: OverlayPath,
}

/// When a release is complete and what is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReleaseSettings {
    /// Which targets must have a build.
    pub wait_for: WaitFor,
    /// How long the other targets' builds are waited for.
    #[serde(deserialize_with = "duration")]
    pub deadline: Duration,
    /// Whether the digest is written beside the tag.
    pub pin_digest: bool,
}

/// Which targets must have a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WaitFor {
    /// Each of them.
    All,
}

/// What the pull requests look like.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PullRequestSettings {
    /// How they are merged once they may.
    #[serde(deserialize_with = "parsed")]
    pub auto_merge: MergeMethod,
    /// The labels that they get.
    pub labels: Vec<String>,
    /// Whether our verdict is a status of their commits.
    pub verdict_status: bool,
    /// How long one may wait before people are told; `None` for as long as it takes.
    #[serde(deserialize_with = "duration_or_off")]
    pub overdue_after: Option<Duration>,
}

impl Default for ReleaseSettings {
    fn default() -> Self {
        Self { wait_for: WaitFor::All, deadline: Duration::from_secs(30 * 60), pin_digest: false }
    }
}

impl Default for PullRequestSettings {
    fn default() -> Self {
        let overdue_after = Some(Duration::from_secs(24 * 60 * 60));
        Self { auto_merge: MergeMethod::Squash, labels: Vec::new(), verdict_status: false, overdue_after }
    }
}

impl ApplicationSettings {
    /// The application that these settings describe.
    pub(super) fn application(&self, name: &Name) -> Result<Application, InvalidApplication> {
        let targets = self
            .targets
            .iter()
            .map(|(name, target)| Target {
                name: name.clone(),
                repository: target.repository.clone(),
                overlay: target.overlay.clone(),
            })
            .collect();
        let WaitFor::All = self.release.wait_for;
        let parts = Parts {
            source: Source {
                repository: self.source.repository.clone(),
                id: self.source.id,
                branches: self.source.branches.clone(),
            },
            gitops: Gitops { repository: self.gitops.repository.clone(), base: self.gitops.base.clone() },
            image: self.image.clone(),
            tag: self.tag.clone(),
            release: ReleasePolicy {
                deadline: self.release.deadline,
                pin: if self.release.pin_digest { Pin::TagAndDigest } else { Pin::Tag },
            },
            verify: self.verify.verify(),
            pull_request: PullRequestPolicy {
                merge_method: self.pull_request.auto_merge,
                labels: self.pull_request.labels.clone(),
                verdict_status: self.pull_request.verdict_status,
                overdue_after: self.pull_request.overdue_after,
            },
        };
        Application::new(name.clone(), targets, parts)
    }
}

fn default_tag() -> TagPattern {
    "sha-{commit}".parse().expect("the text is a tag pattern")
}

fn default_base() -> Branch {
    "main".parse().expect("the text is a branch")
}
