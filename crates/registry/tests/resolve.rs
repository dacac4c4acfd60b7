//! What a tag is, asked of a real registry over a socket.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as the test does")]

use std::{collections::BTreeMap, time::Duration};

use domain::{
    fault::Fault,
    image::{Digest, Host, Reference},
};
use oci_client::{
    Client,
    client::{ClientConfig, ClientProtocol, Config, ImageLayer},
    manifest::OciImageManifest,
    secrets::RegistryAuth,
};
use registry::{Access, Credentials, Error, Registries, Timeouts, Transport};
use sandbox::registry::{self as double, Image, Options, SandboxRegistry, User};

const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(2), total: Duration::from_secs(5) };

async fn start() -> SandboxRegistry {
    SandboxRegistry::start(Options::default()).await.unwrap()
}

fn registries(sandbox: &SandboxRegistry, credentials: Credentials, timeouts: Timeouts) -> Registries {
    let host: Host = sandbox.host().parse().unwrap();
    let access = Access { transport: Transport::Http, credentials, ..Access::default() };
    Registries::new(BTreeMap::from([(host, access)]), timeouts).unwrap()
}

fn reference(sandbox: &SandboxRegistry, name: &str, tag: &str) -> Reference {
    Reference { repository: format!("{}/{name}", sandbox.host()).parse().unwrap(), tag: tag.parse().unwrap() }
}

/// Asks anonymously what `shop/app:v1` is.
async fn resolve(sandbox: &SandboxRegistry) -> Result<Option<Digest>, Error> {
    registries(sandbox, Credentials::Anonymous, TIMEOUTS).resolve(&reference(sandbox, "shop/app", "v1")).await
}

fn basic(password: &str) -> Credentials {
    Credentials::Basic { username: "alice".to_owned(), password: password.into() }
}

/// Answers everything with a status and tells what becomes of the question.
async fn check_status(status: u16, fault: Fault, message: &str) {
    let sandbox = start().await;
    sandbox.push_image("shop/app", "v1", &Image::default()).unwrap();
    sandbox.add_fault(double::Fault::answer("/v2/shop/", 9, status, &[("retry-after", "7")]));
    let error = resolve(&sandbox).await.unwrap_err();
    assert_eq!(error.fault(), fault, "{status}: {error:?}");
    let text = error.to_string().replace(sandbox.host(), "HOST");
    assert_eq!(text, message, "{status}");
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_tag_has_the_digest_that_it_was_pushed_with() {
    let sandbox = start().await;
    let pushed = sandbox.push_image("shop/app", "v1", &Image::default()).unwrap();
    assert_eq!(resolve(&sandbox).await.unwrap(), Some(pushed));
    let moved = Image::default().label("moved", "yes");
    let pushed = sandbox.push_image("shop/app", "v1", &moved).unwrap();
    assert_eq!(resolve(&sandbox).await.unwrap(), Some(pushed));
    sandbox.shutdown().await;
}

#[tokio::test]
async fn what_another_client_pushed_has_the_digest_that_it_computed() {
    let sandbox = start().await;
    let config = ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() };
    let client = Client::try_from(config).unwrap();
    let reference = format!("{}/shop/app:v1", sandbox.host()).parse().unwrap();
    let layers = [ImageLayer::oci_v1(vec![0; 1024], None)];
    let config = Config::oci_v1(&b"{}"[..], None);
    let manifest = OciImageManifest::build(&layers, &config, None);
    client.push(&reference, &layers, config, &RegistryAuth::Anonymous, Some(manifest)).await.unwrap();
    let (_manifest, digest) = client.pull_image_manifest(&reference, &RegistryAuth::Anonymous).await.unwrap();
    assert_eq!(resolve(&sandbox).await.unwrap().unwrap().as_str(), digest);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_tag_of_an_index_has_the_digest_of_the_index() {
    let sandbox = start().await;
    let index = Image::default().platform("linux/amd64").platform("linux/arm64");
    let pushed = sandbox.push_image("shop/app", "v1", &index).unwrap();
    assert_eq!(resolve(&sandbox).await.unwrap(), Some(pushed));
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_missing_tag_and_a_missing_repository_are_no_error() {
    let sandbox = start().await;
    assert_eq!(resolve(&sandbox).await.unwrap(), None);
    sandbox.push_image("shop/app", "v2", &Image::default()).unwrap();
    assert_eq!(resolve(&sandbox).await.unwrap(), None);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn credentials_are_good_or_are_named() {
    let user = User { name: "alice".to_owned(), password: "sesame".to_owned() };
    let options = Options { user: Some(user), ..Options::default() };
    let sandbox = SandboxRegistry::start(options).await.unwrap();
    let pushed = sandbox.push_image("shop/app", "v1", &Image::default()).unwrap();
    let asked = reference(&sandbox, "shop/app", "v1");
    let good = registries(&sandbox, basic("sesame"), TIMEOUTS);
    assert_eq!(good.resolve(&asked).await.unwrap(), Some(pushed));
    for bad in [basic("sesam"), Credentials::Anonymous] {
        let error = registries(&sandbox, bad, TIMEOUTS).resolve(&asked).await.unwrap_err();
        assert_eq!(error.fault(), Fault::Permanent);
        assert_eq!(
            error.to_string(),
            format!("asking what {asked} is: the registry refused us; see `registries.{}.credentials`", sandbox.host())
        );
    }
    sandbox.shutdown().await;
}

#[tokio::test]
async fn what_a_registry_answers_decides_about_trying_again() {
    let limited = Fault::Limited { retry_after: Some(Duration::from_secs(7)) };
    check_status(429, limited, "asking what HOST/shop/app:v1 is: the registry asked us to slow down").await;
    for status in [500, 502, 503] {
        check_status(
            status,
            Fault::Transient,
            "asking what HOST/shop/app:v1 is: the registry could not be reached or failed",
        )
        .await;
    }
    for status in [401, 403] {
        check_status(
            status,
            Fault::Permanent,
            "asking what HOST/shop/app:v1 is: the registry refused us; see `registries.HOST.credentials`",
        )
        .await;
    }
    check_status(400, Fault::Permanent, "asking what HOST/shop/app:v1 is: the registry refused the question").await;
}

#[tokio::test]
async fn a_registry_that_does_not_answer_is_not_waited_for() {
    let sandbox = start().await;
    sandbox.add_fault(double::Fault::delay("/v2/", 1, Duration::from_secs(60)));
    let timeouts = Timeouts { total: Duration::from_millis(100), ..TIMEOUTS };
    let asked = reference(&sandbox, "shop/app", "v1");
    let error = registries(&sandbox, Credentials::Anonymous, timeouts).resolve(&asked).await.unwrap_err();
    assert!(error.to_string().contains("no answer within 100 ms"), "{error}");
    assert_eq!(error.fault(), Fault::Transient);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_registry_that_is_not_there_may_be_there_later() {
    let sandbox = start().await;
    let asked = reference(&sandbox, "shop/app", "v1");
    let asker = registries(&sandbox, Credentials::Anonymous, TIMEOUTS);
    sandbox.shutdown().await;
    let error = asker.resolve(&asked).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Transient, "{error:?}");
}

#[tokio::test]
async fn an_answer_that_is_no_digest_is_refused() {
    let sandbox = start().await;
    let header = [("docker-content-digest", "latest")];
    sandbox.add_fault(double::Fault::answer("/v2/shop/", 9, 200, &header));
    let error = resolve(&sandbox).await.unwrap_err();
    assert!(matches!(error, Error::Answer { .. }), "{error:?}");
    assert_eq!(error.fault(), Fault::Permanent);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_registry_that_asks_for_a_pause_is_not_asked_until_that_is_over() {
    let sandbox = start().await;
    sandbox.push_image("shop/app", "v1", &Image::default()).unwrap();
    sandbox.add_fault(double::Fault::answer("/v2/shop/", 1, 429, &[("retry-after", "600")]));
    let asker = registries(&sandbox, Credentials::Anonymous, TIMEOUTS);
    let asked = reference(&sandbox, "shop/app", "v1");
    assert!(matches!(asker.resolve(&asked).await.unwrap_err(), Error::Limited { .. }));
    let before = sandbox.requests().len();
    let Fault::Limited { retry_after: Some(left) } = asker.resolve(&asked).await.unwrap_err().fault() else {
        panic!("it is asked before its time");
    };
    assert!(left > Duration::from_secs(500) && left <= Duration::from_secs(600), "{left:?}");
    let digest = format!("sha256:{}", "0a".repeat(32)).parse().unwrap();
    assert!(matches!(asker.inspect(&asked, &digest).await.unwrap_err().fault(), Fault::Limited { .. }));
    assert_eq!(sandbox.requests().len(), before);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn secrets_are_not_printed() {
    let sandbox = start().await;
    let asker = registries(&sandbox, basic("sesame"), TIMEOUTS);
    assert!(!format!("{asker:?}").contains("sesame"));
    sandbox.shutdown().await;
}
