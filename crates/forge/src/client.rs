//! Requests about a repository: with the right token, asked for again once when the forge does not accept it.

use chrono::{DateTime, Utc};
use domain::forge::Repository;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    Error, Settings,
    address::Address,
    api::{Answer, Api, Request},
    budget::Resource,
    credentials::{Access, Account, Lacking, Tokens},
    limit,
    line::Line,
    scrub::scrub,
};

/// The interfaces of one forge, spoken to as one App or person.
#[derive(Debug)]
pub(crate) struct Client {
    api: Api,
    tokens: Tokens,
    /// Git is often served by another host than the interfaces, and may fail while they do not.
    git: Line,
}

/// A document of GraphQL about a repository.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Document<'a> {
    /// The query or mutation.
    pub(crate) text: &'a str,
    /// The values of its variables.
    pub(crate) variables: &'a Value,
    /// What is being done to what.
    pub(crate) doing: &'a str,
}

/// What a document of GraphQL is answered with. Both can be there: errors leave holes in the data.
#[derive(Debug, Deserialize)]
pub(crate) struct Reply<T> {
    /// What was asked for.
    pub(crate) data: Option<T>,
    /// What went wrong.
    #[serde(default = "Vec::new")]
    pub(crate) errors: Vec<Problem>,
}

/// One thing that went wrong in a document of GraphQL.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Problem {
    /// GitHub's word for the kind, as `NOT_FOUND`.
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    /// Its own words, without anything secret.
    #[serde(deserialize_with = "scrubbed")]
    pub(crate) message: String,
    /// The field that it is about: names and places in lists from the top.
    #[serde(default)]
    pub(crate) path: Vec<Value>,
}

impl Client {
    /// Checks the settings; nothing is sent yet.
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        let address = Address::new(&settings.api_url, settings.git_url.as_ref())?;
        let git = Line::new(format!("Git at {}", address.git), settings.limits);
        Ok(Self {
            git,
            api: Api::new(address, settings)?,
            tokens: Tokens::new(&settings.credentials, &settings.extras)?,
        })
    }

    /// What people find repositories under.
    pub(crate) fn web_address(&self) -> &str {
        &self.api.address().web
    }

    /// Where Git finds a repository.
    pub(crate) fn git_url(&self, repository: &Repository) -> String {
        self.api.address().git(repository)
    }

    /// The hosts that are left alone because they do not answer, and since when that is.
    pub(crate) fn away(&self) -> Vec<(String, DateTime<Utc>)> {
        [self.api.line().missing(), self.git.missing()].into_iter().flatten().collect()
    }

    /// The line to where Git is spoken.
    pub(crate) fn git(&self) -> &Line {
        &self.git
    }

    /// What our installation on a repository lacks, and which events it is told about; nothing where we are no App.
    pub(crate) async fn installation(
        &self,
        repository: &Repository,
        access: Access,
    ) -> Result<Option<(Vec<Lacking>, Vec<String>)>, Error> {
        self.tokens.survey(&self.api, repository, access).await
    }

    /// What the forge says to our App itself; nothing where we are none.
    pub(crate) async fn of_app<T: DeserializeOwned>(&self, path: &str, doing: &str) -> Result<Option<T>, Error> {
        self.tokens.ask_as_app(&self.api, &Request::get(path.to_owned(), doing.to_owned())).await
    }

    /// A token to speak Git with a repository that we push to.
    pub(crate) async fn token(&self, repository: &Repository) -> Result<SecretString, Error> {
        let bearer = self.tokens.bearer(&self.api, repository, Access::Write).await?;
        self.api.may_speak_git(bearer.account, &format!("speaking Git with {repository}"))?;
        Ok(bearer.secret)
    }

    /// Whether enough is left to begin a proposal; no request.
    pub(crate) async fn may_propose(&self, repository: &Repository, doing: &str) -> Result<(), Error> {
        let bearer = self.tokens.bearer(&self.api, repository, Access::Write).await?;
        self.api.may_propose(bearer.account, doing)
    }

    /// Passes on how speaking Git ended, after learning from it.
    pub(crate) fn heed<T>(&self, repository: &Repository, ended: Result<T, Error>) -> Result<T, Error> {
        match (ended, self.tokens.account(repository)) {
            (Err(Error::Limited { doing, retry_after }), Some(account)) => {
                let retry_after = Some(self.api.slow_down(account, Resource::Git, retry_after));
                Err(Error::Limited { doing, retry_after })
            }
            (ended, _) => ended,
        }
    }

    /// Forgets a token that was not accepted. Says whether asking again may give another one.
    pub(crate) async fn forget(&self, repository: &Repository, refused: &SecretString) -> bool {
        self.tokens.forget(repository, refused).await
    }

    /// Forgets everything about an installation that changed.
    pub(crate) fn forget_installation(&self, id: u64) {
        self.tokens.forget_installation(id);
    }

    /// Sends a request; one more time with a new token when the kept one is not accepted, which is safe because
    /// nothing was done then.
    ///
    /// A token without the needed permission is forgotten: it may have been granted since.
    pub(crate) async fn send(&self, repository: &Repository, request: &Request) -> Result<Answer, Error> {
        self.exchange(repository, request).await.map(|(answer, _)| answer)
    }

    async fn exchange(&self, repository: &Repository, request: &Request) -> Result<(Answer, Account), Error> {
        let mut bearer = self.tokens.bearer(&self.api, repository, request.access()).await?;
        let mut answered = self.api.send(&bearer, request).await;
        if matches!(answered, Err(Error::Unauthorized { .. })) && self.forget(repository, &bearer.secret).await {
            bearer = self.tokens.bearer(&self.api, repository, request.access()).await?;
            answered = self.api.send(&bearer, request).await;
        }
        if matches!(answered, Err(Error::Forbidden { .. })) {
            self.forget(repository, &bearer.secret).await;
        }
        answered.map(|answer| (answer, bearer.account))
    }

    /// Sends a document of GraphQL, and sorts out the errors that mean the same whatever was asked.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        repository: &Repository,
        document: Document<'_>,
    ) -> Result<Reply<T>, Error> {
        let request = document.request().needing("it needs Contents: write and Pull requests: write");
        self.converse(repository, request).await
    }

    /// The same for a document that only needs what reading does.
    pub(crate) async fn ask_reading<T: DeserializeOwned>(
        &self,
        repository: &Repository,
        document: Document<'_>,
    ) -> Result<Reply<T>, Error> {
        self.converse(repository, document.request().reading()).await
    }

    async fn converse<T: DeserializeOwned>(
        &self,
        repository: &Repository,
        request: Request,
    ) -> Result<Reply<T>, Error> {
        let (answer, account) = self.exchange(repository, &request).await?;
        if !answer.is_success() {
            return Err(request.refused(answer.message()));
        }
        let reply: Reply<T> = answer.read(&request)?;
        if reply.errors.iter().any(Problem::is_forbidden) {
            self.renew(repository, &request).await;
        }
        if reply.errors.iter().any(Problem::is_limit) {
            let retry_after = Some(self.api.slow_down(account, Resource::GraphQl, None));
            return Err(Error::Limited { doing: request.doing, retry_after });
        }
        if reply.errors.iter().any(Problem::is_failure) {
            return Err(request.unavailable("the forge failed inside"));
        }
        Ok(reply)
    }

    /// Has the next request ask for a new token: what this one may do may have changed.
    async fn renew(&self, repository: &Repository, request: &Request) {
        if let Ok(bearer) = self.tokens.bearer(&self.api, repository, request.access()).await {
            self.forget(repository, &bearer.secret).await;
        }
    }

    /// Tells an absent or invisible repository from something that is absent in it.
    pub(crate) async fn check_repository(&self, repository: &Repository) -> Result<(), Error> {
        let doing = format!("looking for repository {repository}");
        let request = Request::get(format!("/repos/{repository}"), doing);
        let answer = self.send(repository, &request).await?;
        match answer.status {
            200 => Ok(()),
            404 => {
                // It may be out of reach of the token, and the App installed elsewhere or nowhere by now.
                self.renew(repository, &request).await;
                Err(Error::NoRepository { repository: repository.clone() })
            }
            _ => Err(request.refused(answer.message())),
        }
    }
}

impl Document<'_> {
    fn request(&self) -> Request {
        let body = json!({ "query": self.text, "variables": self.variables });
        Request::graphql(body, self.doing.to_owned())
    }
}

impl<T> Reply<T> {
    /// The forge's own words about everything that went wrong.
    pub(crate) fn message(&self) -> String {
        let messages: Vec<&str> = self.errors.iter().map(|problem| problem.message.as_str()).collect();
        messages.join("; ")
    }

    /// Whether something that was asked for is not there.
    pub(crate) fn is_not_found(&self) -> bool {
        self.errors.iter().any(|problem| problem.kind.as_deref() == Some("NOT_FOUND"))
    }
}

impl Problem {
    /// Whether our credentials may not see or do what is missing in the data.
    pub(crate) fn is_forbidden(&self) -> bool {
        self.kind.as_deref() == Some("FORBIDDEN")
    }

    /// Whether it is about a field at the top of the document, or something in it.
    pub(crate) fn is_at(&self, field: &str) -> bool {
        self.path.first().and_then(Value::as_str) == Some(field)
    }

    /// Whether we are to slow down.
    fn is_limit(&self) -> bool {
        self.kind.as_deref() == Some("RATE_LIMITED") || limit::is_about_rate(&self.message)
    }

    /// Whether the forge itself failed.
    fn is_failure(&self) -> bool {
        self.message.starts_with("Something went wrong while executing your query")
    }
}

fn scrubbed<'de, D: Deserializer<'de>>(text: D) -> Result<String, D::Error> {
    String::deserialize(text).map(|text| scrub(&text))
}
