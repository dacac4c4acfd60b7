//! Clients that are slow, stuck or too many. Timeouts are waited for on a clock that is moved on by hand.

use std::{net::SocketAddr, num::NonZeroU16};

use axum::routing::{get, post};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    task::JoinHandle,
};

use super::*;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

struct Served {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Served {
    /// Serves an answer, one of a mebibyte and one that takes as long as the body does.
    async fn with(limits: LimitSettings) -> Self {
        let router = Router::new()
            .route("/", get(async || "here"))
            .route("/large", get(async || vec![b'.'; 16 * 1024 * 1024]))
            .route("/slow", post(async |body: String| body));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let until = stop.clone();
        let task = tokio::spawn(async move { serve(listener, router, limits, &until).await });
        Self { address, stop, task }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// What a client hears that says something, until it is hung up on.
    async fn hears(&self, says: &[u8]) -> String {
        let mut client = self.connect().await;
        client.write_all(says).await.unwrap();
        rest(&mut client).await
    }

    /// Whether a healthy client is answered.
    async fn answers(&self) -> bool {
        let last = [b"GET / HTTP/1.1\r\nConnection: close\r\n".as_slice(), b"Host: a\r\n\r\n"].concat();
        self.hears(&last).await.ends_with("here")
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

async fn rest(client: &mut TcpStream) -> String {
    let mut heard = Vec::new();
    // A connection that is reset has nothing more to say either.
    match client.read_to_end(&mut heard).await {
        Ok(_) | Err(_) => String::from_utf8(heard).unwrap(),
    }
}

/// The first answer on a connection that stays open.
async fn answered(client: &mut TcpStream) {
    client.write_all(REQUEST).await.unwrap();
    let mut heard = Vec::new();
    while !heard.ends_with(b"here") {
        assert_ne!(client.read_buf(&mut heard).await.unwrap(), 0, "{}", String::from_utf8_lossy(&heard));
    }
}

fn connections(most: u16) -> LimitSettings {
    LimitSettings { connections: NonZeroU16::new(most).unwrap(), ..LimitSettings::default() }
}

/// Moves the clock on, once all that is ready has been done.
async fn later(duration: Duration) {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    tokio::time::pause();
    tokio::time::advance(duration).await;
    tokio::time::resume();
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_head_is_hung_up_on() {
    let limits = LimitSettings { header_timeout: Duration::from_millis(50), ..LimitSettings::default() };
    let served = Served::with(limits).await;
    for says in [b"".as_slice(), b"POST /v1", b"POST / HTTP/1.1\r\nHost: a\r\nX-Slow"] {
        assert_eq!(served.hears(says).await, "", "{}", String::from_utf8_lossy(says));
    }
    // One byte after the other does not help: the time is for the whole head.
    let mut client = served.connect().await;
    let start = tokio::time::Instant::now();
    let mut heard = [0; 1];
    while start.elapsed() < Duration::from_secs(20) {
        if client.write_all(b"a").await.is_err() {
            break;
        }
        match tokio::time::timeout(Duration::from_millis(10), client.read(&mut heard)).await {
            Ok(_ended) => break,
            Err(_goes_on) => {}
        }
    }
    assert!(start.elapsed() < Duration::from_secs(20), "it was not hung up on");
    served.end().await;
}

#[tokio::test]
async fn an_idle_connection_is_kept_for_the_header_timeout_and_no_longer() {
    let served = Served::with(LimitSettings::default()).await;
    let mut client = served.connect().await;
    answered(&mut client).await;
    later(Duration::from_secs(60)).await;
    answered(&mut client).await;
    later(Duration::from_secs(80)).await;
    assert_eq!(rest(&mut client).await, "");
    served.end().await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let served = Served::with(LimitSettings::default()).await;
    let says = [b"GET / HTTP/1.1\r\nX-Long: ".as_slice(), &vec![b'a'; LARGEST_HEAD]].concat();
    let heard = served.hears(&says).await;
    assert!(heard.is_empty() || heard.starts_with("HTTP/1.1 431 "), "{heard}");
    assert!(served.answers().await);
    served.end().await;
}

#[tokio::test]
async fn a_connection_too_many_is_answered_503_and_one_is_taken_once_another_is_gone() {
    let served = Served::with(connections(2)).await;
    let (mut first, mut second) = (served.connect().await, served.connect().await);
    answered(&mut first).await;
    answered(&mut second).await;
    for _ in 0..3 {
        let heard = rest(&mut served.connect().await).await;
        assert!(heard.starts_with("HTTP/1.1 503 ") && heard.contains("\r\nRetry-After: 1\r\n"), "{heard}");
    }
    answered(&mut first).await;
    drop(second);
    // The service hears of it as soon as the system tells, whatever the clock of the test says.
    let start = std::time::Instant::now();
    while !served.answers().await {
        assert!(start.elapsed() < Duration::from_secs(60), "the place is never free again");
        tokio::task::yield_now().await;
    }
    answered(&mut first).await;
    drop(first);
    served.end().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_is_hung_up_on() {
    let served = Served::with(connections(1)).await;
    let mut client = served.connect().await;
    client.write_all(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    // The answer begins, and the rest of it fills what the system keeps for the client.
    let mut first = [0; 1];
    client.read_exact(&mut first).await.unwrap();
    later(SLOWEST_READER + Duration::from_secs(1)).await;
    let start = std::time::Instant::now();
    while !served.answers().await {
        assert!(start.elapsed() < Duration::from_secs(60), "the client keeps its place for ever");
        later(SLOWEST_READER).await;
    }
    served.end().await;
}

#[tokio::test]
async fn slow_clients_do_not_hold_a_healthy_one_back() {
    let served = Served::with(LimitSettings::default()).await;
    let mut slow = Vec::new();
    for number in 0..200 {
        let mut client = served.connect().await;
        let says: &[u8] = match number % 3 {
            0 => b"",
            1 => b"POST /v1/hooks/registry HTTP/1.1\r\nHost: a\r\n",
            _ => b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
        };
        client.write_all(says).await.unwrap();
        slow.push(client);
    }
    let start = tokio::time::Instant::now();
    for _ in 0..20 {
        assert!(served.answers().await);
    }
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    // All of them are still there, and one that goes on is answered.
    let mut last = slow.pop().unwrap();
    drop(slow);
    last.write_all(b"\r\n\r\nGET / HTTP/1.1\r\nConnection: close\r\n\r\n").await.unwrap();
    served.end().await;
}

#[tokio::test]
async fn a_request_that_has_begun_is_answered_before_the_end_and_idle_connections_are_closed_at_once() {
    let served = Served::with(LimitSettings::default()).await;
    let (mut idle, mut busy) = (served.connect().await, served.connect().await);
    answered(&mut idle).await;
    busy.write_all(b"POST /slow HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        .await
        .unwrap();
    let mut go_on = [0; 25];
    busy.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    served.stop.cancel();
    assert_eq!(rest(&mut idle).await, "");
    assert!(TcpStream::connect(served.address).await.is_err(), "a connection was taken after the end");
    busy.write_all(b"done").await.unwrap();
    assert!(rest(&mut busy).await.ends_with("done"));
    served.end().await;
}

#[tokio::test]
async fn what_is_left_open_is_closed_when_nobody_waits_for_it_any_more() {
    let served = Served::with(LimitSettings::default()).await;
    let mut stuck = served.connect().await;
    stuck.write_all(b"POST /v1").await.unwrap();
    assert!(served.answers().await);
    served.task.abort();
    assert_eq!(rest(&mut stuck).await, "");
}
