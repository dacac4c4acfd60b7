//! Overlays that can not be edited: the promotion says so, the files stay as they are, and a repair is noticed.

use anyhow::Result;
use sandbox::Push;
use testkit::{Scene, SceneOptions, overlays, scene::GITOPS};

/// Puts `text` (or nothing) in the place of the gcp overlay, releases, and expects the sentence; then repairs it.
async fn check(text: Option<&str>, sentence: &str) -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let tagferry = scene.tagferry().await?;
    let path = overlays::path("gcp");
    put(&scene, text).await?;
    let commit = scene.commit("Into a broken overlay").await?;
    scene.push_to_all(&commit)?;
    let waiting = tagferry.waits_for(&commit, sentence).await?;
    assert!(scene.pull_requests().await?.is_empty(), "{waiting}");
    assert_eq!(scene.forge.read_file(GITOPS, "main", &path).await?.as_deref(), text);

    put(&scene, Some(overlays::GCP)).await?;
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    scene.end().await;
    Ok(())
}

async fn put(scene: &Scene, text: Option<&str>) -> Result<()> {
    let mut push = Push { branch: "main".to_owned(), ..Push::default() };
    push.files.insert(overlays::path("gcp"), text.map(str::to_owned));
    scene.forge.push(GITOPS, push).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_without_an_entry_for_the_image_is_waited_for() -> Result<()> {
    let without = overlays::GCP.replace("name: mandelbrot\n", "name: somebody-else\n");
    check(
        Some(&without),
        "apps/mandelbrot/overlays/gcp/kustomization.yaml: `images` at 3:1 has no entry named mandelbrot",
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_with_two_entries_of_the_same_name_is_waited_for() -> Result<()> {
    let twice = overlays::GCP.replace("images:\n", "images:\n- name: mandelbrot\n  newTag: other\n");
    check(Some(&twice), "two entries named mandelbrot").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_overlay_is_waited_for() -> Result<()> {
    check(None, "there is no directory apps/mandelbrot/overlays/gcp at the base branch").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_without_its_kustomization_is_waited_for() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let tagferry = scene.tagferry().await?;
    // A patch stays in the directory, so that it is there and holds no kustomization.
    let mut push = Push { branch: "main".to_owned(), ..Push::default() };
    push.files.insert(overlays::path("aws"), None);
    scene.forge.push(GITOPS, push).await?;
    let commit = scene.commit("Into an empty overlay").await?;
    scene.push_to_all(&commit)?;
    let waiting = tagferry.waits_for(&commit, "overlays/aws").await?;
    assert_eq!(
        waiting,
        "apps/mandelbrot/overlays/aws: the directory holds none of kustomization.yaml, kustomization.yml and Kustomization"
    );
    assert!(scene.pull_requests().await?.is_empty());
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_branch_that_is_gone_is_waited_for_with_a_sentence() -> Result<()> {
    let options = SceneOptions { base: "production", ..SceneOptions::default() };
    let scene = Scene::start(options).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Into nothing").await?;
    scene.push_to_all(&commit)?;
    let waiting = tagferry.waits_for(&commit, "production").await?;
    assert!(waiting.contains("acme/trinity"), "{waiting}");
    scene.forge.push(GITOPS, Push { branch: "production".to_owned(), ..Push::default() }.onto("main")).await?;
    assert_eq!(scene.open_pull_request().await?.base_branch, "production");
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlay_that_is_not_a_kustomization_is_waited_for() -> Result<()> {
    check(
        Some("- just\n- a list\n"),
        "apps/mandelbrot/overlays/gcp/kustomization.yaml: the kustomization is not a mapping at 1:1",
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn overlays_that_name_the_release_already_need_no_pull_request() -> Result<()> {
    let scene = Scene::start(SceneOptions::default()).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("By hand").await?;
    let mut push = Push { branch: "main".to_owned(), ..Push::default() };
    for target in ["aws", "gcp", "azure"] {
        let text =
            format!("images: [{{ name: mandelbrot, newName: {}, newTag: sha-{commit} }}]\n", scene.image(target)?);
        push.files.insert(overlays::path(target), Some(text));
    }
    scene.forge.push(GITOPS, push).await?;
    scene.push_to_all(&commit)?;
    let (outcome, reason) = tagferry.outcome(&commit).await?;
    assert_eq!(outcome, "already-current");
    assert_eq!(reason, "the overlays name this release already");
    assert!(scene.pull_requests().await?.is_empty());
    scene.end().await;
    Ok(())
}
