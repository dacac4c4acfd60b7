//! What our App may do, what it is told about and where, for whoever sets it up.

use std::collections::BTreeSet;

use domain::forge::Repository;
use serde::Deserialize;
use serde_json::Value;

pub use crate::credentials::Lacking;
use crate::{Error, Forge, credentials::Access};

/// What the installation of our App on a repository has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The permissions that we use and that it was not granted.
    pub lacking: Vec<Lacking>,
    /// The events that wake releases and that it is not told about.
    pub unheard: Vec<&'static str>,
}

/// Where our App is told about events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The address; `None` where there is none.
    pub url: Option<String>,
    /// Whether bodies are JSON, which is what we read.
    pub is_json: bool,
    /// Whether the forge looks at our certificate.
    pub checks_certificate: bool,
}

/// The events that a release is woken by. Those about the installation itself every App gets.
const EVENTS: [&str; 4] = ["pull_request", "push", "check_run", "status"];

/// `GET /app/hook/config` (<https://docs.github.com/en/rest/apps/webhooks#get-a-webhook-configuration-for-an-app>).
#[derive(Deserialize)]
struct HookShown {
    url: Option<String>,
    content_type: Option<String>,
    /// A word or a number, by GitHub's description.
    insecure_ssl: Option<Value>,
}

impl Forge {
    /// What the installation of our App on a repository that is only read, or is written to, lacks; `None` where we are
    /// no App. One request.
    ///
    /// # Errors
    ///
    /// [`Error::NotInstalled`], and what any request can end with.
    pub async fn installed(&self, repository: &Repository, is_written: bool) -> Result<Option<Installed>, Error> {
        let access = if is_written { Access::Write } else { Access::Read };
        let Some((lacking, events)) = self.client().installation(repository, access).await? else { return Ok(None) };
        let events: BTreeSet<String> = events.into_iter().collect();
        let unheard = EVENTS.into_iter().filter(|event| !events.contains(*event)).collect();
        Ok(Some(Installed { lacking, unheard }))
    }

    /// Where our App is told about events; `None` where we are no App. One request.
    ///
    /// # Errors
    ///
    /// What any request can end with.
    pub async fn hook(&self) -> Result<Option<Hook>, Error> {
        let shown: Option<HookShown> = self.client().of_app("/app/hook/config", "looking at the App's webhook").await?;
        let is_zero = |value: &Value| value == "0" || value == 0;
        Ok(shown.map(|shown| Hook {
            is_json: shown.content_type.as_deref() == Some("json"),
            checks_certificate: shown.insecure_ssl.as_ref().is_none_or(is_zero),
            url: shown.url.filter(|url| !url.is_empty()),
        }))
    }
}
