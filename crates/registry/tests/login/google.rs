//! Google's metadata server and its exchange of other identities.

use anyhow::Result;
use domain::fault::Fault;
use registry::{Credentials, Error, Google, GoogleSource};
use serde_json::json;

use testkit::service::Service as Cloud;

use crate::Scene;

fn of_machine(cloud: &Cloud) -> Credentials {
    Credentials::Google(Google { source: GoogleSource::Metadata, metadata: Some(cloud.url.clone()) })
}

#[tokio::test]
async fn the_metadata_server_is_asked_once_for_a_token_that_is_good_for_some_time() -> Result<()> {
    let scene = Scene::set("oauth2accesstoken", "ya29.good").await?;
    let cloud =
        Cloud::answering(&[(200, r#"{"access_token":"ya29.good","expires_in":3599,"token_type":"Bearer"}"#)]).await?;
    let registries = scene.asked_as(of_machine(&cloud))?;
    scene.expect_found(&registries).await?;
    let asked = cloud.asked();
    assert_eq!(asked.len(), 1, "it is kept");
    assert_eq!(asked[0].line, "GET /computeMetadata/v1/instance/service-accounts/default/token");
    assert_eq!(asked[0].header("metadata-flavor"), "Google");
    Ok(())
}

#[tokio::test]
async fn a_token_is_asked_for_anew_shortly_before_its_end_and_once_when_it_is_refused() -> Result<()> {
    let scene = Scene::set("oauth2accesstoken", "ya29.good").await?;
    let short = r#"{"access_token":"ya29.good","expires_in":100}"#;
    let cloud = Cloud::answering(&[(200, short)]).await?;
    let registries = scene.asked_as(of_machine(&cloud))?;
    scene.expect_found(&registries).await?;
    assert_eq!(cloud.asked().len(), 3, "what ends soon is not used again");

    let (stale, good) = (short.replace("good", "stale").replace("100", "3600"), short.replace("100", "3600"));
    let cloud = Cloud::answering(&[(200, &stale), (200, &stale), (200, &good)]).await?;
    let registries = scene.asked_as(of_machine(&cloud))?;
    assert!(matches!(scene.failure(&registries).await.0, Error::Denied { .. }));
    assert_eq!(cloud.asked().len(), 1, "what was just given out is not asked for again at once");
    assert!(matches!(scene.failure(&registries).await.0, Error::Denied { .. }));
    assert_eq!(cloud.asked().len(), 2);
    scene.expect_found(&registries).await?;
    assert_eq!(cloud.asked().len(), 3);
    Ok(())
}

#[tokio::test]
async fn whoever_has_no_token_is_told_apart_from_whoever_does_not_answer() -> Result<()> {
    let scene = Scene::set("oauth2accesstoken", "ya29.good").await?;
    for (status, body, fault, expected) in [
        (503, "{}", Fault::Transient, "it answered 503"),
        (429, "{}", Fault::Transient, "it answered 429"),
        (404, "no account", Fault::Permanent, "the metadata server for credentials: it answered 404: no account"),
        (200, r#"{"token":"hunter2"}"#, Fault::Permanent, "its answer has no access token"),
        (302, "", Fault::Permanent, "it answered 302"),
    ] {
        let cloud = Cloud::answering(&[(status, body)]).await?;
        let (error, said) = scene.failure(&scene.asked_as(of_machine(&cloud))?).await;
        assert_eq!(error.fault(), fault, "{said}");
        assert!(said.contains(expected) && !said.contains("hunter2"), "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn another_providers_identity_is_exchanged_and_lends_an_account() -> Result<()> {
    let scene = Scene::set("oauth2accesstoken", "ya29.lent").await?;
    let sts = Cloud::answering(&[(200, r#"{"access_token":"ya29.federated","expires_in":3600}"#)]).await?;
    let lent = json!({ "accessToken": "ya29.lent", "expireTime": "2099-01-01T00:00:00Z" }).to_string();
    let iam = Cloud::answering(&[(200, &lent)]).await?;
    let directory = tempfile::TempDir::new()?;
    let (config, token) = (directory.path().join("wif.json"), directory.path().join("token"));
    for (format, text) in [
        (json!({ "type": "text" }), "eyJ.subject\n".to_owned()),
        (json!({ "type": "json", "subject_token_field_name": "jwt" }), json!({ "jwt": "eyJ.subject" }).to_string()),
    ] {
        std::fs::write(&token, text)?;
        let external = json!({
            "type": "external_account",
            "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": sts.url.join("v1/token")?.as_str(),
            "service_account_impersonation_url": iam.url.join("v1/a:generateAccessToken")?.as_str(),
            "credential_source": { "file": token, "format": format },
        });
        std::fs::write(&config, external.to_string())?;
        let source = GoogleSource::ExternalAccount(config.clone());
        scene.expect_found(&scene.asked_as(Credentials::Google(Google { source, metadata: None }))?).await?;
        let asked = sts.asked().pop().expect("it was asked");
        assert_eq!(asked.line, "POST /v1/token");
        for (field, value) in [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("subject_token", "eyJ.subject"),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
            ("scope", "https://www.googleapis.com/auth/cloud-platform"),
        ] {
            assert_eq!(asked.field(field).as_deref(), Some(value), "{field}");
        }
        let asked = iam.asked().pop().expect("it was asked");
        assert_eq!(
            (asked.line.as_str(), asked.header("authorization")),
            ("POST /v1/a:generateAccessToken", "Bearer ya29.federated")
        );
    }
    std::fs::write(&config, r#"{"type":"service_account","private_key":"hunter2"}"#)?;
    let source = GoogleSource::ExternalAccount(config);
    let (_, said) = scene.failure(&scene.asked_as(Credentials::Google(Google { source, metadata: None }))?).await;
    assert!(
        said.contains("the configuration of an external account was expected") && !said.contains("hunter2"),
        "{said}"
    );
    Ok(())
}
