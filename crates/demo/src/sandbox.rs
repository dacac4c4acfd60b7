//! The sandbox as its owner sees it: repositories, pull requests and checks of the forge, images of the registry.

use anyhow::{Context as _, Result, bail};
use reqwest::{Client, Method};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::place::Target;

/// The personal token that the sandbox knows when it is told no other; it may do everything there.
pub(crate) const TOKEN: &str = "ghp_sandboxOctocat";

/// The forge and the registry.
#[derive(Debug)]
pub(crate) struct Sandbox {
    client: Client,
    forge: String,
    registry: String,
}

/// A pull request.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct PullRequest {
    pub(crate) number: u64,
    pub(crate) url: String,
    pub(crate) title: String,
    pub(crate) author: String,
    /// `open`, `closed` or `merged`.
    pub(crate) state: String,
    pub(crate) head_branch: String,
    pub(crate) head: String,
    pub(crate) base_branch: String,
    /// How it merges itself; `None` when it does not.
    pub(crate) auto_merge: Option<String>,
    pub(crate) merge_commit: Option<String>,
    pub(crate) labels: Vec<String>,
}

/// A check of a commit.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Check {
    pub(crate) name: String,
    /// `None` while it runs.
    pub(crate) conclusion: Option<String>,
}

#[derive(Deserialize)]
struct Checks {
    check_runs: Vec<Check>,
}

#[derive(Deserialize)]
struct Pushed {
    commit: String,
}

#[derive(Deserialize)]
struct PushedImage {
    digest: String,
}

#[derive(Deserialize)]
struct Repository {
    branches: std::collections::BTreeMap<String, String>,
}

impl Sandbox {
    /// What answers at these addresses, neither with a slash at the end.
    pub(crate) fn new(client: Client, forge: &str, registry: &str) -> Self {
        Self { client, forge: forge.to_owned(), registry: registry.to_owned() }
    }

    /// The base of the forge's REST interface.
    pub(crate) fn forge(&self) -> &str {
        &self.forge
    }

    /// Where the registry is controlled, and serves images.
    pub(crate) fn registry(&self) -> &str {
        &self.registry
    }

    /// The registry as image references spell it.
    pub(crate) fn registry_host(&self) -> &str {
        self.registry.strip_prefix("http://").unwrap_or(&self.registry)
    }

    /// Where Git finds a repository, with a token in it.
    pub(crate) fn git_url(&self, repository: &str) -> String {
        let host = self.forge.strip_prefix("http://").unwrap_or(&self.forge);
        format!("http://x-access-token:{TOKEN}@{host}/{repository}.git")
    }

    /// Makes a repository; `new` is what `POST /_sim/repositories` takes.
    ///
    /// # Errors
    ///
    /// The sandbox refuses it.
    pub(crate) async fn create_repository(&self, new: &Value) -> Result<()> {
        self.control(Method::POST, "repositories", new).await.map(drop)
    }

    /// Protects a branch: changes come by pull request, with this check passed.
    ///
    /// # Errors
    ///
    /// The repository is not there.
    pub(crate) async fn protect(&self, repository: &str, branch: &str, check: &str) -> Result<()> {
        let protection = json!({ "required_checks": [check], "require_pull_request": true });
        self.control(Method::PUT, &format!("repositories/{repository}/protection/{branch}"), &protection)
            .await
            .map(drop)
    }

    /// Pushes a commit; `push` is what `POST /_sim/repositories/…/push` takes. Gives the commit.
    ///
    /// # Errors
    ///
    /// The repository is not there.
    pub(crate) async fn push(&self, repository: &str, push: &Value) -> Result<String> {
        let pushed = self.control(Method::POST, &format!("repositories/{repository}/push"), push).await?;
        let Pushed { commit } = serde_json::from_value(pushed).context("reading which commit was pushed")?;
        Ok(commit)
    }

    /// Sets who is told what happens on the forge.
    ///
    /// # Errors
    ///
    /// The sandbox can not be reached.
    pub(crate) async fn set_webhook(&self, url: &str, secret: &str) -> Result<()> {
        self.control(Method::PUT, "webhook", &json!({ "url": url, "secret": secret })).await.map(drop)
    }

    /// Sets who is told what happens in the registry.
    ///
    /// # Errors
    ///
    /// The sandbox can not be reached.
    pub(crate) async fn set_notifications(&self, url: &str, authorization: &str) -> Result<()> {
        let body = json!({ "url": url, "authorization": authorization });
        self.call(Method::PUT, &format!("{}/_sim/notifications", self.registry), Some(&body)).await.map(drop)
    }

    /// Pushes an image that says which commit it was built from. Gives its digest.
    ///
    /// # Errors
    ///
    /// The name or the tag is illegal.
    pub(crate) async fn push_image(&self, target: Target, tag: &str, commit: &str) -> Result<String> {
        let repository = target.repository;
        // Real images of several clouds differ by more than a label, and so does the digest.
        let labels = json!({ "org.opencontainers.image.revision": commit, "demo.target": target.name });
        let body = json!({ "repository": repository, "tag": tag, "labels": labels });
        let pushed = self.call(Method::POST, &format!("{}/_sim/images", self.registry), Some(&body)).await?;
        let PushedImage { digest } = serde_json::from_value(pushed).context("reading the digest of an image")?;
        Ok(digest)
    }

    /// All pull requests of a repository, the first one first.
    ///
    /// # Errors
    ///
    /// The repository is not there.
    pub(crate) async fn pull_requests(&self, repository: &str) -> Result<Vec<PullRequest>> {
        let url = format!("{}/_sim/repositories/{repository}/pull-requests", self.forge);
        let all = self.call(Method::GET, &url, None).await?;
        serde_json::from_value(all).context("reading pull requests")
    }

    /// The commit at the tip of a branch; `None` when there is no such branch.
    ///
    /// # Errors
    ///
    /// The repository is not there.
    pub(crate) async fn tip(&self, repository: &str, branch: &str) -> Result<Option<String>> {
        let url = format!("{}/_sim/repositories/{repository}", self.forge);
        let Repository { mut branches } =
            serde_json::from_value(self.call(Method::GET, &url, None).await?).context("reading branches")?;
        Ok(branches.remove(branch))
    }

    /// The check of this name on a commit; `None` while nobody has begun it.
    ///
    /// # Errors
    ///
    /// The commit is not there.
    pub(crate) async fn check(&self, repository: &str, commit: &str, name: &str) -> Result<Option<Check>> {
        let url = format!("{}/repos/{repository}/commits/{commit}/check-runs", self.forge);
        let Checks { check_runs } =
            serde_json::from_value(self.call(Method::GET, &url, None).await?).context("reading checks")?;
        Ok(check_runs.into_iter().find(|check| check.name == name))
    }

    async fn control(&self, method: Method, path: &str, body: &Value) -> Result<Value> {
        self.call(method, &format!("{}/_sim/{path}", self.forge), Some(body)).await
    }

    async fn call(&self, method: Method, url: &str, body: Option<&Value>) -> Result<Value> {
        let mut request = self.client.request(method.clone(), url).bearer_auth(TOKEN);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.with_context(|| format!("{method} {url}"))?;
        let status = response.status();
        let text = response.text().await.with_context(|| format!("{method} {url}"))?;
        if !status.is_success() {
            bail!("{method} {url} answers {status}: {text}");
        }
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).with_context(|| format!("{method} {url} answers what is not JSON"))
    }
}
