//! The programs as people start them.

use std::process::Output;

use anyhow::Result;
use testkit::{Scene, SceneOptions, binaries::program};
use tokio::process::Command;

async fn run(name: &str, arguments: &[&str]) -> Result<(bool, String, String)> {
    let Output { status, stdout, stderr } = Command::new(program(name)?).args(arguments).output().await?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok((status.success(), text(stdout), text(stderr)))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_tells_its_story_to_the_end() -> Result<()> {
    let (success, out, err) = run("demo", &["--once"]).await?;
    assert!(success, "{out}\n{err}");
    for told in ["#1 is in main as", "pull-request tag", "superseded by", "is not on an allowed branch", "all as told"]
    {
        assert!(out.contains(told), "{told} is missing: {out}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn check_names_the_address_of_each_sender_and_the_setting_that_is_wrong() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let path = scene.config();
    let config = path.display().to_string();
    let (success, out, err) = run("tagferry", &["check", "--config", &config]).await?;
    assert!(success, "{err}");
    assert!(out.contains("/v1/hooks/registry  distribution") && out.contains("/v1/hooks/github  github"), "{out}");

    let good = std::fs::read_to_string(&path)?;
    for (right, wrong, part) in [
        ("deadline: 30m", "deadline: never", "\"never\" is not a duration like 30m"),
        ("registry-secret'", "no-such-file'", "senders.registry.secrets: reading the secret in"),
        ("applications:", "aplications:", "unknown field `aplications`"),
    ] {
        let good = good.replace("    image: mandelbrot\n", "    image: mandelbrot\n    release: { deadline: 30m }\n");
        assert!(good.contains(right), "{right}");
        std::fs::write(&path, good.replace(right, wrong))?;
        let (success, _, err) = run("tagferry", &["check", "--config", &config]).await?;
        assert!(!success && err.contains(part), "{wrong}: {err}");
    }
    let (success, _, err) = run("tagferry", &["serve", "--config", "/no/such/file.yaml"]).await?;
    assert!(!success && err.contains("reading the configuration /no/such/file.yaml"), "{err}");
    scene.end().await;
    Ok(())
}
