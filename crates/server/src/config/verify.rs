//! Which evidence an application asks for: `applications.NAME.verify`.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use domain::{
    application::{AppName, CheckRule, Demand, Name, Provenance, Tolerated, Verify, Wish},
    glob::Glob,
    image::Platform,
};
use gate::Gate;
use serde::{Deserialize, Deserializer};
use url::Url;

use super::fields::{duration, duration_or_off, parsed, parsed_list, text_or_map};
use super::{Config, Error, SecretSource};

/// Which evidence is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VerifySettings {
    /// Whether the commit must be on an allowed branch.
    #[serde(deserialize_with = "parsed")]
    pub branch: Demand,
    /// The checks of the commit that must have passed.
    pub checks: Vec<CheckSettings>,
    /// What each target's image must run on.
    #[serde(deserialize_with = "parsed_list")]
    pub platforms: Vec<Platform>,
    /// Whether all targets must have the same digest.
    #[serde(deserialize_with = "parsed")]
    pub same_digest: Demand,
    /// Whether a tag must never have had another digest.
    #[serde(deserialize_with = "parsed")]
    pub immutable: Demand,
    /// Whether the image must say that it was built from the commit.
    #[serde(deserialize_with = "parsed")]
    pub revision: Wish,
    /// Whether GitHub Actions must have posted that it built the image.
    #[serde(deserialize_with = "parsed")]
    pub builder: Wish,
    /// Whether a signed attestation must name the repository and the commit.
    pub provenance: ProvenanceSettings,
    /// A service of the operator's own that must let the images through.
    pub gate: Option<GateSettings>,
    /// How long what is not there yet is waited for.
    #[serde(deserialize_with = "duration")]
    pub deadline: Duration,
    /// How often the tags of what is deployed are looked at; `None` for never.
    #[serde(deserialize_with = "duration_or_off")]
    pub recheck: Option<Duration>,
}

/// A check, by its name or with more.
#[derive(Debug)]
pub struct CheckSettings(CheckRule);

/// A check with more than its name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WholeCheck {
    #[serde(deserialize_with = "parsed")]
    name: Glob,
    #[serde(default)]
    app: Option<AppSetting>,
    #[serde(default, deserialize_with = "parsed_list")]
    accept: Vec<Tolerated>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "the name of an App as in its address, or its number, was expected")]
enum AppSetting {
    Id(u64),
    Slug(String),
}

/// A service of the operator's own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateSettings {
    /// Where it is: over HTTPS, or on this machine.
    #[serde(deserialize_with = "parsed")]
    pub url: Url,
    /// What it is shown as a bearer token.
    pub token: Option<SecretSource>,
    /// How long one answer may take.
    #[serde(default = "GateSettings::default_timeout", deserialize_with = "duration")]
    pub timeout: Duration,
}

impl GateSettings {
    const fn default_timeout() -> Duration {
        Duration::from_secs(10)
    }
}

impl Config {
    /// The gates that are asked, by application.
    ///
    /// # Errors
    ///
    /// An address can not be used, or a token is not where the configuration says.
    pub fn gates(&self) -> Result<BTreeMap<Name, Gate>, Error> {
        let mut gates = BTreeMap::new();
        for (name, application) in self.applications.iter() {
            let Some(GateSettings { url, token, timeout }) = &application.verify.gate else { continue };
            let setting = format!("applications.{name}.verify.gate");
            let token = token.as_ref().map(|token| token.read_for(&format!("{setting}.token"))).transpose()?;
            let gate = Gate::new(gate::Settings { url: url.clone(), token, timeout: *timeout });
            gates.insert(name.clone(), gate.map_err(|source| Error::Gate { setting, source })?);
        }
        Ok(gates)
    }
}

/// Which attestation is good enough.
#[derive(Debug)]
pub struct ProvenanceSettings {
    /// Whether one is asked for.
    pub policy: Demand,
    /// The workflows that may have signed.
    pub workflows: Vec<Glob>,
    /// What may have been checked out, in place of the allowed branches.
    pub refs: Vec<Glob>,
    /// The files of the public keys that sign in place of workflows.
    pub keys: Vec<PathBuf>,
}

/// Provenance with more than whether it is asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WholeProvenance {
    #[serde(default = "required", deserialize_with = "parsed")]
    policy: Demand,
    #[serde(default, deserialize_with = "parsed_list")]
    workflows: Vec<Glob>,
    #[serde(default, deserialize_with = "parsed_list")]
    refs: Vec<Glob>,
    #[serde(default)]
    keys: Vec<PathBuf>,
}

const fn required() -> Demand {
    Demand::Required
}

impl Default for VerifySettings {
    fn default() -> Self {
        let usual = Verify::default();
        let policy = usual.provenance.demand;
        Self {
            branch: usual.branch,
            checks: Vec::new(),
            platforms: usual.platforms,
            same_digest: usual.same_digest,
            immutable: usual.immutable,
            revision: usual.revision,
            builder: usual.builder,
            provenance: ProvenanceSettings { policy, workflows: Vec::new(), refs: Vec::new(), keys: Vec::new() },
            gate: None,
            deadline: usual.deadline,
            recheck: usual.recheck,
        }
    }
}

impl VerifySettings {
    /// What the application asks for.
    pub(super) fn verify(&self) -> Verify {
        Verify {
            branch: self.branch,
            checks: self.checks.iter().map(|CheckSettings(rule)| rule.clone()).collect(),
            platforms: self.platforms.clone(),
            same_digest: self.same_digest,
            immutable: self.immutable,
            revision: self.revision,
            builder: self.builder,
            provenance: Provenance {
                demand: self.provenance.policy,
                workflows: self.provenance.workflows.clone(),
                references: self.provenance.refs.clone(),
            },
            gate: if self.gate.is_some() { Demand::Required } else { Demand::Off },
            deadline: self.deadline,
            recheck: self.recheck,
        }
    }
}

impl<'de> Deserialize<'de> for CheckSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let whole: WholeCheck = text_or_map(deserializer, |text| {
            let name = text.parse().map_err(|why| format!("\"{text}\": {why}"))?;
            Ok(WholeCheck { name, app: None, accept: Vec::new() })
        })?;
        let app = whole.app.map(|app| match app {
            AppSetting::Id(id) => AppName::Id(id),
            AppSetting::Slug(slug) => AppName::Slug(slug),
        });
        Ok(Self(CheckRule { name: whole.name, app, tolerated: whole.accept }))
    }
}

impl<'de> Deserialize<'de> for ProvenanceSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let WholeProvenance { policy, workflows, refs, keys } = text_or_map(deserializer, |text| {
            let policy = text.parse().map_err(|why| format!("\"{text}\": {why}"))?;
            Ok(WholeProvenance { policy, workflows: Vec::new(), refs: Vec::new(), keys: Vec::new() })
        })?;
        Ok(Self { policy, workflows, refs, keys })
    }
}
