//! Azure's directory, its metadata service, and the exchange at the registry.

use anyhow::Result;
use registry::{Azure, AzureSource, Credentials, Error};

use testkit::service::Service as Cloud;

use crate::Scene;

const NOBODY: &str = "00000000-0000-0000-0000-000000000000";
const EXCHANGED: (u16, &str) = (200, r#"{"refresh_token":"refresh.good"}"#);

#[tokio::test]
async fn the_token_of_a_workload_is_exchanged_twice() -> Result<()> {
    let scene = Scene::set(NOBODY, "refresh.good").await?;
    let directory =
        Cloud::answering(&[(200, r#"{"token_type":"Bearer","expires_in":3599,"access_token":"eyJ.aad"}"#)]).await?;
    let exchange = Cloud::answering(&[EXCHANGED]).await?;
    let files = tempfile::TempDir::new()?;
    let token_file = files.path().join("token");
    std::fs::write(&token_file, "eyJ.workload\n")?;
    let source = AzureSource::WorkloadIdentity {
        tenant: "tenant-1".to_owned(),
        client: "client-1".to_owned(),
        token_file,
        authority: directory.url.clone(),
    };
    let azure = Azure { source, metadata: None, exchange: Some(exchange.url.clone()) };
    scene.expect_found(&scene.asked_as(Credentials::Azure(azure))?).await?;
    let asked = directory.asked();
    assert_eq!((asked.len(), asked[0].line.as_str()), (1, "POST /tenant-1/oauth2/v2.0/token"));
    for (field, value) in [
        ("grant_type", "client_credentials"),
        ("client_id", "client-1"),
        ("scope", "https://containerregistry.azure.net/.default"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", "eyJ.workload"),
    ] {
        assert_eq!(asked[0].field(field).as_deref(), Some(value), "{field}");
    }
    expect_exchanged(&scene, &exchange);
    Ok(())
}

#[tokio::test]
async fn the_identity_of_a_machine_is_exchanged() -> Result<()> {
    let scene = Scene::set(NOBODY, "refresh.good").await?;
    for (client, query) in [(None, ""), (Some("client-1"), "&client_id=client-1")] {
        let metadata = Cloud::answering(&[(200, r#"{"access_token":"eyJ.aad","expires_in":"3599"}"#)]).await?;
        let exchange = Cloud::answering(&[EXCHANGED]).await?;
        let source = AzureSource::ManagedIdentity { client: client.map(str::to_owned) };
        let azure = Azure { source, metadata: Some(metadata.url.clone()), exchange: Some(exchange.url.clone()) };
        scene.expect_found(&scene.asked_as(Credentials::Azure(azure))?).await?;
        let path = "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fcontainerregistry.azure.net%2F";
        let asked = metadata.asked();
        assert_eq!((asked.len(), asked[0].line.clone()), (1, format!("GET {path}{query}")));
        assert_eq!(asked[0].header("metadata"), "true");
        expect_exchanged(&scene, &exchange);
    }
    Ok(())
}

fn expect_exchanged(scene: &Scene, exchange: &Cloud) {
    let mut all = exchange.asked();
    let asked = all.pop().expect("it was asked");
    assert!(all.is_empty(), "it was asked more than once");
    assert_eq!(asked.line, "POST /oauth2/exchange");
    let service = scene.sandbox.host();
    for (field, value) in [("grant_type", "access_token"), ("service", service), ("access_token", "eyJ.aad")] {
        assert_eq!(asked.field(field).as_deref(), Some(value), "{field}");
    }
}

#[tokio::test]
async fn a_registry_that_refuses_the_exchange_is_named() -> Result<()> {
    let scene = Scene::set(NOBODY, "refresh.good").await?;
    let metadata = Cloud::answering(&[(200, r#"{"access_token":"eyJ.hunter2"}"#)]).await?;
    let exchange = Cloud::answering(&[(401, r#"{"errors":[{"code":"UNAUTHORIZED"}]}"#)]).await?;
    let source = AzureSource::ManagedIdentity { client: None };
    let azure = Azure { source, metadata: Some(metadata.url.clone()), exchange: Some(exchange.url.clone()) };
    let (error, said) = scene.failure(&scene.asked_as(Credentials::Azure(azure))?).await;
    assert!(matches!(error, Error::Credentials { .. }), "{error:?}");
    assert!(said.contains("asking the registry for credentials: it answered 401"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    Ok(())
}
