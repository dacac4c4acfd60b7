//! Comments on pull requests.

use domain::forge::{Number, Repository};
use forge::Error;
use serde_json::{Value, json};

use crate::host::Host;

const PATH: &str = "/repos/acme/trinity/issues/3/comments";

fn trinity() -> Repository {
    "acme/trinity".parse().expect("the text is a repository")
}

#[tokio::test]
async fn a_comment_is_posted_as_it_is_written() -> anyhow::Result<()> {
    let host = Host::start().await?;
    host.answer(&format!("POST {PATH}"), 201, &json!({ "id": 1, "body": "x" }))?;
    host.forge()?.comment(&trinity(), Number(3), "Superseded by #4.").await?;
    let seen = host.seen()?;
    let posted: Value = serde_json::from_slice(&seen.first().unwrap().body)?;
    assert_eq!((seen.len(), posted), (1, json!({ "body": "Superseded by #4." })));
    Ok(())
}

#[tokio::test]
async fn a_comment_is_found_by_what_is_in_it() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let comments =
        json!([{ "id": 1, "body": "Nice" }, { "id": 2, "body": null }, { "id": 3, "body": "x <!-- a b -->\n" }]);
    for (mark, expected) in [("<!-- a b -->", true), ("<!-- a c -->", false)] {
        host.answer(&format!("GET {PATH}?per_page=100"), 200, &comments)?;
        assert_eq!(host.forge()?.has_comment(&trinity(), Number(3), mark).await?, expected, "{mark}");
    }
    Ok(())
}

#[tokio::test]
async fn a_conversation_that_is_locked_or_gone_is_said_in_words() -> anyhow::Result<()> {
    let host = Host::start().await?;
    host.answer(&format!("POST {PATH}"), 404, &json!({ "message": "Not Found" }))?;
    let gone = host.forge()?.comment(&trinity(), Number(3), "x").await.unwrap_err();
    assert!(matches!(gone, Error::NoPullRequest { .. }), "{gone}");
    let locked = json!({ "message": "Unable to create comment because issue is locked." });
    host.answer(&format!("POST {PATH}"), 403, &locked)?;
    let locked = host.forge()?.comment(&trinity(), Number(3), "x").await.unwrap_err().to_string();
    assert!(locked.contains("issue is locked"), "{locked}");
    Ok(())
}
