//! The service as a process, and its interface.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use crate::{binaries, until};

/// The token that the harness asks with; the configuration has its hash.
pub const TOKEN: &str = "e2e-viewer-token";

/// The SHA-256 of [`TOKEN`].
pub const TOKEN_SHA256: &str = "667da53dbb3834e0b648a640ce71af319cc8ab45423f583878eb5dc436b61971";

/// A token that may have something done; the configuration has its hash.
pub const RELEASER_TOKEN: &str = "e2e-releaser-token";

/// The SHA-256 of [`RELEASER_TOKEN`].
pub const RELEASER_TOKEN_SHA256: &str = "3460d6bb6a3e32ffc252a0f1d7d3a8e13d2a2a01e4c9cdb21ac05d368d9e6922";

/// A running service. Dropping it kills it.
#[derive(Debug)]
pub struct Tagferry {
    child: Child,
    url: String,
    client: Client,
    log: PathBuf,
}

impl Tagferry {
    /// Starts the service and waits until it says where it listens. Its log is appended to `log`.
    ///
    /// # Errors
    ///
    /// It did not start; the error has its log.
    pub async fn start(config: &Path, log: &Path) -> Result<Self> {
        Self::launch(Command::new(binaries::program("tagferry")?), config, log).await
    }

    /// Starts the service so that [`limit_file_size`](Self::limit_file_size) makes its writes fail and does not end it.
    ///
    /// # Errors
    ///
    /// It did not start; the error has its log.
    pub async fn start_with_a_disk_that_can_fill(config: &Path, log: &Path) -> Result<Self> {
        let mut shell = Command::new("sh");
        // Without the trap the system would not only refuse the write but send a signal that kills.
        shell.args(["-c", r#"trap "" XFSZ; exec "$0" "$@""#]).arg(binaries::program("tagferry")?);
        Self::launch(shell, config, log).await
    }

    async fn launch(mut program: Command, config: &Path, log: &Path) -> Result<Self> {
        let sink = std::fs::OpenOptions::new().create(true).append(true).open(log).context("opening the log")?;
        let mut child = program
            .args(["serve", "--log", "info,reconciler=debug,server=debug", "--config"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(sink)
            .kill_on_drop(true)
            .spawn()
            .context("starting tagferry")?;
        let out = child.stdout.take().context("standard output is a pipe")?;
        let first = BufReader::new(out).lines().next_line().await.context("reading its first line")?;
        let Some(url) = first.as_deref().and_then(|line| line.strip_prefix("tagferry listens on ")) else {
            bail!("tagferry did not start: {}", std::fs::read_to_string(log).unwrap_or_default());
        };
        Ok(Self { url: url.to_owned(), child, client: Client::new(), log: log.to_owned() })
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Everything that it logged so far, over all its lives.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Lets no file of it grow beyond so many bytes, as a full disk would; `None` for any size.
    ///
    /// # Errors
    ///
    /// It has ended, or the limit could not be set.
    pub async fn limit_file_size(&self, bytes: Option<u64>) -> Result<()> {
        let id = self.child.id().context("it has ended already")?;
        let bytes = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
        let mut prlimit = Command::new("prlimit");
        prlimit.arg(format!("--pid={id}")).arg(format!("--fsize={bytes}:unlimited"));
        let status = prlimit.status().await.context("running prlimit (Debian package util-linux)")?;
        ensure!(status.success(), "prlimit {id} failed");
        Ok(())
    }

    /// Kills it with SIGKILL, as a crash would.
    ///
    /// # Errors
    ///
    /// It could not be killed or waited for.
    pub async fn kill(mut self) -> Result<()> {
        self.child.kill().await.context("killing tagferry")
    }

    /// Kills it so much later, wherever it is then.
    ///
    /// # Errors
    ///
    /// It could not be killed or waited for.
    pub async fn kill_after(self, delay: Duration) -> Result<()> {
        tokio::time::sleep(delay).await;
        self.kill().await
    }

    /// Asks it to stop with SIGTERM and waits; says whether it ended with 0.
    ///
    /// # Errors
    ///
    /// It could not be told, or did not end.
    pub async fn terminate(self) -> Result<bool> {
        self.signal("TERM").await?;
        self.ended().await
    }

    /// Waits until it ends; says whether that was with 0.
    ///
    /// # Errors
    ///
    /// It did not.
    pub async fn ended(mut self) -> Result<bool> {
        let ended = tokio::time::timeout(until::PATIENCE, self.child.wait()).await.context("it did not end")?;
        Ok(ended?.success())
    }

    /// Sends it a signal, by its name.
    ///
    /// # Errors
    ///
    /// It has ended, or could not be told.
    pub async fn signal(&self, name: &str) -> Result<()> {
        let id = self.child.id().context("it has ended already")?;
        let told = Command::new("kill").arg(format!("-{name}")).arg(id.to_string()).status().await;
        ensure!(told.context("running kill")?.success(), "kill -{name} {id} failed");
        Ok(())
    }

    /// Posts to a sender's address with these headers.
    ///
    /// # Errors
    ///
    /// There was no answer.
    pub async fn post(&self, sender: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Result<Response> {
        let mut request = self.client.post(format!("{}/v1/hooks/{sender}", self.url)).body(body.into());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.context("posting a delivery")
    }

    /// Asks for a page, with the token.
    ///
    /// # Errors
    ///
    /// There was no answer, it is no JSON, or its status is not 200.
    pub async fn get(&self, path: &str) -> Result<Value> {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(TOKEN);
        let response = request.send().await.with_context(|| format!("asking for {path}"))?;
        let status = response.status();
        let body = response.text().await?;
        if status != StatusCode::OK {
            bail!("{path} answers {status}: {body}");
        }
        serde_json::from_str(&body).with_context(|| format!("{path} answers {body}"))
    }

    /// All announcements of all deliveries, newest delivery first.
    ///
    /// # Errors
    ///
    /// It can not be asked.
    pub async fn announcements(&self) -> Result<Vec<Value>> {
        let answer = self.get("/v1/deliveries?limit=200").await?;
        let deliveries = field(&answer, "deliveries").as_array().context("deliveries is a list")?;
        Ok(deliveries
            .iter()
            .flat_map(|one| field(one, "announcements").as_array().cloned().unwrap_or_default())
            .collect())
    }

    /// The reason that the announcement of a tag was settled with; waits until it is.
    ///
    /// # Errors
    ///
    /// It is not settled within the patience.
    pub async fn reason(&self, repository: &str, tag: &str) -> Result<(String, String)> {
        let what = format!("the verdict on {repository}:{tag}");
        until(&what, async || {
            let all = self.announcements().await?;
            let one = all.iter().find(|one| {
                field(one, "tag") == tag && field(one, "repository") == repository && field(one, "verdict") != "pending"
            });
            Ok(one.map(|one| (text(field(one, "verdict")), text(field(one, "reason")))))
        })
        .await
    }

    /// The release of a commit with all that is known of it; `None` while there is none.
    ///
    /// # Errors
    ///
    /// It can not be asked.
    pub async fn release(&self, commit: &str) -> Result<Option<Value>> {
        let answer = self.get("/v1/releases?limit=200").await?;
        let releases = field(&answer, "releases").as_array().context("releases is a list")?;
        match releases.iter().find(|one| field(one, "commit") == commit) {
            None => Ok(None),
            Some(one) => Ok(Some(self.get(&format!("/v1/releases/{}", text(field(one, "id")))).await?)),
        }
    }

    /// Waits until the newest promotion of a commit is settled; gives its outcome and reason.
    ///
    /// # Errors
    ///
    /// It is not settled within the patience; the error has what it waits for.
    pub async fn outcome(&self, commit: &str) -> Result<(String, String)> {
        let mut last = Value::Null;
        let what = format!("the outcome of {commit}");
        let settled = until(&what, async || {
            let Some(release) = self.release(commit).await? else { return Ok(None) };
            last = newest(&release);
            Ok((!field(&last, "outcome").is_null())
                .then(|| (text(field(&last, "outcome")), text(field(&last, "reason")))))
        });
        let settled = settled.await;
        settled.with_context(|| format!("it was last seen as {last}\n{}", tail(&self.log())))
    }

    /// Waits until the newest promotion of a commit waits for something whose sentence contains `part`.
    ///
    /// # Errors
    ///
    /// It does not within the patience; the error has what it waits for instead.
    pub async fn waits_for(&self, commit: &str, part: &str) -> Result<String> {
        let mut last = Value::Null;
        let what = format!("{commit} to wait for {part:?}");
        let waits = until(&what, async || {
            let Some(release) = self.release(commit).await? else { return Ok(None) };
            last = newest(&release);
            let waiting = text(field(&last, "waiting"));
            Ok(waiting.contains(part).then_some(waiting))
        });
        let waits = waits.await;
        waits.with_context(|| format!("it was last seen as {last}\n{}", tail(&self.log())))
    }
}

/// The newest promotion of a release.
fn newest(release: &Value) -> Value {
    let promotions = field(release, "promotions").as_array().into_iter().flatten();
    let id = |one: &&Value| field(one, "id").as_str().and_then(|id| id.parse::<u64>().ok());
    promotions.max_by_key(id).cloned().unwrap_or(Value::Null)
}

/// What an object has under a key; null where it has nothing.
#[must_use]
pub fn field<'a>(object: &'a Value, key: &str) -> &'a Value {
    object.get(key).unwrap_or(&Value::Null)
}

/// The text of a JSON string, empty for anything else.
#[must_use]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines.get(lines.len().saturating_sub(30)..).unwrap_or_default().join("\n")
}
