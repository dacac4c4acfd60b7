//! A Git host on loopback: bare repositories under a temporary directory, and a script of other answers.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use domain::{commit::Commit, forge::Repository};
use forge::{Credentials, Forge, Settings, Timeouts};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt as _, process::Command};

/// The token that the host accepts.
pub(crate) const TOKEN: &str = "ghs_12345_sekret.token-of-any-length";

/// A host with what it was asked; when it goes, it fails the test that asked what GitHub would not understand.
pub(crate) struct Host {
    pub(crate) directory: TempDir,
    url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    root: PathBuf,
    script: Mutex<Vec<Scripted>>,
    seen: Mutex<Vec<Seen>>,
    trouble: Mutex<Option<Trouble>>,
    /// What GitHub would not understand of what was asked.
    wrong: Mutex<Vec<String>>,
}

/// A request that the host got.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// `GET /path?query`.
    pub(crate) line: String,
    pub(crate) authorization: String,
    pub(crate) body: Vec<u8>,
}

/// What the host does instead of serving Git.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trouble {
    Status(u16, &'static str),
    /// It takes the request and never answers.
    Silence,
    /// It answers one byte from time to time.
    Trickle,
}

struct Scripted {
    line: String,
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
}

impl Host {
    /// Starts a host with nothing on it.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let root = directory.path().join("repositories");
        let shared = Arc::new(Shared { root, ..Shared::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = axum::Router::new().fallback(serve).with_state(Arc::clone(&shared));
        let server = axum::serve(listener, router);
        // It ends with the runtime of the test.
        drop(tokio::spawn(async move { server.await }));
        Ok(Self { directory, url, shared })
    }

    /// Where it is.
    pub(crate) fn url(&self) -> url::Url {
        self.url.parse().expect("its address and port are an address")
    }

    /// A forge that speaks to it with the right token.
    pub(crate) fn forge(&self) -> anyhow::Result<Forge> {
        self.forge_as(Credentials::Token(TOKEN.into()))
    }

    /// A forge that speaks to it with these credentials.
    pub(crate) fn forge_as(&self, credentials: Credentials) -> anyhow::Result<Forge> {
        self.forge_with(credentials, Timeouts::default())
    }

    /// A forge that does not wait for long.
    pub(crate) fn hasty_forge(&self) -> anyhow::Result<Forge> {
        let git = Duration::from_secs(1);
        let idle = Duration::from_millis(500);
        let timeouts = Timeouts { git, idle, ..Timeouts::default() };
        self.forge_with(Credentials::Token(TOKEN.into()), timeouts)
    }

    fn forge_with(&self, credentials: Credentials, timeouts: Timeouts) -> anyhow::Result<Forge> {
        let data_dir = self.directory.path().join("stores");
        let mut settings = Settings::new(self.url.parse()?, credentials, data_dir);
        settings.timeouts = timeouts;
        Ok(Forge::new(settings)?)
    }

    /// Answers the next request with this line so, once. A line may leave its end open with `*`.
    pub(crate) fn answer(&self, line: &str, status: u16, body: &Value) -> anyhow::Result<()> {
        self.answer_with(line, status, &[], body)
    }

    /// The same with headers.
    pub(crate) fn answer_with(
        &self,
        line: &str,
        status: u16,
        headers: &[(&'static str, &'static str)],
        body: &Value,
    ) -> anyhow::Result<()> {
        let scripted = Scripted { line: line.to_owned(), status, headers: headers.to_vec(), body: body.to_string() };
        self.shared.script.lock().ok().context("poisoned")?.push(scripted);
        Ok(())
    }

    /// From now on Git is served so.
    pub(crate) fn trouble(&self, trouble: Option<Trouble>) -> anyhow::Result<()> {
        *self.shared.trouble.lock().ok().context("poisoned")? = trouble;
        Ok(())
    }

    /// The requests since the last look; all that was scripted must have been asked for.
    pub(crate) fn seen(&self) -> anyhow::Result<Vec<Seen>> {
        let left: Vec<String> = {
            let script = self.shared.script.lock().ok().context("poisoned")?;
            script.iter().map(|one| one.line.clone()).collect()
        };
        ensure!(left.is_empty(), "not asked for: {left:?}");
        Ok(std::mem::take(&mut *self.shared.seen.lock().ok().context("poisoned")?))
    }

    /// The lines of the requests since the last look.
    pub(crate) fn lines(&self) -> anyhow::Result<Vec<String>> {
        Ok(self.seen()?.into_iter().map(|seen| seen.line).collect())
    }

    /// Makes a repository whose `main` has these files; a name that ends in `*` is executable, a content that
    /// begins with `->` is a symbolic link.
    pub(crate) async fn repository(&self, name: &str, files: &[(&str, &str)]) -> anyhow::Result<Repository> {
        let bare = self.bare(name);
        std::fs::create_dir_all(&bare)?;
        self.git(&bare, &["init", "--quiet", "--bare", "--initial-branch=main"]).await?;
        self.push(name, "main", files).await?;
        Ok(name.parse()?)
    }

    /// Somebody else puts a commit with these files onto a branch.
    pub(crate) async fn push(&self, name: &str, branch: &str, files: &[(&str, &str)]) -> anyhow::Result<Commit> {
        let (bare, work) = (self.bare(name), self.directory.path().join("work").join(name));
        if !work.exists() {
            std::fs::create_dir_all(&work)?;
            self.git(&work, &["init", "--quiet", "--initial-branch=main"]).await?;
        }
        for (path, content) in files {
            write(&work, path, content)?;
        }
        self.git(&work, &["add", "--all"]).await?;
        self.git(&work, &["commit", "--quiet", "--allow-empty", "--message", "By hand"]).await?;
        let destination = format!("+HEAD:refs/heads/{branch}");
        let bare = bare.to_string_lossy().into_owned();
        self.git(&work, &["push", "--quiet", &bare, &destination]).await?;
        Ok(self.git(&work, &["rev-parse", "HEAD"]).await?.trim().parse()?)
    }

    /// Runs `git` in a repository of the host.
    pub(crate) async fn ask(&self, name: &str, arguments: &[&str]) -> anyhow::Result<String> {
        self.git(&self.bare(name), arguments).await
    }

    /// Makes a repository refuse every push with these words.
    pub(crate) fn refuse_pushes(&self, name: &str, words: &str) -> anyhow::Result<()> {
        let hook = self.bare(name).join("hooks/pre-receive");
        std::fs::create_dir_all(hook.parent().context("no parent")?)?;
        std::fs::write(&hook, format!("#!/bin/sh\necho '{words}' >&2\nexit 1\n"))?;
        make_executable(&hook)
    }

    /// Where a repository is on disk.
    pub(crate) fn bare(&self, name: &str) -> PathBuf {
        self.shared.root.join(format!("{name}.git"))
    }

    async fn git(&self, directory: &Path, arguments: &[&str]) -> anyhow::Result<String> {
        let output = git(directory).args(arguments).output().await?;
        ensure!(output.status.success(), "git {arguments:?}: {output:?}");
        Ok(String::from_utf8(output.stdout)?)
    }
}

impl Drop for Host {
    #[expect(clippy::panic, reason = "nobody can forget to ask for what fails by itself")]
    fn drop(&mut self) {
        let wrong = self.shared.wrong.lock().map(|wrong| wrong.clone()).unwrap_or_default();
        if !std::thread::panicking() && !wrong.is_empty() {
            panic!("GitHub does not understand:\n{}", wrong.join("\n"));
        }
    }
}

/// `git`, on which the user's configuration has no influence.
pub(crate) fn git(directory: &Path) -> Command {
    let mut git = Command::new("git");
    git.current_dir(directory)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "Somebody")
        .env("GIT_AUTHOR_EMAIL", "somebody@example.com")
        .env("GIT_COMMITTER_NAME", "Somebody")
        .env("GIT_COMMITTER_EMAIL", "somebody@example.com")
        .kill_on_drop(true);
    git
}

fn write(work: &Path, path: &str, content: &str) -> anyhow::Result<()> {
    let file = work.join(path.trim_end_matches('*'));
    std::fs::create_dir_all(file.parent().context("no parent")?)?;
    if let Some(target) = content.strip_prefix("->") {
        std::os::unix::fs::symlink(target, &file)?;
        return Ok(());
    }
    std::fs::write(&file, content)?;
    if path.ends_with('*') {
        make_executable(&file)?;
    }
    Ok(())
}

fn make_executable(file: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}

async fn serve(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let answered = answer(&shared, (method, uri), &headers, body).await;
    answered.unwrap_or_else(|error| (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")).into_response())
}

async fn answer(
    shared: &Shared,
    (method, uri): (Method, Uri),
    headers: &HeaderMap,
    body: Bytes,
) -> anyhow::Result<Response> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = header("authorization").unwrap_or_default().to_owned();
    let line = format!("{method} {uri}");
    let seen = Seen { line: line.clone(), authorization: authorization.clone(), body: body.to_vec() };
    shared.seen.lock().ok().context("poisoned")?.push(seen);
    if let Some((repository, service)) = uri.path().split_once(".git/") {
        let directory = shared.root.join(format!("{}.git", repository.trim_start_matches('/')));
        let trouble = *shared.trouble.lock().ok().context("poisoned")?;
        let query = uri.query().unwrap_or_default();
        return match trouble {
            Some(trouble) => answer_with_trouble(trouble).await,
            None if !is_basic(&authorization) => Ok(StatusCode::UNAUTHORIZED.into_response()),
            None if !directory.exists() => Ok(StatusCode::NOT_FOUND.into_response()),
            None => serve_git(&directory, service, query, &body).await,
        };
    }
    // What is below here is not the forge's.
    if !uri.path().starts_with("/_") {
        let wrong = conformance::judge::request(method.as_str(), &uri.to_string(), &body);
        shared.wrong.lock().ok().context("poisoned")?.extend(wrong);
    }
    let mut script = shared.script.lock().ok().context("poisoned")?;
    let fits = |one: &Scripted| match one.line.strip_suffix('*') {
        Some(beginning) => line.starts_with(beginning),
        None => line == one.line,
    };
    let index = script.iter().position(fits).with_context(|| format!("unscripted: {line}"))?;
    let scripted = script.remove(index);
    let mut response = Response::builder().status(scripted.status);
    for (name, value) in scripted.headers {
        response = response.header(name, value);
    }
    Ok(response.body(Body::from(scripted.body))?)
}

fn is_basic(authorization: &str) -> bool {
    use base64::Engine as _;
    let expected = base64::engine::general_purpose::STANDARD.encode(format!("x-access-token:{TOKEN}"));
    authorization == format!("Basic {expected}")
}

async fn answer_with_trouble(trouble: Trouble) -> anyhow::Result<Response> {
    match trouble {
        Trouble::Status(status, text) => {
            Ok(Response::builder().status(status).header("retry-after", "7").body(text.into())?)
        }
        Trouble::Silence => std::future::pending().await,
        Trouble::Trickle => {
            let ticks = tokio::time::interval(Duration::from_millis(100));
            let bytes = futures_util::stream::unfold(ticks, |mut ticks| async {
                ticks.tick().await;
                Some((Ok::<_, std::io::Error>("0"), ticks))
            });
            Ok(Body::from_stream(bytes).into_response())
        }
    }
}

async fn serve_git(directory: &Path, service: &str, query: &str, body: &[u8]) -> anyhow::Result<Response> {
    let advertises = service == "info/refs";
    let service = if advertises { query.trim_start_matches("service=") } else { service };
    let command = service.strip_prefix("git-").context("no service")?;
    let mut git = git(directory);
    git.args([command, "--stateless-rpc"]);
    if advertises {
        git.arg("--advertise-refs");
    }
    let mut child = git.arg(".").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    stdin.write_all(body).await?;
    drop(stdin);
    let output = child.wait_with_output().await?.stdout;
    let mut answer = Vec::new();
    if advertises {
        let comment = format!("# service={service}\n");
        answer.extend(format!("{:04x}{comment}0000", comment.len() + 4).into_bytes());
    }
    answer.extend(output);
    Ok(answer.into_response())
}
