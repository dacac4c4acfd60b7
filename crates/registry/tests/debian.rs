//! Debian's registry, which lets in whom its settings name: by password, and by the tokens of a service.

use std::{collections::BTreeMap, path::Path, time::Duration};

use anyhow::{Context as _, Result};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use domain::image::{Digest, Reference};
use oci_client::{
    Client,
    client::{ClientConfig, ClientProtocol},
};
use registry::{Access, Credentials, Error, Registries, Timeouts, Transport};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testkit::{images::DockerRegistry, service::Service};

const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(2), total: Duration::from_secs(10) };
const NAME: &str = "shop/app";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// `alice` with the password `sesame`, as `htpasswd -B` writes it.
const USERS: &str = "alice:$2b$04$rpEIzrJtAhY4FkzfWWsomO6GtQ9WluJTnDlkwM8XTpyn7Dk8aaEdi\n";

/// Pushes an image with those tags while the registry lets everybody in.
async fn fill(directory: &Path, tags: &[String]) -> Result<Digest> {
    let open = DockerRegistry::start(directory, "http://127.0.0.1:9/", "none").await?;
    let client = Client::try_from(ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() })?;
    let config = json!({ "os": "linux", "architecture": "amd64", "config": {} }).to_string().into_bytes();
    let place = oci_client::Reference::with_tag(open.host().to_owned(), NAME.to_owned(), "x".to_owned());
    let digest = |bytes: &[u8]| format!("sha256:{}", hex::encode(Sha256::digest(bytes)));
    client.push_blob(&place, config.clone(), &digest(&config)).await?;
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "layers": [],
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest(&config), "size": config.len() },
    });
    let bytes = manifest.to_string().into_bytes();
    for tag in tags {
        let place = oci_client::Reference::with_tag(open.host().to_owned(), NAME.to_owned(), tag.clone());
        client.push_manifest_raw(&place, bytes.clone(), MANIFEST.parse()?).await?;
    }
    Ok(digest(&bytes).parse()?)
}

fn registries(host: &str, credentials: Credentials) -> Result<Registries> {
    let access = Access { transport: Transport::Http, credentials, ..Access::default() };
    Ok(Registries::new(BTreeMap::from([(host.parse()?, access)]), TIMEOUTS)?)
}

fn reference(host: &str, tag: &str) -> Result<Reference> {
    Ok(Reference { repository: format!("{host}/{NAME}").parse()?, tag: tag.parse()? })
}

fn alice(password: &str) -> Credentials {
    Credentials::Basic { username: "alice".to_owned(), password: password.into() }
}

/// The image is found and looked into as somebody.
async fn expect_found(host: &str, credentials: Credentials, digest: &Digest) -> Result<()> {
    let (registries, asked) = (registries(host, credentials)?, reference(host, "v1")?);
    assert_eq!(registries.resolve(&asked).await?.as_ref(), Some(digest));
    assert_eq!(registries.resolve(&reference(host, "v2")?).await?, None);
    assert!(registries.inspect(&asked, digest).await?.is_some());
    assert!(registries.referrers(&asked, digest).await?.bundles.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_user_is_let_in_by_a_password() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let digest = fill(directory.path(), &["v1".to_owned()]).await?;
    let users = directory.path().join("htpasswd");
    std::fs::write(&users, USERS)?;
    let auth = format!("{{ htpasswd: {{ realm: registry, path: '{}' }} }}", users.display());
    let closed = DockerRegistry::start_closed(directory.path(), &auth).await?;
    expect_found(closed.host(), alice("sesame"), &digest).await?;
    for stranger in [alice("hunter2"), Credentials::Anonymous] {
        let error = registries(closed.host(), stranger)?.resolve(&reference(closed.host(), "v1")?).await.unwrap_err();
        assert!(matches!(error, Error::Denied { .. }), "{error:?}");
    }
    Ok(())
}

/// A token for pulling from the repository, signed as the registry's specification says
/// (<https://distribution.github.io/distribution/spec/auth/jwt/>), and the certificate that it is to be believed by.
fn token() -> Result<(String, String)> {
    let key = rcgen::KeyPair::generate()?;
    let certificate = rcgen::CertificateParams::new(vec!["tokens.example".to_owned()])?.self_signed(&key)?;
    let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).timestamp();
    let header = json!({ "typ": "JWT", "alg": "ES256", "x5c": [STANDARD.encode(certificate.der())] });
    let access = json!([{ "type": "repository", "name": NAME, "actions": ["pull"] }]);
    let claims = json!({
        "iss": "tokens.example", "sub": "alice", "aud": "registry.example", "jti": "1", "access": access,
        "iat": now, "nbf": now - 60, "exp": now + 600,
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let signer = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key.serialize_der())
        .ok()
        .context("the key can not sign")?;
    let signature = signer.sign(&SystemRandom::new(), signed.as_bytes()).ok().context("nothing was signed")?;
    Ok((format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)), certificate.pem()))
}

#[tokio::test]
async fn a_user_is_let_in_by_a_token_that_a_service_trades_for_the_password() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let digest = fill(directory.path(), &["v1".to_owned()]).await?;
    let (token, certificate) = token()?;
    let roots = directory.path().join("roots.pem");
    std::fs::write(&roots, certificate)?;
    let service = Service::answering(&[(200, &json!({ "token": token }).to_string())]).await?;
    let auth = format!(
        "{{ token: {{ realm: '{}token', service: registry.example, issuer: tokens.example, rootcertbundle: '{}' }} }}",
        service.url,
        roots.display()
    );
    let closed = DockerRegistry::start_closed(directory.path(), &auth).await?;
    expect_found(closed.host(), alice("sesame"), &digest).await?;
    let asked = service.asked().into_iter().next().context("nobody asked for a token")?;
    assert!(asked.line.starts_with("GET /token?"), "{}", asked.line);
    assert!(asked.line.contains("scope=repository%3Ashop%2Fapp%3Apull"), "{}", asked.line);
    assert!(asked.line.contains("service=registry.example"), "{}", asked.line);
    assert_eq!(asked.header("authorization"), format!("Basic {}", STANDARD.encode("alice:sesame")));

    for (status, is_denied) in [(401, true), (503, false)] {
        let broken = Service::answering(&[(status, "{}")]).await?;
        let auth = auth.replace(service.url.as_str(), broken.url.as_str());
        let closed = DockerRegistry::start_closed(directory.path(), &auth).await?;
        let asked = reference(closed.host(), "v1")?;
        let error = registries(closed.host(), alice("sesame"))?.resolve(&asked).await.unwrap_err();
        assert_eq!(matches!(error, Error::Denied { .. }), is_denied, "{status} {error:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_tag_is_found_among_two_thousand() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let tags: Vec<String> = (0..2_000).map(|number| format!("sha-{number:040}")).collect();
    let digest = fill(directory.path(), &tags).await?;
    let open = DockerRegistry::start(directory.path(), "http://127.0.0.1:9/", "none").await?;
    let registries = registries(open.host(), Credentials::Anonymous)?;
    for tag in [tags.first(), tags.get(1_000), tags.last()].into_iter().flatten() {
        assert_eq!(registries.resolve(&reference(open.host(), tag)?).await?.as_ref(), Some(&digest));
    }
    assert_eq!(registries.resolve(&reference(open.host(), "sha-2000")?).await?, None);
    Ok(())
}
