//! Amazon's token service, its metadata service, and the service of the registry.

use anyhow::Result;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::fault::Fault;
use registry::{Aws, AwsAddresses, AwsSource, Credentials};
use serde_json::json;
use url::Url;

use testkit::service::{Asked, Service as Cloud};

use crate::Scene;

const LENT: &str =
    r#"{"AccessKeyId":"ASIALENT","SecretAccessKey":"secret","Token":"session","Expiration":"2099-01-01T00:00:00Z"}"#;

/// What the registry's service answers.
fn token() -> String {
    let data = json!({
        "authorizationToken": STANDARD.encode("AWS:good"),
        "expiresAt": 4_000_000_000.5,
        "proxyEndpoint": "https://123456789012.dkr.ecr.eu-central-1.amazonaws.com",
    });
    json!({ "authorizationData": [data] }).to_string()
}

fn aws(source: AwsSource, addresses: AwsAddresses) -> Credentials {
    Credentials::Aws(Aws { region: Some("eu-central-1".to_owned()), source, addresses })
}

/// The request for the token is signed with those keys; the signature itself is held to Amazon's examples elsewhere.
fn expect_signed(asked: &Asked, url: &Url, key: &str) {
    assert_eq!((asked.line.as_str(), asked.body.as_str()), ("POST /", "{}"));
    assert_eq!(asked.header("x-amz-target"), "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken");
    assert_eq!(asked.header("content-type"), "application/x-amz-json-1.1");
    assert_eq!(asked.header("host"), format!("127.0.0.1:{}", url.port().expect("it has a port")));
    let day = asked.header("x-amz-date").get(..8).unwrap_or_default();
    let authorization = asked.header("authorization");
    let scope = format!("AWS4-HMAC-SHA256 Credential={key}/{day}/eu-central-1/ecr/aws4_request, SignedHeaders=");
    assert!(authorization.starts_with(&scope), "{authorization}");
    let signed = authorization.split("SignedHeaders=").nth(1).and_then(|rest| rest.split(',').next());
    let session = if asked.header("x-amz-security-token").is_empty() { "" } else { ";x-amz-security-token" };
    assert_eq!(signed, Some(format!("content-type;host;x-amz-date{session};x-amz-target").as_str()));
}

#[tokio::test]
async fn a_role_is_assumed_with_the_token_of_a_workload() -> Result<()> {
    let scene = Scene::set("AWS", "good").await?;
    let answer = "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
                  <SessionToken>session</SessionToken><SecretAccessKey>secret</SecretAccessKey>\
                  <AccessKeyId>ASIALENT</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult>\
                  </AssumeRoleWithWebIdentityResponse>";
    let (sts, ecr) = (Cloud::answering(&[(200, answer)]).await?, Cloud::answering(&[(200, &token())]).await?);
    let files = tempfile::TempDir::new()?;
    let token_file = files.path().join("token");
    std::fs::write(&token_file, "eyJ.workload\n")?;
    let role_arn = "arn:aws:iam::123456789012:role/tagferry".to_owned();
    let source = AwsSource::WebIdentity { role_arn, token_file };
    let addresses = AwsAddresses { sts: Some(sts.url.clone()), ecr: Some(ecr.url.clone()), ..AwsAddresses::default() };
    scene.expect_found(&scene.asked_as(aws(source, addresses))?).await?;
    let asked = sts.asked();
    assert_eq!((asked.len(), asked[0].line.as_str()), (1, "POST /"));
    for (field, value) in [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", "arn:aws:iam::123456789012:role/tagferry"),
        ("RoleSessionName", "tagferry"),
        ("WebIdentityToken", "eyJ.workload"),
    ] {
        assert_eq!(asked[0].field(field).as_deref(), Some(value), "{field}");
    }
    let asked = ecr.asked();
    assert_eq!((asked.len(), asked[0].header("x-amz-security-token")), (1, "session"));
    expect_signed(&asked[0], &ecr.url, "ASIALENT");
    Ok(())
}

#[tokio::test]
async fn a_machine_lends_its_role_by_the_second_version_of_its_service() -> Result<()> {
    let scene = Scene::set("AWS", "good").await?;
    let metadata = Cloud::answering(&[(200, "imds-token"), (200, "node-role"), (200, LENT)]).await?;
    let ecr = Cloud::answering(&[(200, &token())]).await?;
    let addresses =
        AwsAddresses { metadata: Some(metadata.url.clone()), ecr: Some(ecr.url.clone()), ..AwsAddresses::default() };
    scene.expect_found(&scene.asked_as(aws(AwsSource::Instance, addresses))?).await?;
    let asked = metadata.asked();
    let lines: Vec<&str> = asked.iter().map(|one| one.line.as_str()).collect();
    let at = "/latest/meta-data/iam/security-credentials/";
    assert_eq!(lines, ["PUT /latest/api/token".to_owned(), format!("GET {at}"), format!("GET {at}node-role")]);
    assert_eq!(asked[0].header("x-aws-ec2-metadata-token-ttl-seconds"), "300");
    assert!(asked.iter().skip(1).all(|one| one.header("x-aws-ec2-metadata-token") == "imds-token"));
    expect_signed(&ecr.asked()[0], &ecr.url, "ASIALENT");
    Ok(())
}

#[tokio::test]
async fn a_container_and_fixed_keys_are_as_good() -> Result<()> {
    let scene = Scene::set("AWS", "good").await?;
    let (container, ecr) = (Cloud::answering(&[(200, LENT)]).await?, Cloud::answering(&[(200, &token())]).await?);
    let files = tempfile::TempDir::new()?;
    let token_file = files.path().join("token");
    std::fs::write(&token_file, "pod-token")?;
    let addresses = AwsAddresses { ecr: Some(ecr.url.clone()), ..AwsAddresses::default() };
    let source = AwsSource::Container { url: container.url.join("v1/credentials")?, token_file: Some(token_file) };
    scene.expect_found(&scene.asked_as(aws(source, addresses.clone()))?).await?;
    assert_eq!(
        (container.asked()[0].line.as_str(), container.asked()[0].header("authorization")),
        ("GET /v1/credentials", "pod-token")
    );

    let source = AwsSource::Keys { id: "AKIAFIXED".to_owned(), secret: "secret".into(), session: None };
    scene.expect_found(&scene.asked_as(aws(source, addresses))?).await?;
    expect_signed(&ecr.asked()[1], &ecr.url, "AKIAFIXED");
    Ok(())
}

#[tokio::test]
async fn what_amazon_refuses_and_what_is_not_set_is_said() -> Result<()> {
    let scene = Scene::set("AWS", "good").await?;
    let keys = || AwsSource::Keys { id: "AKIAFIXED".to_owned(), secret: "hunter2".into(), session: None };
    for (status, body, fault, expected) in [
        (400, r#"{"__type":"AccessDeniedException"}"#, Fault::Permanent, "AccessDeniedException"),
        (500, "", Fault::Transient, "it answered 500"),
        (200, r#"{"authorizationData":[]}"#, Fault::Permanent, "its answer has no authorization token"),
    ] {
        let ecr = Cloud::answering(&[(status, body)]).await?;
        let addresses = AwsAddresses { ecr: Some(ecr.url.clone()), ..AwsAddresses::default() };
        let (error, said) = scene.failure(&scene.asked_as(aws(keys(), addresses))?).await;
        assert_eq!(error.fault(), fault, "{said}");
        assert!(said.contains(expected) && !said.contains("hunter2"), "{said}");
    }
    let nowhere = Credentials::Aws(Aws { region: None, source: keys(), addresses: AwsAddresses::default() });
    let (_, said) = scene.failure(&scene.asked_as(nowhere.clone())?).await;
    assert!(said.ends_with("set credentials.aws.region"), "{said}");
    assert!(!format!("{nowhere:?}").contains("hunter2"));
    Ok(())
}

/// Moto, which answers as Amazon's services do, as a process; it ends with the test.
struct Moto {
    _child: tokio::process::Child,
    url: Url,
}

impl Moto {
    async fn start() -> Result<Self> {
        let port = testkit::port::reserve()?.to_string();
        let child = tokio::process::Command::new("python3")
            .env("PYTHONPATH", testkit::binaries::tool("moto")?)
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port])
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let url: Url = format!("http://127.0.0.1:{port}/").parse()?;
        testkit::until("moto's answer", async || {
            Ok(reqwest::get(url.clone()).await.is_ok_and(|answer| answer.status().is_success()).then_some(()))
        })
        .await?;
        Ok(Self { _child: child, url })
    }
}

#[tokio::test]
async fn moto_takes_every_request_as_amazon_would() -> Result<()> {
    let moto = Moto::start().await?;
    // What moto gives out for its account.
    let scene = Scene::set("AWS", "123456789012-auth-token").await?;
    let files = tempfile::TempDir::new()?;
    let token_file = files.path().join("token");
    std::fs::write(&token_file, "eyJ.work.load")?;
    let role_arn = "arn:aws:iam::123456789012:role/tagferry".to_owned();
    let addresses =
        AwsAddresses { sts: Some(moto.url.clone()), ecr: Some(moto.url.clone()), ..AwsAddresses::default() };
    let fixed = AwsSource::Keys { id: "AKIAFIXED".to_owned(), secret: "secret".into(), session: None };
    for source in [AwsSource::WebIdentity { role_arn, token_file }, fixed] {
        scene.expect_found(&scene.asked_as(aws(source, addresses.clone()))?).await?;
    }
    Ok(())
}
