//! What the forge says of how commits stand to each other.

use domain::{
    commit::Commit,
    forge::Ancestry,
    proposal::{Between, Listed},
};
use forge::{Comparison, Error};
use serde_json::{Value, json};

use crate::host::Host;

fn commit() -> Commit {
    Commit::from_bytes([0x11; 20])
}

/// With as many of the commits between the two.
fn compare_listing(head: &str, commits: usize) -> String {
    format!("GET /repos/acme/app/compare/{}...{head}?per_page={commits}", commit())
}

fn found() -> Value {
    json!({ "sha": commit().to_string(), "html_url": "https://forge.example/c", "commit": { "message": "Zoom deeper\n\nMore" } })
}

fn compared(status: &str) -> Value {
    json!({ "status": status, "ahead_by": 3, "base_commit": found(), "files": [] })
}

fn not_found() -> Value {
    json!({ "message": "Not Found", "status": "404" })
}

#[tokio::test]
async fn two_commits_stand_to_each_other_as_the_forge_says() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let forge = host.forge()?;
    let (repository, other) = ("acme/app".parse()?, Commit::from_bytes([0x22; 20]));
    let line = compare_listing(&other.to_string(), 50);
    for (status, expected) in
        [("behind", Ancestry::Descendant), ("identical", Ancestry::Same), ("diverged", Ancestry::Unrelated)]
    {
        host.answer(&line, 200, &compared(status))?;
        let found = forge.comparison(&repository, commit(), other).await?;
        assert_eq!(found, Some(Comparison { ancestry: expected, between: None }));
    }
    host.answer(&line, 404, &not_found())?;
    host.answer("GET /repos/acme/app", 200, &json!({ "id": 1 }))?;
    assert_eq!(forge.comparison(&repository, commit(), other).await?, None);
    host.seen()?;
    let same = Comparison { ancestry: Ancestry::Same, between: None };
    assert_eq!(forge.comparison(&repository, other, other).await?, Some(same));
    assert_eq!(host.seen()?.len(), 0);
    Ok(())
}

#[tokio::test]
async fn the_commits_between_come_with_the_same_request() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let forge = host.forge()?;
    let (repository, other) = ("acme/app".parse()?, Commit::from_bytes([0x22; 20]));
    let row = |sha: &str, message: &str, author: Value| {
        json!({
            "sha": sha.repeat(40), "html_url": format!("https://forge.example/c/{sha}"),
            "commit": { "message": message }, "author": author,
        })
    };
    let long = "x".repeat(1000);
    let mut rows = vec![
        row("a", "Zoom deeper\r\n\r\nMore", json!({ "login": "octocat", "id": 1 })),
        row("b", "", Value::Null),
        row("c", &long, json!({})),
    ];
    // A forge that knows no pages gives all of them.
    rows.resize(250, row("d", "Again", Value::Null));
    let mut answer = compared("ahead");
    answer["html_url"] = json!("https://forge.example/compare");
    answer["total_commits"] = json!(312);
    answer["commits"] = json!(rows);
    host.answer(&compare_listing(&other.to_string(), 50), 200, &answer)?;
    let Some(Comparison { ancestry: Ancestry::Ancestor, between: Some(between) }) =
        forge.comparison(&repository, commit(), other).await?
    else {
        anyhow::bail!("an ancestor was expected")
    };
    assert_eq!(host.seen()?.len(), 1);
    let Between { from, url, count, listed } = between;
    assert_eq!((from, url.as_str(), count, listed.len()), (commit(), "https://forge.example/compare", 312, 50));
    let first = Listed {
        commit: Commit::from_bytes([0xaa; 20]),
        subject: "Zoom deeper".to_owned(),
        url: "https://forge.example/c/a".to_owned(),
        author: Some("octocat".to_owned()),
    };
    assert_eq!(listed.first(), Some(&first));
    let rest: Vec<_> = listed.iter().skip(1).take(2).map(|one| (one.subject.len(), one.author.as_deref())).collect();
    assert_eq!(rest, [(0, None), (256, None)]);

    answer["commits"] = json!([row("z", "No commit", Value::Null)]);
    host.answer(&compare_listing(&other.to_string(), 50), 200, &answer)?;
    let error = forge.comparison(&repository, commit(), other).await.unwrap_err();
    assert!(matches!(error, Error::Misunderstood { .. }), "{error}");
    Ok(())
}
