//! Who comes beyond a limit is told at once to come again, and is taken then.

use std::{
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use server::{Config, Service};
use sqlx::{Connection as _, Executor as _, SqliteConnection};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

const SECRET: &str = "Bearer secret";

/// How long what must come may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The SHA-256 of the token `e2e-viewer-token`.
const TOKEN_SHA256: &str = "667da53dbb3834e0b648a640ce71af319cc8ab45423f583878eb5dc436b61971";

struct World {
    directory: TempDir,
    address: SocketAddr,
    stop: CancellationToken,
    service: JoinHandle<Result<(), server::Error>>,
}

struct Answer {
    status: u16,
    retry_after: Option<u64>,
    text: String,
}

impl World {
    /// A service with these limits, and two registries that may tell it something.
    async fn new(limits: &str) -> Result<Self> {
        // Another test of this process may have been the first.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        let directory = tempfile::tempdir()?;
        let there = directory.path().display();
        std::fs::write(directory.path().join("secret"), SECRET)?;
        std::fs::write(directory.path().join("token"), "ghp_token")?;
        let text = format!(
            "server: {{ listen: '127.0.0.1:0', data_dir: '{there}', limits: {limits} }}
store: {{ url: 'sqlite://{there}/t.db' }}
github: {{ api_url: 'http://127.0.0.1:9', token: {{ file: '{there}/token' }} }}
api: {{ tokens: [{{ name: test, sha256: {TOKEN_SHA256}, role: viewer }}] }}
senders:
  one: {{ kind: distribution, secrets: {{ file: '{there}/secret' }}, registry: registry.example }}
  two: {{ kind: distribution, secrets: {{ file: '{there}/secret' }}, registry: registry.example }}
"
        );
        let file = directory.path().join("t.yaml");
        std::fs::write(&file, text)?;
        let service = Service::start(&Config::read(&file)?).await?;
        let (address, stop) = (service.address(), CancellationToken::new());
        let service = tokio::spawn(service.run(stop.clone()));
        Ok(Self { directory, address, stop, service })
    }

    async fn deliver(&self, sender: &str, id: &str) -> Result<Answer> {
        deliver(self.address, sender, SECRET, id).await
    }

    async fn get(&self, path: &str) -> Result<Answer> {
        let head = format!("GET {path} HTTP/1.1\r\nAuthorization: Bearer e2e-viewer-token\r\n");
        ask(self.address, &head, "").await
    }

    async fn end(self) -> Result<()> {
        self.stop.cancel();
        Ok(self.service.await??)
    }
}

async fn deliver(address: SocketAddr, sender: &str, secret: &str, id: &str) -> Result<Answer> {
    let body = format!(
        r#"{{"events":[{{"id":"{id}","action":"push","target":{{"mediaType":"application/vnd.oci.image.manifest.v1+json","repository":"a","tag":"b"}}}}]}}"#
    );
    let head =
        format!("POST /v1/hooks/{sender} HTTP/1.1\r\nAuthorization: {secret}\r\nContent-Length: {}\r\n", body.len());
    ask(address, &head, &body).await
}

async fn ask(address: SocketAddr, head: &str, body: &str) -> Result<Answer> {
    let mut connection = TcpStream::connect(address).await?;
    let request = format!("{head}Host: {address}\r\nConnection: close\r\n\r\n{body}");
    connection.write_all(request.as_bytes()).await?;
    let mut text = String::new();
    connection.read_to_string(&mut text).await?;
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).context("there was no answer")?;
    let retry_after = text.lines().find_map(|line| line.strip_prefix("retry-after: ")?.parse().ok());
    Ok(Answer { status, retry_after, text })
}

/// Keeps everybody else from writing until it is dropped or rolled back.
async fn locked(directory: &Path) -> Result<SqliteConnection> {
    let mut other = SqliteConnection::connect(&format!("sqlite://{}/t.db", directory.display())).await?;
    other.execute("begin immediate").await?;
    Ok(other)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_sends_too_much_hears_429_and_when_to_come_again_and_others_are_not_held_back() -> Result<()> {
    let world = World::new("{ deliveries_per_second: 1, delivery_burst: 2 }").await?;
    let mut refused = world.deliver("one", "0").await?;
    // Two pass, and more only where the machine takes a second for each.
    for id in 1..100 {
        if refused.status == 202 {
            refused = world.deliver("one", &id.to_string()).await?;
        }
    }
    assert_eq!((refused.status, refused.retry_after), (429, Some(1)), "{}", refused.text);
    assert!(refused.text.contains("https://tagferry.dev/problems/too-often"), "{}", refused.text);
    assert_eq!(world.deliver("two", "0").await?.status, 202);
    assert_eq!(world.get("/v1/deliveries").await?.status, 200);
    let start = Instant::now();
    while refused.status == 429 {
        ensure!(start.elapsed() < PATIENCE, "the sender is never let in again");
        refused = world.deliver("one", "recovered").await?;
    }
    assert_eq!(refused.status, 202, "{}", refused.text);
    assert!(refused.text.contains("\"repeated\":false"), "{}", refused.text);
    world.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_does_not_use_up_what_a_sender_may_send() -> Result<()> {
    let world = World::new("{ deliveries_per_second: 1, delivery_burst: 1 }").await?;
    for _ in 0..5 {
        assert_eq!(deliver(world.address, "one", "Bearer wrong", "1").await?.status, 401);
    }
    assert_eq!(world.deliver("one", "1").await?.status, 202);
    world.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_limit_on_requests_the_answer_is_a_quick_503_and_the_next_try_succeeds() -> Result<()> {
    let world = World::new("{ requests: 1 }").await?;
    // Work that takes until the test says so.
    let mut lock = locked(world.directory.path()).await?;
    let (address, start) = (world.address, Instant::now());
    let first = tokio::spawn(async move {
        loop {
            let answer = deliver(address, "one", SECRET, "1").await?;
            // The look whether it has begun may have been in its way.
            if !answer.text.contains("problems/overloaded") {
                return anyhow::Ok(answer);
            }
            ensure!(start.elapsed() < PATIENCE, "the look is always in its way");
        }
    });
    while world.get("/v1/releases").await?.status == 200 {
        ensure!(!first.is_finished(), "the work ended before it was seen");
        ensure!(start.elapsed() < PATIENCE, "the work never begins");
    }
    let refused = world.deliver("one", "2").await?;
    assert_eq!((refused.status, refused.retry_after), (503, Some(1)), "{}", refused.text);
    assert!(refused.text.contains("https://tagferry.dev/problems/overloaded"), "{}", refused.text);
    assert_eq!(world.get("/v1/deliveries/1").await?.status, 503);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(world.get(path).await?.status, 204, "{path}");
    }
    ensure!(!first.is_finished(), "the work ended too early");
    lock.execute("rollback").await?;
    assert_eq!(first.await??.status, 202);
    assert_eq!(world.deliver("one", "2").await?.status, 202);
    world.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_still_sends_its_body_takes_no_other_requests_place() -> Result<()> {
    let world = World::new("{ requests: 1 }").await?;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut client = TcpStream::connect(world.address).await?;
        let head = format!(
            "POST /v1/hooks/one HTTP/1.1\r\nHost: a\r\nAuthorization: {SECRET}\r\nContent-Length: 100\r\n\r\n{{"
        );
        client.write_all(head.as_bytes()).await?;
        slow.push(client);
    }
    assert_eq!(world.deliver("one", "1").await?.status, 202);
    assert_eq!(world.get("/v1/deliveries").await?.status, 200);
    drop(slow);
    world.end().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_can_not_write_is_answered_503_and_the_next_try_succeeds() -> Result<()> {
    let world = World::new("{}").await?;
    let mut other = locked(world.directory.path()).await?;
    other.execute("alter table work rename to gone").await?;
    other.execute("commit").await?;
    let refused = world.deliver("one", "1").await?;
    assert_eq!((refused.status, refused.retry_after), (503, Some(5)), "{}", refused.text);
    assert!(refused.text.contains("the store is not available; try again"), "{}", refused.text);
    other.execute("alter table gone rename to work").await?;
    let taken = world.deliver("one", "1").await?;
    assert_eq!(taken.status, 202);
    assert!(taken.text.contains("\"repeated\":false"), "{}", taken.text);
    world.end().await
}
