//! What the tests hold: a sandbox with one repository, and a client of it.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use conformance::{Asker, Watched};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{Client, Method, RequestBuilder, Response};
use sandbox::{NewRepository, Options, PERSONAL_TOKEN, Protection, Push, Settings};
use serde_json::{Value, json};

/// The repository that every test has.
pub(crate) const REPOSITORY: &str = "acme/trinity";

/// Longer than anything here takes.
pub(crate) const SOON: Duration = Duration::from_secs(20);

pub(crate) struct Forge {
    pub(crate) sandbox: Watched,
    pub(crate) http: Client,
    /// What requests are made with.
    pub(crate) token: String,
}

impl Forge {
    /// A sandbox with `acme/trinity`, whose `main` requires the check `ci`, and a person as the client.
    pub(crate) async fn start() -> Result<Self> {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Result<Self> {
        let sandbox = Watched::start_for(Asker::ATest, options).await?;
        let mut new = NewRepository::with_files(REPOSITORY, [("README.md", "hello\n"), ("apps/a.yaml", "tag: 1\n")])?;
        new.settings = Settings { allow_auto_merge: true, delete_branch_on_merge: true, ..Settings::default() };
        sandbox.create_repository(new).await?;
        let protection = Protection { required_checks: vec!["ci".to_owned()], ..Protection::default() };
        sandbox.protect(REPOSITORY, "main", Some(protection)).await?;
        let http = Client::builder().no_proxy().timeout(SOON).build()?;
        Ok(Self { sandbox, http, token: PERSONAL_TOKEN.to_owned() })
    }

    /// A pull request with one commit; gives its number and head.
    pub(crate) async fn pull_request(&self, branch: &str) -> Result<(u64, String)> {
        let path = format!("apps/{}.yaml", branch.replace('/', "-"));
        let push = Push::new(branch, [(path.as_str(), "tag: 2\n")]).message("Raise the tag\n\nBecause.");
        let head = self.sandbox.push(REPOSITORY, push).await?;
        let number = self.sandbox.open_pull_request(REPOSITORY, branch, "main", "Raise the tag").await?;
        Ok((number, head.to_string()))
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.sandbox.url())).bearer_auth(&self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> Result<(u16, Value)> {
        read(self.request(Method::GET, path).send().await?).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: Value) -> Result<(u16, Value)> {
        read(self.request(method, path).json(&body).send().await?).await
    }

    pub(crate) async fn graphql(&self, query: &str, variables: Value) -> Result<Value> {
        let (status, body) =
            self.send(Method::POST, "/graphql", json!({ "query": query, "variables": variables })).await?;
        ensure!(status == 200, "{status} {body}");
        Ok(body)
    }

    /// A signature as the App makes it.
    pub(crate) fn signature(&self, claims: &Value) -> Result<String> {
        let key = EncodingKey::from_rsa_pem(self.sandbox.app_private_key().as_bytes())?;
        Ok(jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &key)?)
    }

    /// Claims that are good now.
    pub(crate) fn claims(&self) -> Value {
        let now = self.sandbox.now().timestamp();
        json!({ "iat": now - 60, "exp": now + 540, "iss": 1 })
    }

    /// A token of the installation for `acme`, with what the request asks for.
    pub(crate) async fn installation_token(&self, body: Value) -> Result<Value> {
        let signature = self.signature(&self.claims())?;
        let url = format!("{}/repos/{REPOSITORY}/installation", self.sandbox.url());
        let (status, installation) = read(self.http.get(url).bearer_auth(&signature).send().await?).await?;
        ensure!(status == 200, "{installation}");
        let url = installation["access_tokens_url"].as_str().context("no address")?.to_owned();
        let (status, token) = read(self.http.post(url).bearer_auth(&signature).json(&body).send().await?).await?;
        ensure!(status == 201, "{status} {token}");
        Ok(token)
    }

    /// Becomes the App.
    pub(crate) async fn into_app(mut self) -> Result<Self> {
        let token = self.installation_token(json!({})).await?;
        self.token = token["token"].as_str().context("no token")?.to_owned();
        Ok(self)
    }

    /// A clone made with the client's token.
    pub(crate) fn clone_to(&self, directory: &Path) -> Result<Clone> {
        let url =
            self.sandbox.git_url(REPOSITORY).replace("http://", &format!("http://x-access-token:{}@", self.token));
        let clone = Clone { directory: directory.join("clone") };
        let (done, said) = git(directory, &["clone", "--quiet", &url, "clone"])?;
        ensure!(done, "{said}");
        Ok(clone)
    }
}

/// Whether a refusal is one of those that the client of the forge is tested with.
pub(crate) fn is_known_refusal(text: &str) -> bool {
    let known: Value =
        serde_json::from_str(include_str!("../../../forge/tests/fixtures/refusals.json")).unwrap_or_default();
    let mut rows = known.as_array().into_iter().flatten();
    rows.any(|row| row["message"].as_str() == Some(text))
}

/// A clone on disk.
pub(crate) struct Clone {
    directory: PathBuf,
}

impl Clone {
    /// Runs `git` there: whether it worked, and what it said.
    pub(crate) fn git(&self, arguments: &[&str]) -> Result<(bool, String)> {
        git(&self.directory, arguments)
    }

    /// Commits a file.
    pub(crate) fn commit(&self, path: &str, text: &str) -> Result<()> {
        std::fs::write(self.directory.join(path), text)?;
        for arguments in [vec!["add", path], vec!["commit", "--quiet", "-m", "Change a file"]] {
            let (done, said) = self.git(&arguments)?;
            ensure!(done, "{said}");
        }
        Ok(())
    }
}

pub(crate) fn git(directory: &Path, arguments: &[&str]) -> Result<(bool, String)> {
    let output = Command::new("git")
        .args(["-c", "user.name=Tester", "-c", "user.email=tester@example.com"])
        .args(arguments)
        .current_dir(directory)
        .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_TERMINAL_PROMPT", "0")])
        .env("LC_ALL", "C")
        .output()?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Ok((output.status.success(), said))
}

pub(crate) async fn read(response: Response) -> Result<(u16, Value)> {
    let status = response.status().as_u16();
    let text = response.text().await?;
    Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
}
