//! Whose word on builds counts: `github.actions`.

use domain::application::Application;
use forge::actions::{Allowed, ISSUER, Policy};
use serde::{Deserialize, Deserializer, de::Error as _};
use url::Url;

use super::fields::{parsed, parsed_option};

/// The workflows that may report builds at `/v1/builds`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionsSettings {
    /// What their tokens must be made for: a name of ours that no other receiver has, best our own address.
    pub audience: String,
    /// Who signs the tokens.
    #[serde(default = "ActionsSettings::default_issuer", deserialize_with = "parsed")]
    pub issuer: Url,
    /// Where the issuer's keys are; follows from the issuer when it is not given.
    #[serde(default, deserialize_with = "parsed_option")]
    pub keys_url: Option<Url>,
    /// The repositories, by name or by number; those that applications are built from when it is not given.
    #[serde(default, deserialize_with = "repositories")]
    pub repositories: Option<Vec<Allowed>>,
    /// The refs, as `refs/heads/main`, with `*` at the end for any; any ref when there is none.
    #[serde(default)]
    pub refs: Vec<String>,
    /// The events that may have started them.
    #[serde(default = "ActionsSettings::default_events")]
    pub events: Vec<String>,
    /// The workflows, as `acme/shop/.github/workflows/release.yml`; any workflow when there is none.
    #[serde(default)]
    pub workflows: Vec<String>,
}

impl ActionsSettings {
    fn default_issuer() -> Url {
        Url::parse(ISSUER).expect("the text is a URL")
    }

    fn default_events() -> Vec<String> {
        Policy::EVENTS.map(str::to_owned).to_vec()
    }

    /// Whose word counts, beside these applications.
    #[must_use]
    pub fn policy(&self, applications: &[Application]) -> Policy {
        let sources = || {
            let names = applications.iter().map(|application| application.source.repository.clone());
            names.map(Allowed::Name).collect()
        };
        Policy {
            repositories: self.repositories.clone().unwrap_or_else(sources),
            refs: self.refs.clone(),
            events: self.events.clone(),
            workflows: self.workflows.clone(),
        }
    }

    /// Who signs the tokens, as their claim names it: a URL has a slash for a path where the claim has none.
    pub(super) fn issuer(&self) -> String {
        self.issuer.as_str().trim_end_matches('/').to_owned()
    }

    /// How tokens are verified.
    #[must_use]
    pub fn identity(&self) -> identity::Settings {
        let keys_url = self.keys_url.clone().unwrap_or_else(|| {
            let mut url = self.issuer.clone();
            url.set_path(&format!("{}/.well-known/jwks", url.path().trim_end_matches('/')));
            url
        });
        identity::Settings { issuers: vec![self.issuer()], audience: self.audience.clone(), keys_url }
    }
}

/// Names and numbers.
fn repositories<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Allowed>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum NumberOrName {
        Number(u64),
        Name(String),
    }
    let listed = Vec::<NumberOrName>::deserialize(deserializer)?;
    let allowed = listed.into_iter().map(|one| match one {
        NumberOrName::Number(number) => Ok(Allowed::Id(number)),
        NumberOrName::Name(name) => match name.parse() {
            Ok(name) => Ok(Allowed::Name(name)),
            Err(error) => Err(D::Error::custom(format_args!("\"{name}\": {error}"))),
        },
    });
    allowed.collect::<Result<_, _>>().map(Some)
}
