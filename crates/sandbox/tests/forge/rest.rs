//! The REST interface.

use anyhow::{Context as _, Result};
use reqwest::Method;
use sandbox::Push;
use serde_json::{Value, json};

use crate::client::{Forge, REPOSITORY};

fn path(rest: &str) -> String {
    format!("/repos/{REPOSITORY}/{rest}")
}

fn said(body: &Value) -> &str {
    let inner = body["errors"][0]["message"].as_str();
    inner.or_else(|| body["message"].as_str()).unwrap_or_default()
}

#[tokio::test]
async fn a_pull_request_is_opened_once() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    forge.sandbox.push(REPOSITORY, Push::new("topic", [("a", "b")])).await?;
    let new = json!({ "title": "Raise", "head": "topic", "base": "main", "body": "Because" });
    let (status, opened) = forge.send(Method::POST, &path("pulls"), new.clone()).await?;
    assert_eq!((status, &opened["number"], &opened["state"]), (201, &json!(1), &json!("open")));
    assert_eq!((&opened["user"]["login"], &opened["user"]["type"]), (&json!("tagferry[bot]"), &json!("Bot")));
    assert_eq!(opened["user"].as_object().map(serde_json::Map::len), Some(18));
    let (status, body) = forge.send(Method::POST, &path("pulls"), new).await?;
    assert_eq!((status, &body["message"]), (422, &json!("Validation Failed")));
    assert_eq!(said(&body), "A pull request already exists for acme:topic.");
    let (_, found) = forge.get(&path("pulls?state=open&head=acme:topic&base=main&per_page=100")).await?;
    assert_eq!(found.as_array().map(Vec::len), Some(1));
    assert!(found[0].get("mergeable").is_none(), "lists do not say whether it can be merged");
    let (_, none) = forge.get(&path("pulls?head=acme:other")).await?;
    assert_eq!(none, json!([]));
    Ok(())
}

#[tokio::test]
async fn a_pull_request_that_is_not_possible_is_refused_with_the_reason() -> Result<()> {
    let forge = Forge::start().await?;
    forge.sandbox.push(REPOSITORY, Push::new("same", [])).await?;
    let open = async |head: &str, base: &str| {
        let new = json!({ "title": "Raise", "head": head, "base": base });
        forge.send(Method::POST, &path("pulls"), new).await
    };
    let (status, body) = open("gone", "main").await?;
    assert_eq!(
        (status, &body["errors"][0]["field"], &body["errors"][0]["code"]),
        (422, &json!("head"), &json!("invalid"))
    );
    assert_eq!(open("same", "gone").await?.1["errors"][0]["field"], "base");
    assert_eq!(said(&open("main", "main").await?.1), "No commits between main and main");
    Ok(())
}

#[tokio::test]
async fn a_pull_request_is_edited_labelled_commented_and_closed() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    let (number, _) = forge.pull_request("topic").await?;
    let one = path(&format!("pulls/{number}"));
    let (status, body) = forge.send(Method::PATCH, &one, json!({ "title": "New", "body": "Text" })).await?;
    assert_eq!((status, &body["title"], &body["body"]), (200, &json!("New"), &json!("Text")));
    let labels = path(&format!("issues/{number}/labels"));
    let (status, body) = forge.send(Method::POST, &labels, json!({ "labels": ["release", "release"] })).await?;
    assert_eq!((status, body.as_array().map(Vec::len), &body[0]["name"]), (200, Some(1), &json!("release")));
    let comments = path(&format!("issues/{number}/comments"));
    assert_eq!(forge.send(Method::POST, &comments, json!({ "body": "Hello" })).await?.0, 201);
    let (status, body) = forge.send(Method::PATCH, &one, json!({ "state": "closed" })).await?;
    assert_eq!((status, &body["state"], &body["merged"]), (200, &json!("closed"), &json!(false)));
    let seen = forge.sandbox.pull_request(REPOSITORY, number).await?;
    assert_eq!((seen.state.as_str(), seen.comments.as_slice()), ("closed", ["Hello".to_owned()].as_slice()));
    assert_eq!(forge.send(Method::PATCH, &one, json!({ "state": "open" })).await?.1["state"], "open");
    assert_eq!(forge.get(&path("pulls/99")).await?.0, 404);
    let (_, files) = forge.get(&format!("{one}/files")).await?;
    let file = &files[0];
    assert_eq!(
        (&file["filename"], &file["status"], &file["additions"]),
        (&json!("apps/topic.yaml"), &json!("added"), &json!(1))
    );
    let (_, whole) = forge.get(&one).await?;
    assert_eq!((&whole["changed_files"], &whole["additions"], &whole["commits"]), (&json!(1), &json!(1), &json!(1)));
    Ok(())
}

#[tokio::test]
async fn references_are_made_moved_and_deleted() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    let tip = forge.sandbox.repository(REPOSITORY).await?.branches["main"].to_string();
    let new = json!({ "ref": "refs/heads/a/b", "sha": tip });
    let (status, body) = forge.send(Method::POST, &path("git/refs"), new.clone()).await?;
    assert_eq!((status, &body["ref"]), (201, &json!("refs/heads/a/b")));
    assert_eq!(said(&forge.send(Method::POST, &path("git/refs"), new).await?.1), "Reference already exists");
    assert_eq!(forge.get(&path("git/ref/heads/a/b")).await?.1["object"]["sha"], tip);
    assert_eq!(forge.get(&path("git/ref/heads/gone")).await?.0, 404);
    let ahead = forge.sandbox.push(REPOSITORY, Push::new("other", [("x", "y")])).await?;
    let sideways = forge.sandbox.push(REPOSITORY, Push::new("third", [("z", "y")])).await?;
    let patch = async |branch: &str, body: Value| {
        forge.send(Method::PATCH, &path(&format!("git/refs/heads/{branch}")), body).await
    };
    assert_eq!(patch("a/b", json!({ "sha": ahead })).await?.0, 200);
    assert_eq!(said(&patch("a/b", json!({ "sha": sideways })).await?.1), "Update is not a fast forward");
    assert_eq!(patch("a/b", json!({ "sha": sideways, "force": true })).await?.0, 200);
    assert_eq!(said(&patch("gone", json!({ "sha": ahead })).await?.1), "Reference does not exist");
    let (status, body) = patch("main", json!({ "sha": ahead })).await?;
    assert!(status == 422 && said(&body).starts_with("Repository rule violations found"), "{body}");
    assert_eq!(forge.send(Method::DELETE, &path("git/refs/heads/a/b"), json!({})).await?.0, 204);
    assert_eq!(forge.send(Method::DELETE, &path("git/refs/heads/a/b"), json!({})).await?.0, 422);
    Ok(())
}

#[tokio::test]
async fn commits_are_read_and_compared() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    let base = forge.sandbox.repository(REPOSITORY).await?.branches["main"].to_string();
    let push = Push { author: Some("ada".to_owned()), date: Some(1_700_000_000), ..Push::new("topic", [("a", "1")]) };
    let head = forge.sandbox.push(REPOSITORY, push.message("One\n\nMore")).await?;
    forge.sandbox.push(REPOSITORY, Push::new("topic", [("a", "2")])).await?;
    let (status, commit) = forge.get(&path(&format!("commits/{head}"))).await?;
    assert_eq!((status, &commit["commit"]["message"]), (200, &json!("One\n\nMore")));
    assert_eq!(
        (&commit["author"]["login"], &commit["commit"]["author"]["date"]),
        (&json!("ada"), &json!("2023-11-14T22:13:20Z"))
    );
    let (status, body) = forge.get(&path("commits/0123456789012345678901234567890123456789")).await?;
    assert_eq!((status, said(&body)), (422, "No commit found for SHA: 0123456789012345678901234567890123456789"));
    let short = forge.request(Method::GET, &path("commits/topic%2F..")).send().await?;
    assert_eq!(short.status(), 422);
    let compare = async |range: String| forge.get(&path(&format!("compare/{range}?per_page=1"))).await;
    for (range, status, ahead, behind) in [
        (format!("{base}...topic"), "ahead", 2, 0),
        (format!("topic...{base}"), "behind", 0, 2),
        (format!("{base}...main"), "identical", 0, 0),
    ] {
        let (code, body) = compare(range).await?;
        assert_eq!((code, &body["status"]), (200, &json!(status)));
        assert_eq!((&body["ahead_by"], &body["behind_by"]), (&json!(ahead), &json!(behind)));
        assert_eq!(body["merge_base_commit"]["sha"], base);
        assert_eq!(body["commits"].as_array().map(Vec::len), Some(ahead.min(1)));
    }
    forge.sandbox.push(REPOSITORY, Push::new("main", [("b", "1")])).await?;
    assert_eq!(compare("main...topic".to_owned()).await?.1["status"], "diverged");
    assert_eq!(compare("main...gone".to_owned()).await?.0, 404);
    Ok(())
}

#[tokio::test]
async fn pages_are_linked_by_the_number_of_the_repository() -> Result<()> {
    let forge = Forge::start().await?;
    for branch in ["one", "two", "three"] {
        forge.pull_request(branch).await?;
    }
    let response = forge.request(Method::GET, &path("pulls?per_page=2&state=all")).send().await?;
    let link = response.headers()["link"].to_str()?.to_owned();
    let next = link.split(['<', '>']).nth(1).context("no link")?.to_owned();
    assert!(next.contains("/repositories/") && link.contains("rel=\"next\""), "{link}");
    let (status, rest) = forge.get(next.strip_prefix(&forge.sandbox.url()).context("not absolute")?).await?;
    assert_eq!((status, rest.as_array().map(Vec::len)), (200, Some(1)));
    Ok(())
}

#[tokio::test]
async fn every_answer_has_githubs_headers_and_what_is_known_is_not_sent_again() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    let first = forge.request(Method::GET, &path("branches/main")).send().await?;
    for header in ["x-github-request-id", "x-ratelimit-limit", "x-ratelimit-reset", "x-ratelimit-resource"] {
        assert!(first.headers().contains_key(header), "{header} is missing");
    }
    let left = |response: &reqwest::Response| response.headers()["x-ratelimit-remaining"].to_str().map(str::to_owned);
    let (tag, before) = (first.headers()["etag"].clone(), left(&first)?);
    let again = forge.request(Method::GET, &path("branches/main")).header("if-none-match", &tag).send().await?;
    assert_eq!((again.status().as_u16(), left(&again)?), (304, before));
    let person = forge.http.get(format!("{}{}", forge.sandbox.url(), path("branches/main")));
    let person = person.bearer_auth(sandbox::PERSONAL_TOKEN).header("if-none-match", &tag).send().await?;
    assert_eq!(person.status(), 200, "a tag is for one credential");
    Ok(())
}

#[tokio::test]
async fn checks_are_reported_by_both_interfaces() -> Result<()> {
    let forge = Forge::start().await?.into_app().await?;
    let (_, head) = forge.pull_request("topic").await?;
    let (_, none) = forge.get(&path(&format!("commits/{head}/status"))).await?;
    assert_eq!((&none["state"], &none["total_count"]), (&json!("pending"), &json!(0)));
    let (status, run) = forge
        .send(Method::POST, &path("check-runs"), json!({ "name": "build", "head_sha": head, "status": "in_progress" }))
        .await?;
    assert_eq!((status, &run["status"], &run["conclusion"]), (201, &json!("in_progress"), &Value::Null));
    let one = path(&format!("check-runs/{}", run["id"]));
    let (status, run) = forge.send(Method::PATCH, &one, json!({ "conclusion": "failure" })).await?;
    assert_eq!((status, &run["status"], &run["conclusion"]), (200, &json!("completed"), &json!("failure")));
    let (_, runs) = forge.get(&path("commits/topic/check-runs?filter=latest")).await?;
    assert_eq!((&runs["total_count"], &runs["check_runs"][0]["pull_requests"][0]["number"]), (&json!(1), &json!(1)));
    Ok(())
}
