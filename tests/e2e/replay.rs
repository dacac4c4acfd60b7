//! Why was my push ignored: asked, and tried again after the reason was mended.

use std::process::Output;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use testkit::{
    Scene, SceneOptions, Tagferry,
    binaries::program,
    tagferry::{RELEASER_TOKEN, TOKEN, field, text},
    until,
};
use tokio::process::Command;

/// Runs the program with a token, which the environment may not have of somebody else.
async fn run(arguments: &[&str], token: Option<&str>) -> Result<(Option<i32>, String, String)> {
    let mut command = Command::new(program("tagferry")?);
    command.args(arguments).env_remove("TAGFERRY_TOKEN").env_remove("TAGFERRY_SERVER");
    if let Some(token) = token {
        command.env("TAGFERRY_TOKEN", token);
    }
    let Output { status, stdout, stderr } = command.output().await?;
    Ok((status.code(), String::from_utf8(stdout)?, String::from_utf8(stderr)?))
}

/// The ids of all deliveries of a sender, oldest first.
async fn deliveries(tagferry: &Tagferry, sender: &str) -> Result<Vec<String>> {
    let answer = tagferry.get("/v1/deliveries?limit=200").await?;
    let all = field(&answer, "deliveries").as_array().context("a list")?.iter().rev();
    Ok(all.filter(|one| field(one, "sender") == sender).map(|one| text(field(one, "id"))).collect())
}

/// Waits until nothing is pending any more.
async fn settled(tagferry: &Tagferry) -> Result<Vec<Value>> {
    until("all verdicts", async || {
        let all = tagferry.announcements().await?;
        Ok(all.iter().all(|one| field(one, "verdict") != "pending").then_some(all))
    })
    .await
}

async fn replay(tagferry: &Tagferry, id: &str) -> Result<Value> {
    let (code, out, err) =
        run(&["replay", "--server", tagferry.url(), "--output", "json", id], Some(RELEASER_TOKEN)).await?;
    ensure!(code == Some(0), "{err}");
    Ok(serde_json::from_str(&out)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_no_application_used_is_released_by_a_replay_once_one_does() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let config = std::fs::read_to_string(scene.config())?;
    let (without, _) = config.split_once("applications:").context("no applications")?;
    std::fs::write(scene.config(), without)?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Pushed too early").await?;
    scene.push_to_all(&commit)?;
    scene.notified().await;
    let ignored = settled(&tagferry).await?;
    ensure!(ignored.len() == 3 && ignored.iter().all(|one| field(one, "verdict") == "ignored"), "{ignored:?}");
    let ids = deliveries(&tagferry, "registry").await?;

    assert!(tagferry.terminate().await?);
    std::fs::write(scene.config(), &config)?;
    let tagferry = scene.tagferry().await?;
    assert_eq!(settled(&tagferry).await?, ignored, "a restart alone changes nothing");
    assert!(scene.pull_requests().await?.is_empty());
    for id in &ids {
        let answer = replay(&tagferry, id).await?;
        assert_eq!((&answer["id"], &answer["announcements"][0]["verdict"]), (&json!(id), &json!("pending")));
    }
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    let log = tagferry.log();
    assert!(log.contains("a delivery is replayed token=\"e2e-releaser\" sender=\"registry\" delivery.id="), "{log}");

    // Once more, for each of them: what was released is not released again.
    for id in &ids {
        replay(&tagferry, id).await?;
    }
    let accepted = settled(&tagferry).await?;
    ensure!(accepted.iter().all(|one| field(one, "verdict") == "accepted"), "{accepted:?}");
    assert_eq!(scene.pull_requests().await?.len(), 1);
    let release = tagferry.release(&commit).await?.context("no release")?;
    let count = |what| field(&release, what).as_array().map(Vec::len);
    assert_eq!((count("builds"), count("promotions")), (Some(3), Some(1)), "{release}");
    let ledger = field(&release, "ledger").as_array().cloned().unwrap_or_default();
    assert_eq!(ledger.iter().filter(|row| field(row, "what") == "replayed").count(), 3);
    assert_eq!(tagferry.get("/v1/releases").await?["releases"].as_array().map(Vec::len), Some(1));
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_superseded_release_is_not_opened_again_by_a_replay() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let tagferry = scene.tagferry().await?;
    let older = scene.commit("Older").await?;
    let newer = scene.commit("Newer").await?;
    scene.push_to_all(&newer)?;
    assert_eq!(tagferry.outcome(&newer).await?.0, "merged");
    scene.push_to_all(&older)?;
    assert_eq!(tagferry.outcome(&older).await?.0, "superseded");
    for id in deliveries(&tagferry, "registry").await? {
        replay(&tagferry, &id).await?;
    }
    settled(&tagferry).await?;
    for commit in [&older, &newer] {
        let release = tagferry.release(commit).await?.context("no release")?;
        assert_eq!(field(&release, "promotions").as_array().map(Vec::len), Some(1), "{release}");
    }
    assert_eq!(scene.pull_requests().await?.len(), 1);
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_of_what_the_forge_said_only_looks_again() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Merged").await?;
    scene.push_to_all(&commit)?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    settled(&tagferry).await?;
    let id = deliveries(&tagferry, "github").await?.into_iter().next().context("the forge said nothing")?;
    scene.forge.clear_requests();
    let answer = replay(&tagferry, &id).await?;
    assert_eq!(answer["announcements"][0]["reason"], "replayed by e2e-releaser");
    settled(&tagferry).await?;
    let again = tagferry.get(&format!("/v1/deliveries/{id}")).await?;
    assert_eq!(again["announcements"][0]["reason"], "promotions into or from acme/trinity that are looked at: 0");
    assert!(scene.forge.mutations().is_empty(), "{:?}", scene.forge.mutations());
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_say_what_the_server_says_and_end_as_it_answers() -> Result<()> {
    let scene = Scene::start(SceneOptions { forge_webhooks: false, ..SceneOptions::default() }).await?;
    let tagferry = scene.tagferry().await?;
    let server = tagferry.url().to_owned();
    let image = scene.image("aws")?;
    for tag in ["latest", "v1"] {
        scene.push_tag("aws", tag, tag)?;
        tagferry.reason(&image, tag).await?;
    }
    let reason = "tag does not name a commit: latest is not of the form sha-{commit}";
    let (code, out, err) = run(&["deliveries", "--server", &server], Some(TOKEN)).await?;
    assert_eq!(code, Some(0), "{err}");
    assert!(out.starts_with("2  ") && out.contains("  registry\n"), "{out}");
    assert!(out.contains(&format!("    ignored  {image}:latest: {reason}\n")), "{out}");
    let (_, out, _) = run(&["deliveries", "--server", &server, "--limit", "1"], Some(TOKEN)).await?;
    assert!(out.starts_with("2  ") && out.ends_with("older ones: --before 2\n"), "{out}");
    let (_, out, _) = run(&["deliveries", "--server", &server, "--before", "2"], Some(TOKEN)).await?;
    assert!(out.starts_with("1  ") && !out.contains("older"), "{out}");
    let (_, out, _) = run(&["deliveries", "--server", &server, "--output", "json", "1"], Some(TOKEN)).await?;
    assert_eq!(serde_json::from_str::<Value>(&out)?, tagferry.get("/v1/deliveries/1").await?);

    for (arguments, token, code, part) in [
        (vec!["replay", "1"], Some(TOKEN), 1, "refuses it (403 Forbidden): a token with the role releaser or admin"),
        (
            vec!["replay", "1"],
            Some("wrong"),
            1,
            "refuses it (401 Unauthorized): a bearer token of api.tokens is needed",
        ),
        (vec!["replay", "77"], Some(RELEASER_TOKEN), 1, "refuses it (404 Not Found): there is no such delivery"),
        (vec!["deliveries", "77"], Some(TOKEN), 1, "refuses it (404 Not Found): there is no such delivery"),
        (vec!["deliveries"], None, 2, "a token is needed: the environment has no variable TAGFERRY_TOKEN"),
        (vec!["replay", "0"], Some(TOKEN), 2, "invalid value '0'"),
        (vec!["replay"], Some(TOKEN), 2, "<ID>"),
        (vec!["deliveries", "--limit", "201"], Some(TOKEN), 2, "201 is not in 1..=200"),
    ] {
        let (name, rest) = arguments.split_first().context("a command")?;
        let all = [&[*name, "--server", &server], rest].concat();
        let (ended, out, err) = run(&all, token).await?;
        assert_eq!((ended, out.as_str()), (Some(code), ""), "{all:?}: {err}");
        assert!(err.contains(part), "{all:?}: {err}");
    }
    let (ended, _, err) = run(&["deliveries", "--server", "ftp://x"], Some(TOKEN)).await?;
    assert!(ended == Some(2) && err.contains("it begins with https://"), "{err}");
    assert!(tagferry.terminate().await?);
    let (ended, _, err) = run(&["replay", "--server", &server, "1"], Some(RELEASER_TOKEN)).await?;
    assert!(ended == Some(3) && err.contains("can not be reached"), "{err}");
    for (command, example) in [("replay", "tagferry replay --server https://"), ("deliveries", "--limit 200")] {
        let (ended, out, _) = run(&[command, "--help"], None).await?;
        assert!(ended == Some(0) && out.contains(example) && out.contains("3 the server can not be reached"), "{out}");
    }
    scene.end().await;
    Ok(())
}
