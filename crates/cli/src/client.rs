//! The HTTP interface of a Tagferry that runs elsewhere.

use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::{Method, Response, StatusCode, Url, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use server::config::SecretSource;

use crate::{
    failure::Failure,
    install_crypto,
    output::{Output, printable},
};

/// The variable that has the token: on the command line, others on the machine could read it.
const TOKEN: &str = "TAGFERRY_TOKEN";

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long an answer may take: the service itself waits for its database no longer than ten seconds.
const ANSWER: Duration = Duration::from_secs(30);

/// What every command takes that asks a server.
#[derive(Debug, clap::Args)]
pub(crate) struct ServerArguments {
    /// The address of the Tagferry to ask; its token is taken from the variable `TAGFERRY_TOKEN`.
    #[arg(long, env = "TAGFERRY_SERVER", value_name = "URL", value_parser = address)]
    server: Url,
    /// How the answer is printed.
    #[arg(long, default_value = "text", value_enum, value_name = "FORMAT")]
    pub(crate) output: Output,
}

/// One Tagferry, asked with one token.
pub(crate) struct Client {
    http: reqwest::Client,
    server: Url,
    token: SecretString,
}

/// Does what is to be asked of a server.
pub(crate) fn ask<T>(
    arguments: &ServerArguments,
    question: impl AsyncFnOnce(&Client) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    install_crypto()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the runtime")?;
    runtime.block_on(async { question(&Client::new(arguments)?).await })
}

impl Client {
    fn new(arguments: &ServerArguments) -> anyhow::Result<Self> {
        let token = SecretSource::Environment(TOKEN.to_owned()).read();
        let token = token.map_err(|missing| Failure::Usage(format!("a token is needed: {missing}")))?;
        // A redirect would take the token along.
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .redirect(redirect::Policy::none())
            .user_agent(concat!("tagferry/", env!("CARGO_PKG_VERSION")))
            .build()
            .context("setting up the HTTP client")?;
        Ok(Self { http, server: arguments.server.clone(), token })
    }

    /// Asks for what is at that path, with these parameters.
    pub(crate) async fn get(&self, path: &[&str], parameters: &[(&str, String)]) -> anyhow::Result<Value> {
        self.send(Method::GET, path, parameters).await
    }

    /// Has done what that path stands for.
    pub(crate) async fn post(&self, path: &[&str]) -> anyhow::Result<Value> {
        self.send(Method::POST, path, &[]).await
    }

    async fn send(&self, method: Method, path: &[&str], parameters: &[(&str, String)]) -> anyhow::Result<Value> {
        let mut url = self.server.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(path);
        }
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        let request = self.http.request(method, url).bearer_auth(self.token.expose_secret());
        let unreachable = |source: reqwest::Error| Failure::Unreachable {
            what: format!("{} can not be reached", self.server),
            source: Some(source.without_url().into()),
        };
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        if status.is_success() {
            let text = answer.text().await.map_err(unreachable)?;
            return serde_json::from_str(&text)
                .with_context(|| format!("{} answers {status} with something that is not JSON", self.server));
        }
        self.refused(answer).await
    }

    /// The sentence of a refusal.
    async fn refused(&self, answer: Response) -> anyhow::Result<Value> {
        let status = answer.status();
        let problem: Option<Value> = answer.json().await.ok();
        let detail = problem.as_ref().and_then(|problem| problem.get("detail")?.as_str());
        // What a proxy says whose service is not there has no sentence of ours.
        let is_gateways =
            [StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE, StatusCode::GATEWAY_TIMEOUT].contains(&status);
        match detail {
            Some(detail) => bail!("{} refuses it ({status}): {}", self.server, printable(detail)),
            None if is_gateways => {
                Err(Failure::Unreachable { what: format!("{} answers {status}", self.server), source: None }.into())
            }
            None => bail!("{} answers {status}", self.server),
        }
    }
}

fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|why| why.to_string())?;
    if !matches!(url.scheme(), "https" | "http") || !url.has_host() {
        return Err("it begins with https:// and the host's name".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("it has neither a user nor a query: the token is taken from TAGFERRY_TOKEN".to_owned());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_that_of_a_server_and_holds_no_secret() {
        for good in ["https://tagferry.example", "http://127.0.0.1:8080/", "https://tools.example/tagferry"] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in ["", "tagferry.example", "tagferry.example:8080", "ftp://x.example", "https://me:pw@x.example"] {
            assert!(address(bad).is_err(), "{bad}");
        }
        assert!(address("https://x.example/?token=1").is_err());
    }
}
