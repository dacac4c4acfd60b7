//! What workflows of GitHub Actions report, with the sandbox as the issuer of their tokens.

use anyhow::{Context as _, Result, ensure};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use testkit::{
    Scene, SceneOptions, Tagferry,
    binaries::program,
    scene::{SOURCE, TARGETS},
};
use tokio::process::Command;

const AUDIENCE: &str = "https://tagferry.example.com";

/// A scene whose workflows may report builds, and whose registry tells nothing by itself.
pub(crate) async fn opened() -> Result<(Scene, Tagferry)> {
    opened_with("").await
}

/// The same with more settings of the application.
pub(crate) async fn opened_with(application: &str) -> Result<(Scene, Tagferry)> {
    let options = SceneOptions { application: application.to_owned(), ..SceneOptions::default() };
    let scene = Scene::start(options).await?;
    scene.registry.set_notifications("http://127.0.0.1:1/", None);
    let config = std::fs::read_to_string(scene.config())?;
    let issuer = format!("{}/_actions", scene.forge.url());
    let actions =
        format!("github:\n  actions: {{ audience: '{AUDIENCE}', issuer: '{issuer}', refs: [refs/heads/main] }}\n");
    std::fs::write(scene.config(), config.replacen("github:\n", &actions, 1))?;
    let tagferry = scene.tagferry().await?;
    Ok((scene, tagferry))
}

/// The token of a job; `more` is added to the query that describes it.
pub(crate) async fn token(scene: &Scene, commit: &str, more: &str) -> Result<String> {
    let url =
        format!("{}/_actions/token?audience={AUDIENCE}&repository={SOURCE}&sha={commit}{more}", scene.forge.url());
    let answer: Value = Client::new().get(url).bearer_auth("runner").send().await?.json().await?;
    Ok(answer.get("value").and_then(Value::as_str).context("there is no token")?.to_owned())
}

pub(crate) async fn post(tagferry: &Tagferry, token: Option<&str>, body: &Value) -> Result<(StatusCode, Value)> {
    let mut request = Client::new().post(format!("{}/v1/builds", tagferry.url())).json(body);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await?;
    Ok((answer.status(), answer.json().await?))
}

pub(crate) fn build(scene: &Scene, target: &str, commit: &str) -> Result<Value> {
    Ok(json!({
        "cloud": target, "repository": SOURCE, "tags": [format!("sha-{commit}")], "images": [scene.image(target)?],
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_reports_three_builds_gets_one_merged_pull_request() -> Result<()> {
    let (scene, tagferry) = opened().await?;
    let commit = scene.commit("Told by its workflow").await?;
    let mut builds = Vec::new();
    for (target, _) in TARGETS {
        scene.push(target, &commit)?;
        builds.push(build(&scene, target, &commit)?);
    }
    let token = token(&scene, &commit, "").await?;
    let (status, answer) = post(&tagferry, Some(&token), &json!(builds)).await?;
    assert_eq!((status, &answer["announcements"]), (StatusCode::ACCEPTED, &json!(3)), "{answer}");
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    assert_eq!(scene.pull_requests().await?.len(), 1);

    let (status, again) = post(&tagferry, Some(&token), &json!(builds)).await?;
    assert_eq!((status, &again["repeated"]), (StatusCode::ACCEPTED, &json!(true)), "{again}");
    assert_eq!(again["delivery"], answer["delivery"]);
    let (status, other) = post(&tagferry, Some(&token), &builds[0]).await?;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(other["detail"], "the token was used already, for another report");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn check_says_where_builds_are_reported() -> Result<()> {
    let (scene, _tagferry) = opened().await?;
    let output = Command::new(program("tagferry")?).arg("check").arg("--config").arg(scene.config()).output().await?;
    let said = String::from_utf8(output.stdout)?;
    let expected = format!(
        "/v1/builds  GitHub Actions\n      to: the input url of the action deploy/github-action, which adds the path itself\n      \
         credential: the identity token of the run, made for the audience {AUDIENCE}\n"
    );
    assert!(said.ends_with(&expected), "{said}");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_without_a_token_that_counts_is_refused_before_it_is_read() -> Result<()> {
    let (scene, tagferry) = opened().await?;
    let commit = scene.commit("Nobody's").await?;
    let body = build(&scene, "aws", &commit)?;
    let foreign = token(&scene, &commit, "&event_name=pull_request").await?;
    let branch = token(&scene, &commit, "&ref=refs/heads/smooth").await?;
    let good = token(&scene, &commit, "").await?;
    let (claims, _) = branch.rsplit_once('.').context("a token has three parts")?;
    let (_, signature) = good.rsplit_once('.').context("a token has three parts")?;
    let tampered = format!("{claims}.{signature}");
    for (token, status, detail) in [
        (None, 401, "the identity token of a workflow's run is needed, as a bearer token"),
        (Some("e2e-viewer-token"), 401, "this is no JSON Web Token"),
        (Some(tampered.as_str()), 401, "the token's signature is wrong"),
        (
            Some(&foreign),
            403,
            "workflows that were started by pull_request may not report builds (github.actions.events)",
        ),
        (Some(&branch), 403, "workflows that run on refs/heads/smooth may not report builds (github.actions.refs)"),
    ] {
        let (answered, answer) = post(&tagferry, token, &body).await?;
        assert_eq!((answered.as_u16(), answer["detail"].as_str()), (status, Some(detail)));
    }
    let (status, answer) = post(&tagferry, Some(&good), &json!("nonsense")).await?;
    assert_eq!(
        (status.as_u16(), &answer["detail"]),
        (400, &json!("body: the body is neither a build nor a list of builds"))
    );
    let other = build(&scene, "aws", &"2e".repeat(20))?;
    let (status, answer) = post(&tagferry, Some(&good), &json!([other])).await?;
    let short = commit.get(..7).unwrap_or_default();
    let reason = format!("tags: sha-{} names commit 2e2e2e2, and the token was made for {}", "2e".repeat(20), short);
    assert_eq!((status.as_u16(), &answer["unusable"]), (202, &json!([reason])));
    assert!(!tagferry.log().contains(&good), "a token is in the log");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_action_reports_what_a_job_has_pushed() -> Result<()> {
    let (scene, tagferry) = opened().await?;
    let commit = scene.commit("By the action").await?;
    for (target, _) in TARGETS {
        scene.push(target, &commit)?;
        let said = act(&scene, &tagferry, target, &format!("sha-{commit}, latest\n"), &commit).await?;
        assert!(said.contains("2 images are announced, as delivery "), "{said}");
    }
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    let refused = act(&scene, &tagferry, "gcp", &format!("sha-{}", "2e".repeat(20)), &commit).await;
    let refused = refused.err().context("a foreign commit was taken")?.to_string();
    assert!(refused.contains("::error title=Tagferry::nothing of the report could be taken"), "{refused}");
    assert!(refused.contains("names commit 2e2e2e2"), "{refused}");
    scene.end().await;
    Ok(())
}

/// Runs the action's script as a runner would; what it says, as an error when it fails.
async fn act(scene: &Scene, tagferry: &Tagferry, target: &str, tags: &str, commit: &str) -> Result<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/github-action/report.sh");
    let request = format!("{}/_actions/token?repository={SOURCE}&sha={commit}", scene.forge.url());
    let file = |name: &str| scene.directory().join(name);
    let output = Command::new("bash")
        .arg(script)
        .env("ACTIONS_ID_TOKEN_REQUEST_URL", request)
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "runner")
        .env("GITHUB_OUTPUT", file("output"))
        .env("GITHUB_STEP_SUMMARY", file("summary"))
        .envs([("TAGFERRY_URL", tagferry.url()), ("TAGFERRY_AUDIENCE", AUDIENCE), ("TAGFERRY_REPOSITORY", SOURCE)])
        .envs([("TAGFERRY_CLOUD", target), ("TAGFERRY_TAGS", tags), ("TAGFERRY_RUN_URL", "https://github.com/runs/1")])
        .env("TAGFERRY_IMAGES", scene.image(target)?)
        .output()
        .await
        .context("running bash")?;
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    ensure!(output.status.success(), "{said}");
    ensure!(std::fs::read_to_string(file("output"))?.contains("delivery="), "{said}");
    ensure!(std::fs::read_to_string(file("summary"))?.contains("### Tagferry"), "{said}");
    Ok(said)
}
