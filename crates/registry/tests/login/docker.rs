//! What Docker keeps.

use anyhow::Result;
use domain::fault::Fault;
use registry::{Credentials, Error};

use crate::Scene;

#[tokio::test]
async fn the_configuration_of_docker_is_read_again_when_its_credentials_are_refused() -> Result<()> {
    let scene = Scene::set("alice", "sesame").await?;
    let directory = tempfile::TempDir::new()?;
    let config = directory.path().join("config.json");
    let registries = scene.asked_as(Credentials::Docker { config: config.clone() })?;
    let (error, said) = scene.failure(&registries).await;
    assert!(matches!(error, Error::Credentials { .. }) && error.fault() == Fault::Permanent, "{error:?}");
    assert!(said.contains(".credentials`)") && said.contains("config.json"), "{said}");
    // `alice:stale`, and then `alice:sesame`.
    let write = |auth: &str| {
        let host = scene.sandbox.host();
        std::fs::write(&config, format!(r#"{{"auths":{{"http://{host}/v1/":{{"auth":"{auth}"}}}}}}"#))
    };
    write("YWxpY2U6c3RhbGU=")?;
    assert!(matches!(scene.failure(&registries).await.0, Error::Denied { .. }));
    write("YWxpY2U6c2VzYW1l")?;
    scene.expect_found(&registries).await
}

#[tokio::test]
async fn what_docker_does_not_know_is_said_without_what_it_knows() -> Result<()> {
    let scene = Scene::set("alice", "sesame").await?;
    let directory = tempfile::TempDir::new()?;
    let config = directory.path().join("config.json");
    let host = scene.sandbox.host();
    for (text, expected) in [
        ("not JSON: hunter2".to_owned(), "is not a configuration of Docker's"),
        (r#"{"auths":{"other.example":{"auth":"aHVudGVyMg=="}}}"#.to_owned(), "has no credentials for the registry"),
        (format!(r#"{{"auths":{{"{host}":{{"auth":"hunter2"}}}}}}"#), "is not a configuration of Docker's"),
        (format!(r#"{{"auths":{{"{host}":{{"identitytoken":"hunter2"}}}}}}"#), "an identity token is kept"),
        (r#"{"credsStore":"../hunter"}"#.to_owned(), "the credential helper has a name"),
        (r#"{"credsStore":"nobody-has-this"}"#.to_owned(), "running docker-credential-nobody-has-this"),
    ] {
        std::fs::write(&config, text)?;
        let registries = scene.asked_as(Credentials::Docker { config: config.clone() })?;
        let (_, said) = scene.failure(&registries).await;
        assert!(said.contains(expected) && !said.contains("hunter2"), "{said}");
    }
    Ok(())
}
