//! Git over HTTP (<https://git-scm.com/docs/http-protocol>): the `git` program does the work, this decides who may.

mod pkt_line;
mod push;

use std::{io::Read as _, path::PathBuf, process::Stdio, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, Command},
};

use crate::{
    git::{ENVIRONMENT, FOREIGN, SETTINGS},
    refusal::Refusal,
    shared::Shared,
    world::{
        app::{Access, Caller},
        repository::Key,
    },
};

/// More is not taken from a client, neither as it comes nor unpacked.
const LARGEST_BODY: usize = 1 << 30;

/// The two programs that a client may talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    UploadPack,
    ReceivePack,
}

/// The query of `info/refs`.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    service: Option<String>,
}

/// A client that may use a service of a repository.
#[derive(Debug)]
struct Session {
    service: Service,
    key: Key,
    login: String,
    directory: PathBuf,
    /// The header `Git-Protocol`.
    protocol: Option<String>,
}

/// `GET /{owner}/{name}.git/info/refs?service=…`.
pub(crate) async fn info_refs(
    State(shared): State<Arc<Shared>>,
    Path((owner, name)): Path<(String, String)>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Response {
    let service = match asked.service.as_deref() {
        Some("git-upload-pack") => Service::UploadPack,
        Some("git-receive-pack") => Service::ReceivePack,
        _ => return refuse(&Refusal::new(StatusCode::FORBIDDEN, "Please upgrade your git client.")),
    };
    match begin(&shared, service, &owner, &name, &headers).await {
        Ok(session) => advertise(&session).await.unwrap_or_else(|error| broken(&error)),
        Err(refusal) => refuse(&refusal),
    }
}

/// `POST /{owner}/{name}.git/git-upload-pack`.
pub(crate) async fn upload_pack(
    State(shared): State<Arc<Shared>>,
    Path((owner, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let session = match begin(&shared, Service::UploadPack, &owner, &name, &headers).await {
        Ok(session) => session,
        Err(refusal) => return refuse(&refusal),
    };
    let request = match read(body, &headers).await {
        Ok(request) => request,
        Err(refusal) => return refuse(&refusal),
    };
    match session.run(&[], &request).await {
        Ok(output) => session.result(output),
        Err(error) => broken(&error),
    }
}

/// `POST /{owner}/{name}.git/git-receive-pack`.
pub(crate) async fn receive_pack(
    State(shared): State<Arc<Shared>>,
    Path((owner, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let session = match begin(&shared, Service::ReceivePack, &owner, &name, &headers).await {
        Ok(session) => session,
        Err(refusal) => return refuse(&refusal),
    };
    let request = match read(body, &headers).await {
        Ok(request) => request,
        Err(refusal) => return refuse(&refusal),
    };
    // A push that has begun is followed up even when the client has gone.
    let pushing = tokio::spawn(async move { push::receive(&shared, &session, &request).await });
    match pushing.await {
        Ok(Ok(response)) => response,
        Ok(Err(refusal)) => refuse(&refusal),
        Err(error) => broken(&std::io::Error::other(error)),
    }
}

/// Finds out whether the client may use the service.
async fn begin(
    shared: &Arc<Shared>,
    service: Service,
    owner: &str,
    name: &str,
    headers: &HeaderMap,
) -> Result<Session, Refusal> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let authorization = text(AUTHORIZATION.as_str());
    let protocol = text("git-protocol");
    let key = format!("{owner}/{}", name.strip_suffix(".git").unwrap_or(name));
    shared
        .with(move |world| {
            let caller = world.authenticate(authorization.as_deref())?;
            if matches!(caller, Caller::App) {
                return Err(Refusal::unauthenticated("Bad credentials"));
            }
            let key: Key = key.parse().ok().ok_or_else(Refusal::not_found)?;
            let access = match service {
                Service::UploadPack => Access::Read,
                Service::ReceivePack => Access::Write,
            };
            let repository = world.permitted(&caller, &key, "contents", access)?;
            let directory = repository.git.directory().to_owned();
            Ok(Session { service, key, login: world.login_of(&caller), directory, protocol })
        })
        .await
}

async fn advertise(session: &Session) -> std::io::Result<Response> {
    let mut body = Vec::new();
    // Version 2 begins with its capabilities and not with the service's name.
    if !session.protocol.as_ref().is_some_and(|protocol| protocol.contains("version=2")) {
        pkt_line::write(&mut body, format!("# service=git-{}\n", session.service.name()).as_bytes());
        pkt_line::flush(&mut body);
    }
    body.extend(session.run(&["--http-backend-info-refs"], &[]).await?);
    let kind = format!("application/x-git-{}-advertisement", session.service.name());
    Ok(([(CONTENT_TYPE, kind.as_str()), (CACHE_CONTROL, "no-cache")], body).into_response())
}

/// The whole body, unpacked when the client packed it.
async fn read(body: Body, headers: &HeaderMap) -> Result<Bytes, Refusal> {
    let too_large = || Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large.");
    let bytes = axum::body::to_bytes(body, LARGEST_BODY).await.ok().ok_or_else(too_large)?;
    let encoding = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
    if !matches!(encoding, Some("gzip" | "x-gzip")) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    let limit = u64::try_from(LARGEST_BODY).unwrap_or(u64::MAX);
    let read = MultiGzDecoder::new(bytes.as_ref()).take(limit).read_to_end(&mut unpacked);
    match read {
        Ok(size) if size < LARGEST_BODY => Ok(unpacked.into()),
        Ok(_) => Err(too_large()),
        Err(error) => Err(Refusal::new(StatusCode::BAD_REQUEST, format!("not gzip: {error}"))),
    }
}

impl Service {
    const fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "upload-pack",
            Self::ReceivePack => "receive-pack",
        }
    }
}

impl Session {
    /// Runs the service once on a request and gives all that it answers.
    async fn run(&self, flags: &[&str], request: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut child = self.spawn(flags)?;
        let stdin = child.stdin.take();
        let writing = async move {
            match stdin {
                Some(mut stdin) => stdin.write_all(request).await,
                None => Ok(()),
            }
        };
        let (written, output) = tokio::join!(writing, child.wait_with_output());
        let output = output?;
        // A service that refuses stops reading before the end; what it said counts.
        if let Err(error) = written {
            tracing::debug!(%error, "git did not read all of a request");
        }
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            tracing::debug!(service = self.service.name(), %stderr, "git ended with an error");
        }
        Ok(output.stdout)
    }

    fn spawn(&self, flags: &[&str]) -> std::io::Result<Child> {
        let mut command = Command::new("git");
        for name in FOREIGN {
            command.env_remove(name);
        }
        if let Some(protocol) = &self.protocol {
            command.env("GIT_PROTOCOL", protocol);
        }
        command
            .envs(ENVIRONMENT)
            .args(SETTINGS)
            .args(["-c", "safe.directory=*", "-c", "receive.hideRefs=refs/pull"])
            .args([self.service.name(), "--stateless-rpc"])
            .args(flags)
            .arg(&self.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    }

    /// What the service answered, as the client expects it.
    fn result(&self, output: Vec<u8>) -> Response {
        let kind = format!("application/x-git-{}-result", self.service.name());
        ([(CONTENT_TYPE, kind.as_str()), (CACHE_CONTROL, "no-cache")], output).into_response()
    }
}

/// A refusal as Git clients see it: a sentence in plain text.
fn refuse(refusal: &Refusal) -> Response {
    let sentence = match refusal.status {
        StatusCode::NOT_FOUND => "Repository not found.",
        StatusCode::FORBIDDEN => "Write access to repository not granted.",
        StatusCode::UNAUTHORIZED => {
            "Invalid username or token. Password authentication is not supported for Git operations."
        }
        _ => refusal.message.as_str(),
    };
    let mut response = (refusal.status, sentence.to_owned()).into_response();
    if refusal.status == StatusCode::UNAUTHORIZED {
        let challenge = axum::http::HeaderValue::from_static("Basic realm=\"GitHub\"");
        response.headers_mut().insert(axum::http::header::WWW_AUTHENTICATE, challenge);
    }
    response
}

fn broken(error: &std::io::Error) -> Response {
    tracing::error!(%error, "git can not be run");
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
}
