//! The API by its own description: whatever is asked, nothing is answered that is not in `/openapi.json`, and nothing
//! breaks.

use anyhow::{Context as _, Result, ensure};
use reqwest::Client;
use serde_json::Value;
use testkit::{
    scene::{REGISTRY_SECRET, TARGETS},
    tagferry::RELEASER_TOKEN,
};
use tokio::process::Command;

use crate::builds;

/// What `/openapi.json` has to describe; one that is missing would not be tried.
const OPERATIONS: [&str; 11] = [
    "get /healthz",
    "get /readyz",
    "get /v1/applications",
    "get /v1/deliveries",
    "get /v1/deliveries/{id}",
    "get /v1/releases",
    "get /v1/releases/{id}",
    "options /v1/hooks/{sender}",
    "post /v1/builds",
    "post /v1/deliveries/{id}/replay",
    "post /v1/hooks/{sender}",
];

/// How many requests are made of each operation in each phase, at most.
const EXAMPLES: &str = "60";

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_asked_the_answer_is_in_the_document_and_none_is_a_failure() -> Result<()> {
    let (scene, tagferry) = builds::opened().await?;
    let commit = scene.commit("To be found").await?;
    for (target, _) in TARGETS {
        scene.push(target, &commit)?;
    }
    let reported = builds::token(&scene, &commit, "").await?;
    for (target, _) in TARGETS {
        builds::post(
            &tagferry,
            Some(&builds::token(&scene, &commit, "").await?),
            &builds::build(&scene, target, &commit)?,
        )
        .await?;
    }
    tagferry.outcome(&commit).await?;

    let document: Value = Client::new().get(format!("{}/openapi.json", tagferry.url())).send().await?.json().await?;
    assert_eq!(operations(&document), OPERATIONS);
    let settings = scene.directory().join("schemathesis.toml");
    std::fs::write(&settings, self::settings(&reported))?;
    let output = Command::new("python3")
        .env("PYTHONPATH", testkit::binaries::tool("schemathesis")?)
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(&settings)
        .args(["run", &format!("{}/openapi.json", tagferry.url()), "--max-examples", EXAMPLES])
        .args(["--continue-on-failure", "--no-color"])
        .current_dir(scene.directory())
        .output()
        .await
        .context("running python3")?;
    // It prints the seed that makes the same requests again.
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let tried = format!("{} selected / {} total", OPERATIONS.len(), OPERATIONS.len());
    ensure!(said.contains(&tried), "not every operation was tried: {said}");
    ensure!(!tagferry.log().contains("panicked"), "something panicked");
    scene.end().await;
    Ok(())
}

/// The operations of a document, sorted.
fn operations(document: &Value) -> Vec<String> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let mut all: Vec<String> = paths
        .flat_map(|(path, methods)| {
            methods.as_object().into_iter().flatten().map(move |(method, _)| format!("{method} {path}"))
        })
        .collect();
    all.sort();
    all
}

/// Who asks, and what there is to ask for.
fn settings(identity: &str) -> String {
    format!(
        r#"
[headers]
Authorization = "Bearer {RELEASER_TOKEN}"

[dictionaries]
ids.values = ["1", "2", "3"]
senders.values = ["registry"]

[parameters]
"path.id" = {{ dictionary = "ids", probability = 0.7 }}
"path.sender" = {{ dictionary = "senders", probability = 0.7 }}

[[operations]]
include-name = "POST /v1/builds"
headers = {{ Authorization = "Bearer {identity}" }}

[[operations]]
include-name = "POST /v1/hooks/{{sender}}"
headers = {{ Authorization = "{REGISTRY_SECRET}" }}

# It is for Event Grid, and no sender of the scene is that.
[[operations]]
include-name = "OPTIONS /v1/hooks/{{sender}}"
checks.positive_data_acceptance.enabled = false
"#
    )
}
