//! Where the code of an application is: `applications.NAME.source`.

use std::{collections::BTreeMap, path::Path};

use domain::{application::Name, circuit::Patience, forge::Repository, glob::Glob};
use forge::{Mirror, MirrorSettings, Timeouts};
use serde::Deserialize;
use url::Url;

use super::{
    Config, Error, SecretSource,
    fields::{branch_patterns, parsed, parsed_option},
};

/// Where the code of an application is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSettings {
    /// `owner/name`.
    #[serde(deserialize_with = "parsed")]
    pub repository: Repository,
    /// The number that it has there, which stays when it is renamed; it is not compared where there is none.
    #[serde(default)]
    pub id: Option<u64>,
    /// The branches that a released commit must be on one of, by name or by pattern.
    #[serde(deserialize_with = "branch_patterns")]
    pub branches: Vec<Glob>,
    /// Where it is mirrored from, in place of asking the forge where its commits are.
    pub git: Option<MirrorFrom>,
}

/// Where a source repository is mirrored from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MirrorFrom {
    /// The address that Git fetches from.
    #[serde(deserialize_with = "parsed")]
    pub url: Url,
    /// The user that it is fetched as.
    pub username: Option<String>,
    /// The user's password or token.
    pub password: Option<SecretSource>,
    /// What people find its commits under.
    #[serde(default, deserialize_with = "parsed_option")]
    pub commits_url: Option<Url>,
}

impl Config {
    /// The mirrors of source repositories, by application; they are kept in a directory.
    ///
    /// # Errors
    ///
    /// An address can not be used, or a password is not where the configuration says.
    pub fn mirrors(&self, data_dir: &Path) -> Result<BTreeMap<Name, Mirror>, Error> {
        let mut mirrors = BTreeMap::new();
        for (name, application) in self.applications.iter() {
            let source = &application.source;
            let Some(from) = &source.git else { continue };
            let setting = format!("applications.{name}.source.git");
            let login = match (&from.username, &from.password) {
                (Some(user), Some(password)) => {
                    Some((user.clone(), password.read_for(&format!("{setting}.password"))?))
                }
                (None, None) => None,
                (Some(_), None) | (None, Some(_)) => {
                    return Err(Error::Contradiction(format!("{setting} takes username and password, or neither")));
                }
            };
            let settings = MirrorSettings {
                repository: source.repository.clone(),
                url: from.url.clone(),
                login,
                commits_url: from.commits_url.clone(),
                data_dir: data_dir.join(name.as_str()),
                timeouts: Timeouts::default(),
                patience: Patience::default(),
            };
            let mirror = Mirror::new(settings).map_err(|why| Error::Contradiction(format!("{setting}: {why}")))?;
            mirrors.insert(name.clone(), mirror);
        }
        Ok(mirrors)
    }
}
