//! The control interface over HTTP.

use anyhow::{Context as _, Result};
use reqwest::Method;
use sandbox::{
    Call, Options, ROUTES, TRAFFIC_ROUTES,
    registry::{self, SandboxRegistry},
};
use serde_json::{Value, json};

use crate::client::{Forge, REPOSITORY, read};

/// Checks that a server lists these calls besides the common ones, and that each is there and on the page.
async fn check_calls(forge: &Forge, url: &str, own: &[Call], page: &str) -> Result<()> {
    let all: Vec<Call> = TRAFFIC_ROUTES.into_iter().chain(own.iter().copied()).collect();
    for list in ["/_sim", "/_sim/"] {
        let (status, listed) = read(forge.http.get(format!("{url}{list}")).send().await?).await?;
        let named = |(method, path, does): &Call| json!({ "method": method, "path": path, "does": does });
        assert_eq!((status, listed), (200, all.iter().map(named).collect()));
    }
    for (method, path, _) in all {
        let is_named = |row: &str| row.starts_with("| `") && row.contains(method) && row.contains(path);
        assert!(page.lines().any(is_named), "{method} {path} is not documented");
        let path = path.replace("{owner}/{name}", "acme/gone").replace("{number}", "1").replace("{id}", "1");
        let path = path.replace("{branch}", "main");
        let request = forge.http.request(method.parse()?, format!("{url}{path}")).json(&json!([]));
        let (status, body) = read(request.send().await?).await?;
        let message = body["message"].as_str().unwrap_or_default();
        assert!(status != 405 && !message.contains("no such call"), "{method} {path}: {status} {body}");
    }
    let (status, body) = read(forge.http.get(format!("{url}/_sim/gone")).send().await?).await?;
    assert_eq!((status, &body["message"]), (404, &json!("no such call; GET /_sim/ lists all")));
    Ok(())
}

#[tokio::test]
async fn every_call_of_the_list_is_there() -> Result<()> {
    let forge = Forge::start().await?;
    let registry = SandboxRegistry::start(registry::Options::default()).await?;
    let page = include_str!("../../src/control.md");
    let (of_forge, of_registry) = page.split_once("# The registry\n").context("the registry has no section")?;
    let (common, _) = of_forge.split_once("# The forge\n").context("the forge has no section")?;
    check_calls(&forge, &forge.sandbox.url(), &ROUTES, of_forge).await?;
    let of_registry = format!("{common}{of_registry}");
    check_calls(&forge, &format!("http://{}", registry.host()), &registry::ROUTES, &of_registry).await?;
    registry.shutdown().await;
    Ok(())
}

#[tokio::test]
async fn the_registry_has_faults_and_requests_as_the_forge_has() -> Result<()> {
    let forge = Forge::start().await?;
    let registry = SandboxRegistry::start(registry::Options::default()).await?;
    let fault = json!({
        "match": { "method": "POST", "path": "/", "operation": null, "nth": 2, "times": 1 },
        "do": { "kind": "apply_then_drop" },
    });
    let places = [
        (forge.sandbox.url(), format!("/repos/{REPOSITORY}/issues/1/comments")),
        (format!("http://{}", registry.host()), "/v2/app/blobs/uploads/".to_owned()),
    ];
    for (url, path) in places {
        let call = async |method: Method, path: &str, body: &Value| -> Result<Value> {
            let request = forge.http.request(method, format!("{url}/_sim/{path}")).json(body);
            let (status, answer) = read(request.send().await?).await?;
            assert_eq!(status, 200, "{path}: {answer}");
            Ok(answer)
        };
        call(Method::POST, "faults", &fault).await?;
        assert_eq!(call(Method::GET, "faults", &Value::Null).await?, json!([fault]));
        let ask = async || forge.http.post(format!("{url}{path}")).send().await;
        assert!(ask().await.is_ok());
        assert!(ask().await.is_err());
        assert!(ask().await.is_ok());
        let requests = call(Method::GET, "requests", &Value::Null).await?;
        let seen: Vec<_> =
            requests.as_array().into_iter().flatten().map(|one| (&one["number"], &one["fault"])).collect();
        let (number, dropped) = ([json!(0), json!(1), json!(2)], json!({ "kind": "apply_then_drop" }));
        assert_eq!(seen, [(&number[0], &Value::Null), (&number[1], &dropped), (&number[2], &Value::Null)]);
        for what in ["faults", "requests"] {
            call(Method::DELETE, what, &Value::Null).await?;
            assert_eq!(call(Method::GET, what, &Value::Null).await?, json!([]));
        }
    }
    registry.shutdown().await;
    Ok(())
}

#[tokio::test]
async fn a_release_can_be_told_over_http_alone() -> Result<()> {
    let forge = Forge::start().await?;
    let call = async |method: Method, path: &str, body: Value| {
        let (status, answer) = forge.send(method, &format!("/_sim/{path}"), body).await?;
        assert_eq!(status, 200, "{path}: {answer}");
        anyhow::Ok(answer)
    };
    let new = json!({ "name": "acme/app", "files": { "a": "1\n" }, "settings": { "allow_auto_merge": true } });
    call(Method::POST, "repositories", new).await?;
    let changed =
        call(Method::PATCH, "repositories/acme/app/settings", json!({ "delete_branch_on_merge": true })).await?;
    assert_eq!((&changed["allow_auto_merge"], &changed["delete_branch_on_merge"]), (&json!(true), &json!(true)));
    let protection = json!({ "required_checks": ["ci"], "required_approving_reviews": 1 });
    call(Method::PUT, "repositories/acme/app/protection/main", protection).await?;
    let push = json!({ "branch": "topic", "files": { "a": null, "b": "2\n" }, "author": "ada" });
    call(Method::POST, "repositories/acme/app/push", push).await?;
    let opening = json!({ "head": "topic", "base": "main", "title": "Go" });
    let opened = call(Method::POST, "repositories/acme/app/pull-requests", opening).await?;
    assert_eq!((&opened["number"], &opened["merge_state"]), (&json!(1), &json!("blocked")));
    let check = json!({ "revision": "topic", "name": "ci", "outcome": "success", "kind": "status" });
    call(Method::POST, "repositories/acme/app/checks", check).await?;
    call(Method::POST, "repositories/acme/app/pull-requests/1/approve", json!({ "by": "bob" })).await?;
    call(Method::POST, "repositories/acme/app/pull-requests/1/merge", json!({ "method": "squash" })).await?;
    let file = call(Method::GET, "repositories/acme/app/file?revision=main&path=b", json!({})).await?;
    assert_eq!(file["text"], "2\n");
    let before = forge.sandbox.now();
    call(Method::POST, "clock", json!({ "advance_seconds": 3600 })).await?;
    assert!((forge.sandbox.now() - before).num_seconds() >= 3600);
    let fault = json!({ "match": { "path": "/rate_limit" }, "do": { "kind": "answer", "status": 500 } });
    call(Method::POST, "faults", fault).await?;
    assert_eq!(forge.get("/rate_limit").await?.0, 500);
    for kind in [json!({ "kind": "truncate", "bytes": 3 }), json!({ "kind": "stale_read" })] {
        call(Method::POST, "faults", json!({ "match": { "path": "/nothing" }, "do": kind })).await?;
    }
    assert_eq!(call(Method::GET, "faults", json!({})).await?[2]["do"]["kind"], "stale_read");
    let target = json!({ "url": "http://127.0.0.1:9/", "fate": "reorder" });
    call(Method::PUT, "webhook", target).await?;
    assert_eq!(forge.sandbox.webhook().await?.map(|target| target.fate), Some(sandbox::Fate::Reorder));
    let requests = call(Method::GET, "requests", json!({})).await?;
    assert_eq!(requests[0]["fault"]["kind"], "answer");
    let (status, _) = forge.send(Method::PATCH, "/_sim/repositories/acme/app/settings", json!({ "typo": 1 })).await?;
    assert_eq!(status, 422);
    let (status, _) = forge.get("/_sim/repositories/acme/gone").await?;
    assert_eq!(status, 404);
    Ok(())
}

#[tokio::test]
async fn repositories_and_key_outlive_the_sandbox_in_a_data_directory() -> Result<()> {
    let kept = tempfile::tempdir()?;
    let options = || Options { data: Some(kept.path().to_owned()), ..Options::default() };
    let first = Forge::with(options()).await?;
    let (key, branches) =
        (first.sandbox.app_private_key().to_owned(), first.sandbox.repository(REPOSITORY).await?.branches);
    assert_eq!(std::fs::read_to_string(kept.path().join("github-app.pem"))?, key);
    first.sandbox.shutdown().await;
    let second = conformance::Watched::start(options()).await?;
    assert_eq!(second.app_private_key(), key);
    assert_eq!(second.repository(REPOSITORY).await?.branches, branches);
    Ok(())
}
