//! One conversation with a repository over Git's smart HTTP protocol: its credentials, its limits of time, and how
//! it failed.
//!
//! libgit2 knows errors only as texts. What really happened is kept here, and read after libgit2 gave up.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use base64::Engine as _;
use domain::circuit::Report;
use git2::transport::Service;
use reqwest::{Client, Response, header};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{runtime::Handle, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{limit, scrub::scrub};

/// What GitHub lets any token log in as (<https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation>).
pub(crate) const USER: &str = "x-access-token";

/// The longest text of a refusal that is kept, in bytes.
const LONGEST_TEXT: usize = 1000;

/// One conversation.
#[derive(Debug)]
pub(crate) struct Session {
    http: Client,
    runtime: Handle,
    url: String,
    credentials: Option<SecretString>,
    idle: Duration,
    deadline: Instant,
    cancelled: CancellationToken,
    failure: Mutex<Option<Failure>>,
    /// What it says of the host so far.
    report: Mutex<Report>,
}

/// How a conversation failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The forge answered with this status.
    Status {
        code: u16,
        /// The beginning of its answer.
        text: String,
        /// `Some` when it asked us to slow down.
        limit: Option<Option<Duration>>,
    },
    /// The connection could not be made, or broke.
    Broken(reqwest::Error),
    /// No bytes came for this long.
    Idle(Duration),
    /// The whole took too long.
    Late,
    /// Nobody waits for it any more.
    Cancelled,
}

impl Failure {
    /// What it says of the host. One that wants to be left alone for a while has a pause.
    fn report(&self) -> Report {
        match self {
            Self::Status { limit: Some(_), .. } | Self::Cancelled => Report::Unknown,
            Self::Status { code: 408 | 500.., .. } | Self::Broken(_) | Self::Idle(_) | Self::Late => Report::Failed,
            Self::Status { .. } => Report::Answered,
        }
    }
}

impl Session {
    /// A conversation about the repository at `url` that ends at `deadline`.
    pub(crate) fn new(
        http: Client,
        url: String,
        login: Option<(&str, &SecretString)>,
        (idle, deadline): (Duration, Instant),
        cancelled: CancellationToken,
    ) -> Self {
        let header = |(user, secret): (&str, &SecretString)| {
            let pair = format!("{user}:{}", secret.expose_secret());
            SecretString::from(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)))
        };
        Self {
            http,
            runtime: Handle::current(),
            url,
            credentials: login.map(header),
            idle,
            deadline,
            cancelled,
            failure: Mutex::default(),
            report: Mutex::new(Report::Unknown),
        }
    }

    /// How it failed, if it did; only once.
    pub(crate) fn take_failure(&self) -> Option<Failure> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// What it says of the host, as far as it is; a request that is not answered yet has failed.
    pub(crate) fn report(&self) -> Report {
        *self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends one request of the protocol and gives its answer once the status is good. Blocks.
    ///
    /// Credentials go with the first request: waiting to be asked for them costs a round trip each time.
    pub(crate) fn request(&self, service: Service, body: Vec<u8>) -> Result<Response, std::io::Error> {
        let (name, reads_refs) = match service {
            Service::UploadPackLs => ("git-upload-pack", true),
            Service::UploadPack => ("git-upload-pack", false),
            Service::ReceivePackLs => ("git-receive-pack", true),
            Service::ReceivePack => ("git-receive-pack", false),
        };
        let request = if reads_refs {
            self.http.get(format!("{}/info/refs?service={name}", self.url))
        } else {
            self.http
                .post(format!("{}/{name}", self.url))
                .header(header::CONTENT_TYPE, format!("application/x-{name}-request"))
                .header(header::ACCEPT, format!("application/x-{name}-result"))
                .body(body)
        };
        let request = match &self.credentials {
            Some(credentials) => request.header(header::AUTHORIZATION, credentials.expose_secret()),
            None => request,
        };
        self.note(Report::Failed);
        let response = self.wait(request.send())?;
        if response.status().is_success() {
            self.note(Report::Answered);
            return Ok(response);
        }
        let failure = self.read_refusal(response);
        Err(self.fail(failure))
    }

    /// The next bytes of an answer; `None` at its end. Blocks.
    pub(crate) fn next(&self, response: &mut Response) -> Result<Option<Vec<u8>>, std::io::Error> {
        let chunk = self.wait(response.chunk())?;
        Ok(chunk.map(|bytes| bytes.to_vec()))
    }

    fn read_refusal(&self, mut response: Response) -> Failure {
        let code = response.status().as_u16();
        let headers = response.headers().clone();
        let mut bytes = Vec::new();
        while bytes.len() < LONGEST_TEXT {
            match self.next(&mut response) {
                Ok(Some(more)) => bytes.extend(more),
                Ok(None) | Err(_) => break,
            }
        }
        bytes.truncate(LONGEST_TEXT);
        let text = scrub(String::from_utf8_lossy(&bytes).trim());
        let limit = matches!(code, 403 | 429).then(|| limit::of(code, &headers, &text)).flatten();
        Failure::Status { code, text, limit }
    }

    /// Waits for something from the network: not longer than is left, and not when nobody waits for us.
    fn wait<T>(&self, work: impl Future<Output = Result<T, reqwest::Error>>) -> Result<T, std::io::Error> {
        let idle_until = Instant::now() + self.idle;
        let result = self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.cancelled.cancelled() => Err(Failure::Cancelled),
                result = work => result.map_err(|error| Failure::Broken(error.without_url())),
                () = tokio::time::sleep_until(self.deadline) => Err(Failure::Late),
                () = tokio::time::sleep_until(idle_until) => Err(Failure::Idle(self.idle)),
            }
        });
        result.map_err(|failure| self.fail(failure))
    }

    fn note(&self, report: Report) {
        *self.report.lock().unwrap_or_else(PoisonError::into_inner) = report;
    }

    /// Keeps the first failure, and gives libgit2 something to give up with.
    fn fail(&self, failure: Failure) -> std::io::Error {
        let mut kept = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        self.note(failure.report());
        kept.get_or_insert(failure);
        std::io::Error::other("the conversation failed")
    }
}
