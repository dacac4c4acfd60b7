//! The kinds of senders.

use std::{fmt, str::FromStr};

use super::{
    Declaration, acr, acr_event_grid, aliyun, artifact_registry, cloudevents, distribution, docker_hub, ecr, ecr_sns,
    ghcr, gitea, gitlab, harbor, jfrog, nexus, quay,
};

/// How a registry speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// CNCF Distribution (`docker-registry`), 2.x and 3.x.
    Distribution,
    /// Docker Hub.
    DockerHub,
    /// GitHub Container Registry, through GitHub's webhooks.
    Ghcr,
    /// Amazon ECR, through an API destination of EventBridge.
    Ecr,
    /// Amazon ECR, through a topic of Amazon SNS.
    EcrSns,
    /// Google Artifact Registry and Container Registry, through a push subscription of Pub/Sub.
    ArtifactRegistry,
    /// Azure Container Registry, through its own webhooks.
    Acr,
    /// Azure Container Registry, through Azure Event Grid.
    AcrEventGrid,
    /// Harbor, in either of its formats.
    Harbor,
    /// Quay and quay.io.
    Quay,
    /// The container registry of a self-managed GitLab.
    GitLab,
    /// The packages of Gitea and Forgejo.
    Gitea,
    /// JFrog Artifactory.
    JFrog,
    /// Sonatype Nexus Repository 3.
    Nexus,
    /// Alibaba Cloud Container Registry.
    Aliyun,
    /// Anybody who sends CloudEvents.
    CloudEvents,
}

/// No kind of sender has that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a kind of registry")]
pub struct UnknownKind;

impl Kind {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Distribution,
        Self::DockerHub,
        Self::Ghcr,
        Self::Ecr,
        Self::EcrSns,
        Self::ArtifactRegistry,
        Self::Acr,
        Self::AcrEventGrid,
        Self::Harbor,
        Self::Quay,
        Self::GitLab,
        Self::Gitea,
        Self::JFrog,
        Self::Nexus,
        Self::Aliyun,
        Self::CloudEvents,
    ];

    /// The word for it in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.declaration().word
    }

    pub(super) const fn declaration(self) -> &'static Declaration {
        match self {
            Self::Distribution => &distribution::DISTRIBUTION,
            Self::DockerHub => &docker_hub::DOCKER_HUB,
            Self::Ghcr => &ghcr::GHCR,
            Self::Ecr => &ecr::ECR,
            Self::EcrSns => &ecr_sns::ECR_SNS,
            Self::ArtifactRegistry => &artifact_registry::ARTIFACT_REGISTRY,
            Self::Acr => &acr::ACR,
            Self::AcrEventGrid => &acr_event_grid::ACR_EVENT_GRID,
            Self::Harbor => &harbor::HARBOR,
            Self::Quay => &quay::QUAY,
            Self::GitLab => &gitlab::GITLAB,
            Self::Gitea => &gitea::GITEA,
            Self::JFrog => &jfrog::JFROG,
            Self::Nexus => &nexus::NEXUS,
            Self::Aliyun => &aliyun::ALIYUN,
            Self::CloudEvents => &cloudevents::CLOUDEVENTS,
        }
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownKind)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
