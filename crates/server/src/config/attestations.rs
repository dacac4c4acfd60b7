//! Whose attestations are believed: `attestations`.

use std::{collections::BTreeMap, path::PathBuf};

use attestation::{Key, LogProof};
use domain::application::Name;
use reconciler::Attesters;
use serde::Deserialize;

use super::{Config, Error, fields::non_empty};

/// Whose attestations are believed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AttestationsSettings {
    /// The file of the trust roots, in place of those that come with the program.
    pub trusted_root: Option<PathBuf>,
    /// Who issues the identity tokens of workflows; that of `github.actions` when it is not given.
    #[serde(deserialize_with = "non_empty")]
    pub issuer: Option<String>,
    /// When a signature must be proven to be in a transparency log.
    pub transparency_log: LogSetting,
}

/// When a signature must be proven to be in a transparency log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogSetting {
    /// Where the trust root names a log; never of a key's.
    #[default]
    WhereKept,
    /// Always.
    Required,
}

impl Config {
    /// Whose attestations are believed.
    ///
    /// # Errors
    ///
    /// A key is not where the configuration says, or can not be used; or the trust roots can not.
    pub fn attesters(&self) -> Result<Attesters, Error> {
        let settings = &self.attestations;
        let mut keys = BTreeMap::new();
        for (name, application) in self.applications.iter() {
            let paths = &application.verify.provenance.keys;
            if !paths.is_empty() {
                keys.insert(name.clone(), paths.iter().map(|path| key(name, path)).collect::<Result<_, _>>()?);
            }
        }
        let issuer = || match &self.github.actions {
            Some(actions) => actions.issuer(),
            None => forge::actions::ISSUER.to_owned(),
        };
        let attesters = Attesters {
            issuer: settings.issuer.clone().unwrap_or_else(issuer),
            trusted_root: settings.trusted_root.clone(),
            log: match settings.transparency_log {
                LogSetting::WhereKept => LogProof::WhereKept,
                LogSetting::Required => LogProof::Demanded,
            },
            keys,
        };
        attesters.check().map_err(|source| Error::TrustedRoot(Box::new(source)))?;
        Ok(attesters)
    }
}

fn key(application: &Name, path: &PathBuf) -> Result<Key, Error> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| Error::Key {
        application: application.clone(),
        path: path.clone(),
        source,
    };
    let text = std::fs::read_to_string(path).map_err(|why| failed(why.into()))?;
    Key::from_pem(&text).map_err(|why| failed(why.into()))
}
