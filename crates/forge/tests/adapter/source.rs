//! What the forge says of commits. Existence is not ancestry.

use domain::{
    commit::Commit,
    evidence::Lookup,
    fault::Fault,
    forge::{Ancestry, Branch},
    proposal::{Between, Listed},
};
use forge::{Comparison, Error};
use serde_json::{Value, json};

use crate::host::Host;

fn commit() -> Commit {
    Commit::from_bytes([0x11; 20])
}

fn compare(head: &str) -> String {
    compare_listing(head, 1)
}

/// With as many of the commits between the two.
fn compare_listing(head: &str, commits: usize) -> String {
    format!("GET /repos/acme/app/compare/{}...{head}?per_page={commits}", commit())
}

fn get_commit() -> String {
    format!("GET /repos/acme/app/commits/{}", commit())
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

fn present(branch: Option<&str>) -> Lookup {
    Lookup::Present {
        subject: "Zoom deeper".to_owned(),
        url: "https://forge.example/c".to_owned(),
        branch: branch.and_then(|branch| branch.parse().ok()),
        left: None,
        checks: Vec::new(),
    }
}

async fn look_up(host: &Host, branches: &[&str]) -> anyhow::Result<Result<Lookup, Error>> {
    let branches: Vec<Branch> = branches.iter().map(|branch| branch.parse()).collect::<Result<_, _>>()?;
    let forge = host.forge()?;
    Ok(forge.look_up(&"acme/app".parse()?, commit(), &branches).await)
}

#[tokio::test]
async fn a_commit_on_the_first_branch_takes_one_request() -> anyhow::Result<()> {
    let host = Host::start().await?;
    for status in ["ahead", "identical"] {
        host.answer(&compare("main"), 200, &compared(status))?;
        assert_eq!(look_up(&host, &["main", "release/1.x"]).await??, present(Some("main")));
        assert_eq!(host.seen()?.len(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn every_allowed_branch_is_asked() -> anyhow::Result<()> {
    let host = Host::start().await?;
    host.answer(&compare("main"), 200, &compared("diverged"))?;
    host.answer(&compare("release/1.x%23"), 200, &compared("ahead"))?;
    let found = look_up(&host, &["main", "release/1.x#"]).await??;
    assert_eq!(found, present(Some("release/1.x#")));
    assert_eq!(host.seen()?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_commit_that_only_exists_is_on_no_branch() -> anyhow::Result<()> {
    let host = Host::start().await?;
    for status in ["diverged", "behind"] {
        host.answer(&compare("main"), 200, &compared(status))?;
        assert_eq!(look_up(&host, &["main"]).await??, present(None));
    }
    let nothing_in_common = json!({ "message": "No common ancestor between 1 and main." });
    host.answer(&compare("main"), 404, &nothing_in_common)?;
    host.answer(&get_commit(), 200, &found())?;
    assert_eq!(look_up(&host, &["main"]).await??, present(None));
    Ok(())
}

#[tokio::test]
async fn an_unknown_commit_is_absent() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let unknown = json!({ "message": format!("No commit found for SHA: {}", commit()) });
    host.answer(&compare("main"), 404, &not_found())?;
    host.answer(&get_commit(), 422, &unknown)?;
    assert_eq!(look_up(&host, &["main"]).await??, Lookup::Absent);

    host.answer(&compare("main"), 404, &not_found())?;
    host.answer(&get_commit(), 404, &not_found())?;
    host.answer("GET /repos/acme/app", 200, &json!({ "id": 1 }))?;
    assert_eq!(look_up(&host, &["main"]).await??, Lookup::Absent);
    Ok(())
}

#[tokio::test]
async fn a_missing_branch_is_named_unless_another_has_the_commit() -> anyhow::Result<()> {
    let host = Host::start().await?;
    host.answer(&compare("gone"), 404, &not_found())?;
    host.answer(&get_commit(), 200, &found())?;
    let error = look_up(&host, &["gone"]).await?.unwrap_err();
    assert_eq!(error.to_string(), "acme/app has no branch gone");
    assert_eq!(error.fault(), Fault::Permanent);

    host.answer(&compare("gone"), 404, &not_found())?;
    host.answer(&get_commit(), 200, &found())?;
    host.answer(&compare("main"), 200, &compared("ahead"))?;
    assert_eq!(look_up(&host, &["gone", "main"]).await??, present(Some("main")));
    Ok(())
}

#[tokio::test]
async fn a_missing_repository_is_named() -> anyhow::Result<()> {
    let host = Host::start().await?;
    host.answer(&compare("main"), 404, &not_found())?;
    host.answer(&get_commit(), 404, &not_found())?;
    host.answer("GET /repos/acme/app", 404, &not_found())?;
    let error = look_up(&host, &["main"]).await?.unwrap_err();
    assert!(matches!(error, Error::NoRepository { .. }), "{error}");
    host.seen()?;
    Ok(())
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
