//! What the configuration file may say of a sender, key by key.

use domain::image::Host;
use registry::webhook::{Kind, TopicArn};
use serde::Deserialize;
use url::Url;

use super::SenderKind;
use crate::config::{
    SecretSources,
    fields::{UniqueMap, non_empty, non_empty_list, parsed, parsed_option},
};

/// Somebody who may tell us something. Which settings a kind needs and which it takes besides, its kind says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SenderSettings {
    /// How they speak.
    #[serde(deserialize_with = "parsed")]
    pub kind: SenderKind,
    /// What proves that it is them; any of the list does.
    #[serde(default)]
    pub secrets: SecretSources,
    /// The registry's host name to use instead of the message's.
    #[serde(default, deserialize_with = "parsed_option")]
    pub registry: Option<Host>,
    /// Whether they sign with the secret instead of sending it, where both can be.
    #[serde(default)]
    pub signing: bool,
    /// What image repositories of Artifactory are pulled under, by the key of the repository that is pushed to.
    #[serde(default)]
    pub repo_key_map: UniqueMap<String, String>,
    /// What Google's tokens must be made for.
    #[serde(default, deserialize_with = "non_empty")]
    pub audience: Option<String>,
    /// The account of Google's that a subscription pushes as.
    #[serde(default, deserialize_with = "non_empty")]
    pub service_account: Option<String>,
    /// The one subscription of Pub/Sub, as `projects/P/subscriptions/S`.
    #[serde(default, deserialize_with = "non_empty")]
    pub subscription: Option<String>,
    /// Where Google's public keys are.
    #[serde(default, deserialize_with = "parsed_option")]
    pub keys_url: Option<Url>,
    /// The one topic of Amazon SNS.
    #[serde(default, deserialize_with = "parsed_option")]
    pub topic: Option<TopicArn>,
    /// Where Amazon SNS is to be asked in place of its public address in the topic's region.
    #[serde(default, deserialize_with = "parsed_option")]
    pub endpoint: Option<Url>,
    /// Whether a signature of Amazon SNS that is made with SHA-1 is good.
    #[serde(default)]
    pub allow_sha1: bool,
    /// Who may ask whether events may be sent.
    #[serde(default, deserialize_with = "non_empty_list")]
    pub origins: Vec<String>,
}

impl SenderSettings {
    /// The first setting that is given and that only other kinds have.
    ///
    /// Those that are not looked at here are looked at where the sender is made.
    pub(super) fn misplaced(&self) -> Option<&'static str> {
        let is = |kind: Kind| self.kind == SenderKind::Registry(kind);
        let (is_google, is_sns) = (is(Kind::ArtifactRegistry), is(Kind::EcrSns));
        [
            ("secrets", !self.secrets.is_empty(), !is_google && !is_sns),
            ("audience", self.audience.is_some(), is_google),
            ("service_account", self.service_account.is_some(), is_google),
            ("subscription", self.subscription.is_some(), is_google),
            ("keys_url", self.keys_url.is_some(), is_google),
            ("topic", self.topic.is_some(), is_sns),
            ("endpoint", self.endpoint.is_some(), is_sns),
            ("allow_sha1", self.allow_sha1, is_sns),
            ("origins", !self.origins.is_empty(), is(Kind::AcrEventGrid)),
        ]
        .into_iter()
        .find_map(|(setting, is_given, is_in_place)| (is_given && !is_in_place).then_some(setting))
    }
}
