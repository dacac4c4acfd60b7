//! Tagferry as those see it who may ask: deliveries and releases.

use anyhow::{Context as _, Result, bail};
use reqwest::Client;
use serde::{Deserialize, de::DeserializeOwned};

/// The bearer token that may read; the configuration holds its hash. Everything listens on loopback alone.
pub(crate) const TOKEN: &str = "demo-viewer-token";

/// The SHA-256 of [`TOKEN`].
pub(crate) const TOKEN_SHA256: &str = "db2c460a3dd812a27b2a7f60d1320322c27ac3b28b3b90b11c05ecc7b4bcc856";

/// The service.
#[derive(Debug)]
pub(crate) struct Tagferry {
    client: Client,
    url: String,
}

/// What became of an announcement.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Announcement {
    pub(crate) repository: Option<String>,
    pub(crate) tag: Option<String>,
    /// `pending`, `accepted`, `ignored` or `unusable`.
    pub(crate) verdict: String,
    pub(crate) reason: Option<String>,
}

/// An application at one commit.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Release {
    pub(crate) id: String,
    pub(crate) builds: Vec<Build>,
    pub(crate) promotions: Vec<Promotion>,
    pub(crate) ledger: Vec<Entry>,
}

/// The image of a commit in one target's image repository.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Build {
    pub(crate) target: String,
    pub(crate) digest: String,
}

/// A release on its way into the overlays.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Promotion {
    /// `None` while it is not settled.
    pub(crate) outcome: Option<String>,
    /// The outcome in words.
    pub(crate) reason: Option<String>,
    pub(crate) branch: String,
    pub(crate) waiting: Option<String>,
    pub(crate) evidence: Vec<Evidence>,
}

/// The outcome of one verification.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Evidence {
    pub(crate) kind: String,
    /// `passed`, `failed`, `pending` or `skipped`.
    pub(crate) outcome: String,
    pub(crate) seen: String,
}

/// Something that was done, and why.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Entry {
    pub(crate) what: String,
}

#[derive(Deserialize)]
struct Deliveries {
    deliveries: Vec<Delivery>,
}

#[derive(Deserialize)]
struct Delivery {
    announcements: Vec<Announcement>,
}

#[derive(Deserialize)]
struct Releases {
    releases: Vec<Summary>,
}

#[derive(Deserialize)]
struct Summary {
    id: String,
    commit: String,
}

impl Release {
    /// The promotion that there is, or was last.
    pub(crate) fn promotion(&self) -> Option<&Promotion> {
        self.promotions.last()
    }
}

impl Tagferry {
    /// What answers at this address, which has no slash at the end.
    pub(crate) fn new(client: Client, url: &str) -> Self {
        Self { client, url: url.to_owned() }
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What became of a pushed tag; `None` while Tagferry has not heard of it.
    ///
    /// # Errors
    ///
    /// Tagferry does not answer.
    pub(crate) async fn announcement(&self, repository: &str, tag: &str) -> Result<Option<Announcement>> {
        let Deliveries { deliveries } = self.get("/v1/deliveries?limit=200").await?;
        let mut all = deliveries.into_iter().flat_map(|delivery| delivery.announcements);
        Ok(all.find(|one| one.repository.as_deref() == Some(repository) && one.tag.as_deref() == Some(tag)))
    }

    /// The release of a commit; `None` while there is none.
    ///
    /// # Errors
    ///
    /// Tagferry does not answer.
    pub(crate) async fn release(&self, commit: &str) -> Result<Option<Release>> {
        let Releases { releases } = self.get("/v1/releases?limit=200").await?;
        match releases.into_iter().find(|release| release.commit == commit) {
            None => Ok(None),
            Some(Summary { id, .. }) => self.release_by_id(&id).await.map(Some),
        }
    }

    /// A release that there is.
    ///
    /// # Errors
    ///
    /// Tagferry does not answer, or there is none.
    pub(crate) async fn release_by_id(&self, id: &str) -> Result<Release> {
        self.get(&format!("/v1/releases/{id}")).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let url = format!("{}{path}", self.url);
        let response = self.client.get(&url).bearer_auth(TOKEN).send().await.with_context(|| format!("GET {url}"))?;
        let status = response.status();
        let text = response.text().await.with_context(|| format!("GET {url}"))?;
        if !status.is_success() {
            bail!("GET {url} answers {status}: {text}");
        }
        serde_json::from_str(&text).with_context(|| format!("GET {url} answers {text}"))
    }
}
