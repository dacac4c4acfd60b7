//! How a sandbox is started.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{traffic::Tap, webhook::Target};

/// How a sandbox is started; the default suits a test.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address to listen on; port 0 for any free one.
    pub listen: SocketAddr,
    /// The directory that keeps the repositories and the App's key; `None` for a temporary one.
    pub data: Option<PathBuf>,
    /// The number of the GitHub App.
    pub app_id: u64,
    /// The short name of the GitHub App; it acts as `{slug}[bot]`.
    pub app_slug: String,
    /// The form of installation tokens.
    pub token_format: TokenFormat,
    /// Personal tokens and the accounts they belong to.
    pub personal_tokens: BTreeMap<String, String>,
    /// Where webhooks go; `None` for nowhere.
    pub webhook: Option<Target>,
    /// How long each answer is held back.
    pub latency: Duration,
    /// Where a copy of everything goes that is asked by REST and GraphQL; `None` for nowhere.
    pub tap: Option<Tap>,
}

/// The form of installation tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenFormat {
    /// `ghs_` and 36 characters.
    Classic,
    /// `ghs_`, the App's number and a signed part: about 520 characters, as GitHub makes them since April 2026.
    #[default]
    Stateless,
}

/// The personal token of the account `octocat` that a sandbox knows by default.
pub const PERSONAL_TOKEN: &str = "ghp_sandboxOctocat";

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data: None,
            app_id: 1,
            app_slug: "tagferry".to_owned(),
            token_format: TokenFormat::default(),
            personal_tokens: BTreeMap::from([(PERSONAL_TOKEN.to_owned(), "octocat".to_owned())]),
            webhook: None,
            latency: Duration::ZERO,
            tap: None,
        }
    }
}
