//! The registry with a client that many use.

use std::{fs, path::Path};

use domain::image::Digest;
use serde_json::{Value, json};
use tokio::process::Command;

use super::{
    super::{
        contents::digest,
        image::{EMPTY_ARCHIVE, compressed},
    },
    *,
};

/// Runs `skopeo` and gives what it says; `None` when it is not installed.
async fn skopeo(arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("skopeo");
    let output = command.arg("--insecure-policy").args(arguments).output().await;
    let output = match output {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skopeo is not installed: this test did not run");
            return None;
        }
        output => output.unwrap(),
    };
    let (out, err) = (output.stdout, String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "skopeo {arguments:?}: {err}");
    Some(String::from_utf8(out).unwrap())
}

/// Writes an image into a directory in the OCI image layout and gives its digest.
fn write_layout(directory: &Path, labels: &Value) -> Digest {
    let blobs = directory.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let write = |media_type: &str, bytes: &[u8]| {
        let digest = digest(bytes);
        let (_algorithm, name) = digest.as_str().split_once(':').unwrap();
        fs::write(blobs.join(name), bytes).unwrap();
        json!({ "mediaType": media_type, "digest": digest.as_str(), "size": bytes.len() })
    };
    let layer = write("application/vnd.oci.image.layer.v1.tar+gzip", &compressed());
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": { "Labels": labels },
        "rootfs": { "type": "layers", "diff_ids": [digest(&EMPTY_ARCHIVE).as_str()] },
    });
    let config = write("application/vnd.oci.image.config.v1+json", config.to_string().as_bytes());
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({
        "schemaVersion": 2, "mediaType": media_type, "config": config, "layers": [layer],
    });
    let mut manifest = write(media_type, manifest.to_string().as_bytes());
    let written = manifest["digest"].as_str().unwrap().parse().unwrap();
    manifest["annotations"] = json!({ "org.opencontainers.image.ref.name": "v1" });
    let index = json!({ "schemaVersion": 2, "manifests": [manifest] });
    fs::write(directory.join("index.json"), index.to_string()).unwrap();
    fs::write(directory.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    written
}

#[tokio::test]
async fn skopeo_pushes_an_image_and_finds_it_again() {
    let options = Options { user: Some(alice()), ..Options::default() };
    let scene = Scene::new(options).await;
    let directory = tempfile::tempdir().unwrap();
    let written = write_layout(directory.path(), &json!({ "a": "b" }));
    let from = format!("oci:{}:v1", directory.path().display());
    let to = format!("docker://{}/shop/app:v1", scene.registry.host());
    let credentials = "alice:sesame";
    let push = ["copy", "--dest-tls-verify=false", "--dest-creds", credentials, &from, &to];
    if skopeo(&push).await.is_none() {
        return;
    }
    let inspect = ["inspect", "--tls-verify=false", "--creds", credentials, &to];
    let seen: Value = serde_json::from_str(&skopeo(&inspect).await.unwrap()).unwrap();
    assert_eq!(seen["Digest"], written.as_str());
    assert_eq!(seen["Labels"], json!({ "a": "b" }));
    let back = format!("oci:{}:v1", directory.path().join("back").display());
    let pull = ["copy", "--src-tls-verify=false", "--src-creds", credentials, &to, &back];
    skopeo(&pull).await.unwrap();
    assert!(scene.registry.requests().iter().any(|one| one.method == "PATCH"));
    scene.registry.shutdown().await;
}

#[tokio::test]
async fn skopeo_copies_an_index_with_all_its_images() {
    let scene = Scene::new(Options::default()).await;
    let index = Image::default().platform("linux/amd64").platform("linux/arm64");
    let pushed = scene.registry.push_image("from", "v1", &index).unwrap();
    let from = format!("docker://{}/from:v1", scene.registry.host());
    let to = format!("docker://{}/to:v1", scene.registry.host());
    let copy = ["copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false", &from, &to];
    if skopeo(&copy).await.is_none() {
        return;
    }
    let head = scene.send("HEAD", "/v2/to/manifests/v1", "", 200).await;
    assert_eq!(header(&head, "docker-content-digest"), pushed.as_str());
    scene.registry.shutdown().await;
}
