//! One request to the forge's REST or GraphQL interface: sent once, with a limit of time, and understood as far as
//! its status tells.
//!
//! `octocrab` is the transport. Its retries, its paging and its models are not used: they repeat what must not be
//! repeated, lose credentials and fail on values that GitHub adds.

mod answer;
mod request;

use std::time::Duration;

use chrono::Utc;
use domain::{circuit::Report, fault::Chain};
use octocrab::Octocrab;
use reqwest::header::{ACCEPT, ETAG, HeaderMap};
use secrecy::ExposeSecret as _;

use crate::{
    Error, Settings,
    address::Address,
    budget::{Budgets, Priority, Purpose, Resource},
    credentials::{Account, Bearer},
    etag::{Entry, Etags},
    limit,
    line::Line,
};
pub(crate) use answer::Answer;
pub(crate) use request::Request;
use request::{Method, Path};

/// How long to wait before a read is sent again, on average: shorter than the pass that it is part of takes, and in all
/// far within the time for one request. What lasts longer is the caller's to wait for.
const WAITS: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(500)];

/// A read that is about nothing and not counted
/// (<https://docs.github.com/en/rest/rate-limit/rate-limit#get-rate-limit-status-for-the-authenticated-user>).
const HARMLESS: &str = "/rate_limit";

/// The interfaces of one forge.
pub(crate) struct Api {
    octocrab: Octocrab,
    address: Address,
    timeout: Duration,
    budgets: Budgets,
    etags: Etags,
    line: Line,
}

impl Api {
    /// The interfaces at an address; nothing is sent yet.
    pub(crate) fn new(address: Address, settings: &Settings) -> Result<Self, Error> {
        let timeouts = &settings.timeouts;
        // The client starts a task when it is built, which panics where no runtime is.
        if tokio::runtime::Handle::try_current().is_err() {
            let what = "a forge can only be made inside a Tokio runtime".to_owned();
            return Err(Error::Settings { what });
        }
        let unusable =
            |source: octocrab::Error| Error::Settings { what: format!("no client for {}: {source}", address.origin) };
        let octocrab = Octocrab::builder()
            .base_uri(address.origin.as_str())
            .map_err(unusable)?
            .set_connect_timeout(Some(timeouts.connect))
            .set_read_timeout(Some(timeouts.idle))
            .set_write_timeout(Some(timeouts.idle))
            .add_header(ACCEPT, "application/vnd.github+json".to_owned())
            .build()
            .map_err(unusable)?;
        let budgets = Budgets::new(&settings.spending)?;
        let line = Line::new(address.origin.clone(), settings.limits);
        Ok(Self { octocrab, address, timeout: timeouts.request, budgets, etags: Etags::default(), line })
    }

    /// Where the interfaces are.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// The line to the interfaces.
    pub(crate) const fn line(&self) -> &Line {
        &self.line
    }

    /// Sends a request, once unless it is a read that met something that passes; not at all while the forge is left
    /// alone.
    pub(crate) async fn send(&self, bearer: &Bearer, request: &Request) -> Result<Answer, Error> {
        if request.purpose().changes && self.line.is_due() {
            // Whether the forge answers again is not found out by something that may be done and not be heard of.
            let doing = format!("looking whether the forge answers again, before {}", request.doing);
            self.send_in_turn(bearer, &Request::get(HARMLESS.to_owned(), doing)).await?;
        }
        self.send_in_turn(bearer, request).await
    }

    async fn send_in_turn(&self, bearer: &Bearer, request: &Request) -> Result<Answer, Error> {
        let turn = self.line.turn(&request.doing, self.timeout).await?;
        let seconds = self.timeout.as_secs();
        let answered = tokio::time::timeout(self.timeout, Box::pin(self.repeat(bearer, request)))
            .await
            .unwrap_or_else(|_| Err(request.unavailable(format!("no answer within {seconds} seconds"))));
        turn.end(report_of(&answered), answered.as_ref().err());
        answered
    }

    /// Whether an account may begin a proposal.
    pub(crate) fn may_propose(&self, account: Account, doing: &str) -> Result<(), Error> {
        self.budgets.may_propose(account, Utc::now()).map_err(|denied| denied.of(doing))
    }

    /// Whether an account may speak Git.
    pub(crate) fn may_speak_git(&self, account: Account, doing: &str) -> Result<(), Error> {
        let purpose = Purpose { resource: Resource::Git, priority: Priority::Finish, changes: false };
        self.budgets.admit(account, purpose, Utc::now()).map_err(|denied| denied.of(doing))
    }

    /// Notes that the forge asked an account for a pause, and gives how long it is.
    pub(crate) fn slow_down(&self, account: Account, resource: Resource, asked: Option<Duration>) -> Duration {
        self.budgets.slow_down(account, resource, asked, Utc::now())
    }

    /// Sends a request, and a read up to twice more when the forge could not be reached, failed, or broke off.
    ///
    /// Whatever changes something is sent once: only who looks first can know whether it happened.
    async fn repeat(&self, bearer: &Bearer, request: &Request) -> Result<Answer, Error> {
        let mut waits = WAITS.iter().filter(|_| request.is_read());
        loop {
            self.budgets
                .admit(bearer.account, request.purpose(), Utc::now())
                .map_err(|denied| denied.of(&request.doing))?;
            let error = match self.exchange(bearer, request).await {
                Err(error @ Error::Unavailable { .. }) => error,
                other => return other,
            };
            let Some(wait) = waits.next() else { return Err(error) };
            tracing::debug!(error = %Chain(&error), "a read is sent again");
            tokio::time::sleep(wait.mul_f64(0.5 + fastrand::f64())).await;
        }
    }

    async fn exchange(&self, bearer: &Bearer, request: &Request) -> Result<Answer, Error> {
        let failed = |source: octocrab::Error| Error::Unavailable {
            doing: request.doing.clone(),
            why: "the forge could not be reached".to_owned(),
            source: Some(Box::new(source)),
        };
        let octocrab = self.octocrab.user_access_token(bearer.secret.expose_secret()).map_err(failed)?;
        let path = match &request.path {
            Path::Rest(path) => format!("{}{path}", self.address.rest),
            Path::GraphQl => self.address.graphql.clone(),
        };
        let known = Some(bearer).filter(|bearer| request.may_be_kept(bearer.account));
        let known = known.and_then(|bearer| self.etags.find(&bearer.secret, &path));
        let body = request.body.as_ref();
        let response = match request.method {
            Method::Get => octocrab._get_with_headers(path.as_str(), known.as_deref().map(Entry::condition)).await,
            Method::Post => octocrab._post(path.as_str(), body).await,
            Method::Put => octocrab._put(path.as_str(), body).await,
            Method::Patch => octocrab._patch(path.as_str(), body).await,
        }
        .map_err(failed)?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = answer::whole(response.into_body(), request).await?;
        let cursor = answer::cursor(&headers);
        let answer = self.judge((bearer.account, request), &headers, Answer { status, body, cursor })?;
        match (answer.status, known) {
            (304, Some(known)) => Ok(Answer { status: 200, body: known.body.clone(), cursor: known.cursor.clone() }),
            (304, None) => Err(request.unavailable("it says that nothing changed, and was not asked that")),
            (200, _) if request.may_be_kept(bearer.account) => {
                self.keep(bearer, path, &headers, &answer);
                Ok(answer)
            }
            _ => Ok(answer),
        }
    }

    /// Keeps an answer that the forge has a name for.
    fn keep(&self, bearer: &Bearer, path: String, headers: &HeaderMap, answer: &Answer) {
        if let Some(etag) = headers.get(ETAG) {
            let entry = Entry { etag: etag.clone(), body: answer.body.clone(), cursor: answer.cursor.clone() };
            self.etags.keep(&bearer.secret, path, entry);
        }
    }

    /// Sorts out the answers that mean the same whatever was asked, and learns what is left.
    fn judge(
        &self,
        (account, request): (Account, &Request),
        headers: &HeaderMap,
        answer: Answer,
    ) -> Result<Answer, Error> {
        self.budgets.learn(account, request.resource(), (answer.status, headers), Utc::now());
        match answer.status {
            301 | 302 | 307 | 308 => Err(request.refused("it was renamed or moved: use its new name")),
            401 => Err(Error::Unauthorized { doing: request.doing.clone() }),
            403 | 429 => {
                let message = answer.message();
                Err(match limit::of(answer.status, headers, &message) {
                    Some(asked) => {
                        let retry_after = Some(self.slow_down(account, request.resource(), asked));
                        Error::Limited { doing: request.doing.clone(), retry_after }
                    }
                    None => request.forbidden(&message),
                })
            }
            408 | 500.. => Err(request.unavailable(format!("the forge failed (HTTP {})", answer.status))),
            _ => Ok(answer),
        }
    }
}

/// What the end of a request says of the forge. One that wants to be left alone for a while has a pause, and may not
/// have been asked.
fn report_of<T>(answered: &Result<T, Error>) -> Report {
    match answered {
        Err(Error::Unavailable { .. }) => Report::Failed,
        Err(Error::Limited { .. } | Error::Kept { .. }) => Report::Unknown,
        Ok(_) | Err(_) => Report::Answered,
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("address", &self.address).finish_non_exhaustive()
    }
}
