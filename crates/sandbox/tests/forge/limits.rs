//! How much may be asked, and what is free.

use anyhow::Result;
use reqwest::{Method, Response, header::IF_NONE_MATCH};
use sandbox::{Limits, Push};
use serde_json::{Value, json};

use crate::client::{Forge, REPOSITORY, read};

fn number(response: &Response, header: &str) -> Option<i64> {
    response.headers().get(header)?.to_str().ok()?.parse().ok()
}

async fn get(forge: &Forge) -> Result<Response> {
    Ok(forge.request(Method::GET, &format!("/repos/{REPOSITORY}")).send().await?)
}

async fn ask(forge: &Forge) -> Result<Response> {
    let query = json!({ "query": "{ viewer { login } }" });
    Ok(forge.request(Method::POST, "/graphql").json(&query).send().await?)
}

#[tokio::test]
async fn what_is_left_counts_down_for_each_resource_until_nothing_is_answered_any_more() -> Result<()> {
    let forge = Forge::start().await?;
    forge.sandbox.set_limits(Limits { core: 2, graphql: 1, ..Limits::default() });
    for left in [1, 0] {
        let response = get(&forge).await?;
        assert_eq!((response.status().as_u16(), number(&response, "x-ratelimit-remaining")), (200, Some(left)));
        assert_eq!(number(&response, "x-ratelimit-limit"), Some(2));
    }
    let refused = get(&forge).await?;
    let reset = number(&refused, "x-ratelimit-reset").unwrap_or_default() - forge.sandbox.now().timestamp();
    assert!((1..=3600).contains(&reset), "{reset}");
    let (status, body) = read(refused).await?;
    assert_eq!((status, &body["message"]), (403, &json!("API rate limit exceeded for user octocat.")));

    assert_eq!(read(ask(&forge).await?).await?.1["data"]["viewer"]["login"], "octocat");
    let refused = ask(&forge).await?;
    assert_eq!((refused.status().as_u16(), number(&refused, "x-ratelimit-remaining")), (200, Some(0)));
    assert_eq!(read(refused).await?.1["errors"][0]["type"], "RATE_LIMITED");

    let (_, shown) = forge.get("/rate_limit").await?;
    assert_eq!((&shown["resources"]["core"]["remaining"], &shown["rate"]["used"]), (&json!(0), &json!(2)));
    let used = forge.sandbox.used();
    assert_eq!(used["user octocat"], sandbox::Used { core: 2, graphql: 1, refused: 2 });
    forge.sandbox.advance(std::time::Duration::from_secs(3600));
    assert_eq!(get(&forge).await?.status(), 200);
    Ok(())
}

#[tokio::test]
async fn all_tokens_of_an_installation_are_counted_together_and_apart_from_people() -> Result<()> {
    let mut forge = Forge::start().await?;
    forge.sandbox.set_limits(Limits { core: 4, ..Limits::default() });
    for _ in 0..2 {
        forge = forge.into_app().await?;
        for _ in 0..2 {
            assert_eq!(get(&forge).await?.status(), 200);
        }
    }
    let (status, body) = read(get(&forge).await?).await?;
    assert_eq!((status, &body["message"]), (403, &json!("API rate limit exceeded for installation ID 1001.")));
    forge.token = sandbox::PERSONAL_TOKEN.to_owned();
    assert_eq!(get(&forge).await?.status(), 200);
    Ok(())
}

#[tokio::test]
async fn what_was_not_modified_is_free_and_git_is_not_counted() -> Result<()> {
    let forge = Forge::start().await?;
    let response = get(&forge).await?;
    let tag = response.headers()["etag"].clone();
    for _ in 0..3 {
        let request = forge.request(Method::GET, &format!("/repos/{REPOSITORY}")).header(IF_NONE_MATCH, &tag);
        let response = request.send().await?;
        assert_eq!((response.status().as_u16(), number(&response, "x-ratelimit-used")), (304, Some(1)));
    }
    let refs = format!("/{REPOSITORY}.git/info/refs?service=git-upload-pack");
    let request = forge.http.get(format!("{}{refs}", forge.sandbox.url()));
    let response = request.basic_auth("x-access-token", Some(&forge.token)).send().await?;
    assert_eq!((response.status().as_u16(), number(&response, "x-ratelimit-used")), (200, None));
    assert_eq!(forge.sandbox.used()["user octocat"].core, 1);
    Ok(())
}

#[tokio::test]
async fn too_many_changes_in_a_minute_are_refused_for_a_while() -> Result<()> {
    let forge = Forge::start().await?;
    let control = json!({ "changes_per_minute": 2 });
    let url = format!("{}/_sim/limits", forge.sandbox.url());
    assert_eq!(forge.http.put(&url).json(&control).send().await?.status(), 200);
    let sha = forge.sandbox.push(REPOSITORY, Push::new("topic", [("a", "b")])).await?;
    let path = format!("/repos/{REPOSITORY}/statuses/{sha}");
    let change = || forge.request(Method::POST, &path).json(&json!({ "state": "success", "context": "x" })).send();
    for _ in 0..2 {
        assert_eq!(change().await?.status(), 201);
    }
    let refused = change().await?;
    assert!(number(&refused, "retry-after").is_some_and(|wait| (1..=60).contains(&wait)));
    assert!(number(&refused, "x-ratelimit-remaining") > Some(0));
    let (status, body) = read(refused).await?;
    assert!(status == 403 && body["message"].as_str().is_some_and(|text| text.contains("secondary rate limit")));
    assert_eq!(get(&forge).await?.status(), 200, "reading is not limited by it");
    forge.sandbox.set_limits(Limits { changes_per_minute: Some(2), retry_after: false, ..Limits::default() });
    assert_eq!(number(&change().await?, "retry-after"), None);
    let (_, shown) = read(forge.http.get(&url).send().await?).await?;
    assert_eq!(
        (&shown["limits"]["changes_per_minute"], &shown["used"]["user octocat"]["refused"]),
        (&json!(2), &json!(2))
    );
    forge.sandbox.advance(std::time::Duration::from_secs(61));
    assert_eq!(change().await?.status(), 201);
    assert_eq!(forge.sandbox.used().values().map(|used| used.refused).sum::<u64>(), 2);
    Ok(())
}

#[tokio::test]
async fn the_interfaces_are_where_enterprise_server_has_them_too() -> Result<()> {
    let forge = Forge::start().await?;
    for path in [format!("/api/v3/repos/{REPOSITORY}"), "/api/v3/rate_limit".to_owned()] {
        assert_eq!(forge.get(&path).await?.0, 200, "{path}");
    }
    let query = json!({ "query": "{ viewer { login } }" });
    let (status, body) = forge.send(Method::POST, "/api/graphql", query.clone()).await?;
    assert_eq!((status, &body["data"]["viewer"]["login"]), (200, &json!("octocat")));
    assert_eq!(forge.send(Method::POST, "/api/v3/graphql", query).await?.0, 404);
    let (status, _): (u16, Value) = forge.get("/api/v3/repos/acme/nothing").await?;
    assert_eq!(status, 404);
    Ok(())
}
