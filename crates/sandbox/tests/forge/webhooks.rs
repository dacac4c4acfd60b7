//! Webhooks, as a receiver sees them.

use anyhow::{Context as _, Result};
use axum::{Router, body::Bytes, http::HeaderMap, routing::post};
use reqwest::Method;
use sandbox::{Fate, Kind, Options, Outcome, Report, Target, signature};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::mpsc, time::timeout};

use crate::client::{Forge, REPOSITORY, SOON};

type Received = (HeaderMap, Bytes);

struct Receiver {
    url: String,
    received: mpsc::UnboundedReceiver<Received>,
}

impl Receiver {
    async fn start() -> Result<Self> {
        let (sender, received) = mpsc::unbounded_channel();
        let take = async move |headers: HeaderMap, body: Bytes| {
            // The test may have ended.
            drop(sender.send((headers, body)));
        };
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/hook", listener.local_addr()?);
        let router = Router::new().route("/hook", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { url, received })
    }

    async fn next(&mut self) -> Result<(String, Value, HeaderMap)> {
        let (headers, body) = timeout(SOON, self.received.recv()).await?.context("no more")?;
        let expected = signature("secret", &body);
        assert_eq!(headers["x-hub-signature-256"], expected.as_str());
        let event = headers["x-github-event"].to_str()?.to_owned();
        Ok((event, serde_json::from_slice(&body)?, headers))
    }

    /// The next ones, as `event` or `event action`.
    async fn names(&mut self, count: usize) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for _ in 0..count {
            let (event, payload, _) = self.next().await?;
            names.push(format!("{event} {}", payload["action"].as_str().unwrap_or_default()).trim().to_owned());
        }
        Ok(names)
    }
}

async fn forge(receiver: &Receiver, fate: Fate) -> Result<Forge> {
    let forge = Forge::start().await?.into_app().await?;
    let target = Target { url: receiver.url.clone(), secret: Some("secret".to_owned()), fate };
    forge.sandbox.set_webhook(Some(target)).await?;
    Ok(forge)
}

#[tokio::test]
async fn the_life_of_a_pull_request_is_told_signed_and_in_order() -> Result<()> {
    let mut receiver = Receiver::start().await?;
    let forge = forge(&receiver, Fate::Deliver).await?;
    let (number, head) = forge.pull_request("topic").await?;
    let (event, push, headers) = receiver.next().await?;
    assert_eq!((event.as_str(), &push["ref"], &push["after"]), ("push", &json!("refs/heads/topic"), &json!(head)));
    assert_eq!((&push["created"], &push["sender"]["login"]), (&json!(true), &json!("octocat")));
    assert!(push["installation"]["id"].is_u64() && push["repository"]["full_name"] == REPOSITORY);
    assert_eq!(headers["x-github-delivery"].len(), 36);
    assert!(
        headers["user-agent"].to_str()?.starts_with("GitHub-Hookshot/") && headers.contains_key("x-github-hook-id")
    );
    let (event, opened, _) = receiver.next().await?;
    assert_eq!(
        (event.as_str(), &opened["action"], &opened["number"]),
        ("pull_request", &json!("opened"), &json!(number))
    );
    assert_eq!(opened["pull_request"]["mergeable"], Value::Null);

    let one = format!("/repos/{REPOSITORY}/pulls/{number}");
    forge.send(Method::PATCH, &one, json!({ "title": "Other" })).await?;
    let (_, edited, _) = receiver.next().await?;
    assert_eq!((&edited["action"], &edited["changes"]["title"]["from"]), (&json!("edited"), &json!("Raise the tag")));
    let labels = format!("/repos/{REPOSITORY}/issues/{number}/labels");
    forge.send(Method::POST, &labels, json!({ "labels": ["release"] })).await?;
    let query = "mutation($id: ID!) { enablePullRequestAutoMerge(input: {pullRequestId: $id}) { clientMutationId } }";
    forge.graphql(query, json!({ "id": opened["pull_request"]["node_id"] })).await?;
    let report = Report { name: "ci".to_owned(), outcome: Outcome::Success, kind: Kind::CheckRun };
    forge.sandbox.set_check(REPOSITORY, "topic", report).await?;
    let names = receiver.names(3).await?;
    assert_eq!(names, ["pull_request labeled", "pull_request auto_merge_enabled", "check_run completed"]);
    let (_, closed, _) = receiver.next().await?;
    assert_eq!((&closed["action"], &closed["pull_request"]["merged"]), (&json!("closed"), &json!(true)));
    assert_eq!(
        closed["pull_request"]["merge_commit_sha"],
        forge.sandbox.repository(REPOSITORY).await?.branches["main"].to_string()
    );
    let (_, main, _) = receiver.next().await?;
    assert_eq!((&main["ref"], &main["deleted"]), (&json!("refs/heads/main"), &json!(false)));
    let (_, topic, _) = receiver.next().await?;
    assert_eq!((&topic["ref"], &topic["deleted"]), (&json!("refs/heads/topic"), &json!(true)));
    Ok(())
}

#[tokio::test]
async fn a_new_head_a_close_and_a_reopening_are_told() -> Result<()> {
    let mut receiver = Receiver::start().await?;
    let forge = forge(&receiver, Fate::Deliver).await?;
    let (number, head) = forge.pull_request("topic").await?;
    assert_eq!(receiver.names(2).await?, ["push", "pull_request opened"]);
    let after = forge.sandbox.push(REPOSITORY, sandbox::Push::new("topic", [("a", "b")])).await?;
    assert_eq!(receiver.names(1).await?, ["push"]);
    let (_, moved, _) = receiver.next().await?;
    assert_eq!(
        (&moved["action"], &moved["before"], &moved["after"]),
        (&json!("synchronize"), &json!(head), &json!(after))
    );
    for state in ["closed", "open"] {
        let change = sandbox::PullRequestChange { state: Some(state.to_owned()), ..Default::default() };
        forge.sandbox.change_pull_request(REPOSITORY, number, change).await?;
    }
    let status = json!({ "state": "failure", "context": "ci" });
    forge.send(Method::POST, &format!("/repos/{REPOSITORY}/statuses/{after}"), status).await?;
    assert_eq!(receiver.names(3).await?, ["pull_request closed", "pull_request reopened", "status"]);
    Ok(())
}

#[tokio::test]
async fn a_delivery_is_doubled_or_lost_and_sent_again_with_its_identifier() -> Result<()> {
    let mut receiver = Receiver::start().await?;
    let forge = forge(&receiver, Fate::Duplicate).await?;
    forge.sandbox.push(REPOSITORY, sandbox::Push::new("topic", [("a", "b")])).await?;
    let ((_, _, first), (_, _, second)) = (receiver.next().await?, receiver.next().await?);
    assert_eq!(first["x-github-delivery"], second["x-github-delivery"]);
    let lost = Target { url: receiver.url.clone(), secret: Some("secret".to_owned()), fate: Fate::Drop };
    forge.sandbox.set_webhook(Some(lost.clone())).await?;
    forge.sandbox.push(REPOSITORY, sandbox::Push::new("topic", [("a", "c")])).await?;
    let probe = async |control: &sandbox::Control| control.deliveries().into_iter().find(|it| it.error.is_some());
    let dropped = forge.sandbox.until("the loss of a webhook", SOON, probe).await?;
    forge.sandbox.set_webhook(Some(Target { fate: Fate::Deliver, ..lost })).await?;
    let signature = forge.signature(&forge.claims())?;
    let url = format!("{}/app/hook/deliveries/{}/attempts", forge.sandbox.url(), dropped.id);
    assert_eq!(forge.http.post(url).bearer_auth(&signature).send().await?.status(), 202);
    let (_, _, again) = receiver.next().await?;
    assert_eq!(again["x-github-delivery"], dropped.guid.as_str());
    let url = format!("{}/app/hook/deliveries", forge.sandbox.url());
    let (_, listed) = crate::client::read(forge.http.get(url).bearer_auth(&signature).send().await?).await?;
    assert!(listed.as_array().is_some_and(|all| all.iter().any(|it| it["guid"] == dropped.guid)));
    Ok(())
}

#[tokio::test]
async fn a_delivery_is_overtaken_by_the_next_one_and_the_last_one_still_comes() -> Result<()> {
    let mut receiver = Receiver::start().await?;
    let forge = forge(&receiver, Fate::Reorder).await?;
    let (_, _) = forge.pull_request("topic").await?;
    assert_eq!(receiver.names(2).await?, ["pull_request opened", "push"]);
    forge.sandbox.push(REPOSITORY, sandbox::Push::new("other", [("a", "b")])).await?;
    assert_eq!(receiver.names(1).await?, ["push"]);
    Ok(())
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_recorded_and_not_asked_again() -> Result<()> {
    let target = Target { url: "http://127.0.0.1:9/".to_owned(), ..Target::default() };
    let forge = Forge::with(Options { webhook: Some(target), ..Options::default() }).await?;
    let probe = async |control: &sandbox::Control| control.deliveries().into_iter().next();
    let delivered = forge.sandbox.until("a delivery", SOON, probe).await?;
    assert_eq!((delivered.event.as_str(), delivered.status), ("push", None));
    assert!(delivered.error.is_some());
    assert_eq!(forge.sandbox.deliveries().len(), 1);
    Ok(())
}
