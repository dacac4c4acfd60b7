//! A pushed tag becomes a merged pull request with three edited overlays.

use anyhow::{Context as _, Result};
use testkit::{Scene, SceneOptions, overlays};

#[tokio::test(flavor = "multi_thread")]
async fn a_push_to_three_registries_becomes_one_merged_pull_request() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Zoom deeper").await?;
    scene.push_to_all(&commit)?;
    let (outcome, _) = tagferry.outcome(&commit).await?;
    assert_eq!(outcome, "merged");

    let all = scene.pull_requests().await?;
    let [one] = all.as_slice() else { anyhow::bail!("one pull request was expected: {all:?}") };
    assert_eq!(one.state, "merged");
    assert_eq!(one.head_branch, format!("mandelbrot/deploy-{commit}"));
    assert_eq!(
        one.title,
        format!("release(mandelbrot): Zoom deeper ({}) → aws, gcp, azure", commit.get(..7).context("long")?)
    );
    assert_eq!(one.labels, ["release"]);
    let tag = format!("sha-{commit}");
    let aws = overlays::AWS
        .replace("registry.example/aws/mandelbrot", &scene.image("aws")?)
        .replace("sha-0000000000000000000000000000000000000000", &tag);
    assert_eq!(scene.overlay("aws").await?, aws);
    let gcp = overlays::GCP.replace("registry.example/gcp/mandelbrot", &scene.image("gcp")?).replace("bootstrap", &tag);
    assert_eq!(scene.overlay("gcp").await?, gcp);
    let azure = overlays::AZURE.replace(
        "registry.example/azure/mandelbrot\n    name: mandelbrot\n",
        &format!("{}\n    newTag: {tag}\n    name: mandelbrot\n", scene.image("azure")?),
    );
    assert_eq!(scene.overlay("azure").await?, azure);

    assert!(tagferry.terminate().await?, "it did not end with 0 after SIGTERM");
    scene.end().await;
    Ok(())
}
