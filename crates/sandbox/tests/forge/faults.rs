//! What goes wrong on the way.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::Result;
use reqwest::Method;
use sandbox::{Action, Answer, Fault, Match, Push};
use serde_json::json;
use tempfile::tempdir;

use crate::client::{Forge, REPOSITORY};

fn pulls() -> String {
    format!("/repos/{REPOSITORY}/pulls")
}

async fn open(forge: &Forge) -> Result<(u16, serde_json::Value)> {
    let new = json!({ "title": "Raise", "head": "topic", "base": "main" });
    forge.send(Method::POST, &pulls(), new).await
}

#[tokio::test]
async fn a_dropped_answer_has_its_effect_and_a_dropped_request_has_none() -> Result<()> {
    let forge = Forge::start().await?;
    forge.sandbox.push(REPOSITORY, Push::new("topic", [("a", "b")])).await?;
    forge.sandbox.add_fault(Fault::new(Match::request("POST", &pulls()), Action::DropBefore));
    assert!(open(&forge).await.is_err());
    assert!(forge.sandbox.pull_requests(REPOSITORY).await?.is_empty());
    forge.sandbox.add_fault(Fault::new(Match::request("POST", &pulls()), Action::ApplyThenDrop));
    assert!(open(&forge).await.is_err());
    assert_eq!(forge.sandbox.pull_requests(REPOSITORY).await?.len(), 1);
    let (status, body) = open(&forge).await?;
    assert_eq!(status, 422, "{body}");
    let seen: Vec<_> = forge.sandbox.requests().into_iter().map(|it| (it.status, it.mutating)).collect();
    assert_eq!(seen, [(None, true), (None, true), (Some(422), true)]);
    assert_eq!(forge.sandbox.mutations().first(), Some(&format!("POST {}", pulls())));
    Ok(())
}

#[tokio::test]
async fn an_answer_is_replaced_for_the_chosen_graphql_requests() -> Result<()> {
    let forge = Forge::start().await?;
    let headers = BTreeMap::from([("retry-after".to_owned(), "7".to_owned())]);
    let limited = Action::Answer(Answer { status: 403, body: json!({ "message": "slow down" }), headers });
    let second = Match { nth: 2, times: 2, ..Match::operation("viewer") };
    forge.sandbox.add_fault(Fault::new(second, limited));
    let mut seen = Vec::new();
    for _ in 0..4 {
        let response = forge.request(Method::POST, "/graphql").json(&json!({ "query": "{ viewer { login } }" }));
        let response = response.send().await?;
        seen.push((response.status().as_u16(), response.headers().contains_key("retry-after")));
    }
    assert_eq!(seen, [(200, false), (403, true), (403, true), (200, false)]);
    assert_eq!(forge.sandbox.requests().first().map(|it| it.operations.clone()), Some(vec!["viewer".to_owned()]));
    Ok(())
}

#[tokio::test]
async fn an_effect_can_hide_behind_a_bad_gateway() -> Result<()> {
    let forge = Forge::start().await?;
    forge.sandbox.push(REPOSITORY, Push::new("topic", [("a", "b")])).await?;
    let answer = Answer { status: 502, body: json!("<html>Bad Gateway</html>"), headers: BTreeMap::new() };
    forge.sandbox.add_fault(Fault::new(Match::request("POST", &pulls()), Action::ApplyThenAnswer(answer)));
    let (status, body) = open(&forge).await?;
    assert_eq!((status, body), (502, json!("<html>Bad Gateway</html>")));
    assert_eq!(forge.sandbox.pull_requests(REPOSITORY).await?.len(), 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_whose_answer_is_lost_is_there() -> Result<()> {
    let forge = Forge::start().await?;
    let directory = tempdir()?;
    let clone = forge.clone_to(directory.path())?;
    clone.commit("new.txt", "text\n")?;
    let path = format!("/{REPOSITORY}.git/git-receive-pack");
    forge.sandbox.add_fault(Fault::new(Match::request("POST", &path), Action::ApplyThenDrop));
    let (done, said) = clone.git(&["push", "origin", "HEAD:refs/heads/topic"])?;
    assert!(!done, "{said}");
    assert!(forge.sandbox.repository(REPOSITORY).await?.branches.contains_key("topic"));
    Ok(())
}

#[tokio::test]
async fn answers_are_held_back() -> Result<()> {
    let forge = Forge::start().await?;
    forge.sandbox.set_latency(Duration::from_millis(40));
    forge.sandbox.add_fault(Fault::new(Match::any(), Action::Delay { milliseconds: 40 }));
    let started = Instant::now();
    assert_eq!(forge.get("/rate_limit").await?.0, 200);
    assert!(started.elapsed() >= Duration::from_millis(80));
    Ok(())
}

#[tokio::test]
async fn an_answer_breaks_off_in_its_body_after_its_effect() -> Result<()> {
    let forge = Forge::start().await?;
    forge.sandbox.push(REPOSITORY, Push::new("topic", [("a", "b")])).await?;
    let new = json!({ "title": "Raise", "head": "topic", "base": "main" });
    for bytes in [10, usize::MAX] {
        forge.sandbox.add_fault(Fault::new(Match::request("POST", &pulls()), Action::Truncate { bytes }));
        let response = forge.request(Method::POST, &pulls()).json(&new).send().await?;
        assert!(matches!(response.status().as_u16(), 201 | 422));
        assert!(response.headers().contains_key("content-length"));
        assert!(response.text().await.is_err());
    }
    assert_eq!(forge.sandbox.pull_requests(REPOSITORY).await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_refused_connection_is_not_seen_and_the_controls_are_never_refused() -> Result<()> {
    let forge = Forge::start().await?;
    assert_eq!(forge.get("/rate_limit").await?.0, 200);
    forge.sandbox.clear_requests();
    let url = format!("{}/_sim/connections", forge.sandbox.url());
    assert_eq!(forge.http.put(&url).json(&json!({ "refuse": 2 })).send().await?.status(), 200);
    for _ in 0..2 {
        // One that is sent again by itself when a kept connection ends would be counted twice.
        let response = forge.send(Method::POST, &pulls(), json!({})).await;
        assert!(response.is_err(), "{response:?}");
    }
    let left: serde_json::Value = forge.http.get(&url).send().await?.json().await?;
    assert_eq!(left, json!({ "refuse": 0 }));
    assert!(forge.sandbox.requests().is_empty());
    assert_eq!(forge.get("/rate_limit").await?.0, 200);
    Ok(())
}

#[tokio::test]
async fn a_stale_read_shows_what_was_before_the_last_change() -> Result<()> {
    let forge = Forge::start().await?;
    let query =
        "query($n: Int!) { repository(owner: \"acme\", name: \"trinity\") { pullRequest(number: $n) { title } } }";
    let list = async || Ok::<_, anyhow::Error>(forge.get(&pulls()).await?.1.as_array().map(Vec::len));
    let title = async || {
        let body = forge.graphql(query, json!({ "n": 1 })).await?;
        Ok::<_, anyhow::Error>(body["data"]["repository"]["pullRequest"]["title"].as_str().map(str::to_owned))
    };
    assert_eq!(list().await?, Some(0));
    forge.sandbox.add_fault(Fault::new(Match::request("GET", &pulls()), Action::StaleRead));
    forge.pull_request("topic").await?;
    assert_eq!(list().await?, Some(0), "as before the change");
    assert_eq!(list().await?, Some(1));
    forge.sandbox.add_fault(Fault::new(Match::request("GET", &pulls()), Action::StaleRead));
    assert_eq!(list().await?, Some(0), "also when the change was seen already");

    assert_eq!(title().await?.as_deref(), Some("Raise the tag"));
    forge.send(Method::PATCH, &format!("{}/1", pulls()), json!({ "title": "Other" })).await?;
    forge.sandbox.add_fault(Fault::new(Match::operation("repository"), Action::StaleRead));
    assert_eq!(title().await?.as_deref(), Some("Raise the tag"));
    assert_eq!(title().await?.as_deref(), Some("Other"));
    Ok(())
}

#[tokio::test]
async fn a_proxy_answers_with_a_page() -> Result<()> {
    let forge = Forge::start().await?;
    forge.sandbox.add_fault(Fault::new(Match::any(), Action::bad_gateway()));
    let response = forge.request(Method::GET, &pulls()).send().await?;
    assert_eq!((response.status().as_u16(), response.headers()["content-type"].to_str()?), (502, "text/html"));
    assert!(response.text().await?.starts_with("<html>"));
    Ok(())
}
