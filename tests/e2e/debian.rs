//! Debian's own registry with its notifications on, and skopeo as the client that pushes.

use anyhow::Result;
use testkit::{
    DockerRegistry, Scene, SceneOptions, port,
    scene::{REGISTRY_SECRET, TARGETS},
};

#[tokio::test(flavor = "multi_thread")]
async fn images_pushed_by_skopeo_to_docker_registry_become_one_merged_pull_request() -> Result<()> {
    let directory = tempfile::TempDir::new()?;
    let port = port::reserve()?;
    let url = format!("http://127.0.0.1:{port}/v1/hooks/registry");
    let docker = DockerRegistry::start(directory.path(), &url, REGISTRY_SECRET).await?;
    let options = SceneOptions {
        registry_host: Some(docker.host().to_owned()),
        port: Some(port),
        application: "    release: { pin_digest: true }\n".to_owned(),
        ..SceneOptions::default()
    };
    let scene = Scene::start(options).await?;
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Through the real registry").await?;
    let tag = format!("sha-{commit}");
    let image = sandbox::registry::Image::default().label("org.opencontainers.image.revision", &commit);
    let digest = scene.registry.push_image("staging/mandelbrot", &tag, &image)?;
    for (_, repository) in TARGETS {
        let from = format!("{}/staging/mandelbrot:{tag}", scene.registry.host());
        docker.copy(&from, repository, &tag).await?;
    }
    assert_eq!(tagferry.outcome(&commit).await?.0, "merged");
    assert_eq!(scene.pull_requests().await?.len(), 1);
    for (target, _) in TARGETS {
        let overlay = scene.overlay(target).await?;
        assert!(overlay.contains(&tag) && overlay.contains(digest.as_str()), "{target}: {overlay}");
        assert!(overlay.contains(docker.host()), "{target}: {overlay}");
    }
    docker.stop().await?;
    scene.end().await;
    Ok(())
}
