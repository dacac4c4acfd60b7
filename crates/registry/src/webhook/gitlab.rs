//! The container registry of a self-managed GitLab: CNCF Distribution, configured in `gitlab.rb`.
//!
//! The format: <https://docs.gitlab.com/administration/packages/container_registry/#configure-container-registry-notifications>.
//! GitLab.com does not let anybody configure its registry, and no webhook of a project or group tells of an image: there
//! a pipeline announces what it pushed. Webhooks about Git that are pointed here are let in by their own header, so that
//! GitLab does not switch them off, and are not wanted.

use super::{
    Declaration, Message, Parsed, Proof,
    credential::{Credential, Place},
    distribution, id,
    reading::{self, Meaning},
    unusable::Unusable,
};

/// How the registry of GitLab announces.
pub(super) const GITLAB: Declaration = Declaration {
    word: "gitlab",
    place: "gitlab.rb of a self-managed GitLab: url in registry['notifications']; on GitLab.com see the documentation",
    proof: Proof {
        credential: Credential::Secret(&[Place::Header("authorization"), Place::Header("x-gitlab-token")]),
        hint: "'headers' => { 'Authorization' => ['…'] } with one of the secrets, entirely: `Bearer …` if it has that",
    },
    signing: None,
    parse,
};

fn parse(message: &Message<'_>) -> Parsed {
    if message.head.text("x-gitlab-event").is_some() {
        let id = id::of_header(message.head, &["x-gitlab-event-uuid"], message.body);
        return reading::one(id, message.body, Ok::<_, Unusable>(Meaning::Unwanted));
    }
    distribution::parse(message)
}
