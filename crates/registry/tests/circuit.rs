//! Registries that hang, fail or are asked too much, over a socket: what they cost, and whom.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as the test does")]

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use domain::{
    circuit::Patience,
    fault::Fault,
    image::{Digest, Host, Reference},
};
use registry::{Access, Error, Limits, Registries, Timeouts, Transport};
use sandbox::registry::{self as double, Image, Options, SandboxRegistry};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

/// Long enough for what is on loopback, and waited for in some tests.
const HASTY: Timeouts = Timeouts { connect: Duration::from_millis(200), total: Duration::from_millis(200) };

const UNHURRIED: Timeouts = Timeouts { connect: Duration::from_secs(20), total: Duration::from_secs(60) };

fn left_alone_for(first: Duration) -> Patience {
    Patience { failures: 3, first, ..Patience::default() }
}

/// Who asks these hosts, with these limits.
fn registries(hosts: &[&str], limits: Limits, timeouts: Timeouts) -> Registries {
    let access = Access { transport: Transport::Http, limits, ..Access::default() };
    let accesses: BTreeMap<Host, Access> = hosts.iter().map(|host| (host.parse().unwrap(), access.clone())).collect();
    Registries::new(accesses, timeouts).unwrap()
}

fn reference(host: &str) -> Reference {
    Reference { repository: format!("{host}/shop/app").parse().unwrap(), tag: "v1".parse().unwrap() }
}

async fn start() -> (SandboxRegistry, Digest) {
    let sandbox = SandboxRegistry::start(Options::default()).await.unwrap();
    let pushed = sandbox.push_image("shop/app", "v1", &Image::default()).unwrap();
    (sandbox, pushed)
}

/// Its error, without what differs each time.
async fn refused(registries: &Registries, host: &str) -> (Error, String) {
    let error = registries.resolve(&reference(host)).await.unwrap_err();
    let text = error.to_string().replace(host, "HOST");
    let text = text.chars().map(|one| if one.is_ascii_digit() { '0' } else { one }).collect();
    (error, text)
}

#[tokio::test]
async fn a_registry_that_hangs_is_left_alone_and_another_one_is_not() {
    let ((stuck, _), (well, pushed)) = (start().await, start().await);
    stuck.add_fault(double::Fault::delay("/v2/", 1_000, Duration::from_secs(600)));
    let limits = Limits { patience: left_alone_for(Duration::from_secs(30)), ..Limits::default() };
    let asker = registries(&[stuck.host(), well.host()], limits, HASTY);
    for _ in 0..3 {
        assert!(matches!(refused(&asker, stuck.host()).await.0, Error::Timeout { .. }));
    }
    let (asked, begun) = (stuck.requests().len(), Instant::now());
    for _ in 0..50 {
        let (error, text) = refused(&asker, stuck.host()).await;
        assert_eq!(
            text,
            "asking what HOST/shop/app:v0 is: the registry HOST has not answered since 0000-00-00 00:00:00 UTC and is \
             tried again at 0000-00-00 00:00:00 UTC"
        );
        let Fault::Away { retry_after } = error.fault() else { panic!("{error:?}") };
        assert!(retry_after > Duration::from_secs(20) && retry_after <= Duration::from_secs(30), "{retry_after:?}");
    }
    let error = asker.referrers(&reference(stuck.host()), &pushed).await.unwrap_err();
    assert!(matches!(error.fault(), Fault::Away { .. }), "{error:?}");
    let error = asker.inspect(&reference(stuck.host()), &pushed).await.unwrap_err();
    assert!(matches!(error.fault(), Fault::Away { .. }), "{error:?}");
    assert_eq!(asker.resolve(&reference(well.host())).await.unwrap(), Some(pushed));
    assert_eq!(stuck.requests().len(), asked, "it is not left alone");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    stuck.shutdown().await;
    well.shutdown().await;
}

#[tokio::test]
async fn one_probe_goes_through_and_its_answer_lets_everybody_in_again() {
    let door = Door::open().await;
    let limits = Limits { patience: left_alone_for(Duration::ZERO), ..Limits::default() };
    let asker = Arc::new(registries(&[&door.host], limits, UNHURRIED));
    door.answer(Answer::Now(503));
    for _ in 0..3 {
        assert!(matches!(refused(&asker, &door.host).await.0, Error::Unavailable { .. }));
    }
    door.answer(Answer::Later);
    let probe = door.ask(&asker);
    door.until_busy(1).await;
    for _ in 0..10 {
        assert!(matches!(refused(&asker, &door.host).await.0, Error::Away { .. }), "two probes are out");
    }
    // Nobody waits for it any more, so that another one goes through.
    probe.abort();
    assert!(probe.await.unwrap_err().is_cancelled());
    door.until_busy(0).await;
    let probe = door.ask(&asker);
    door.until_busy(1).await;
    assert!(matches!(refused(&asker, &door.host).await.0, Error::Away { .. }));
    door.answer(Answer::Now(404));
    assert_eq!(probe.await.unwrap().unwrap(), None);
    for _ in 0..10 {
        assert_eq!(asker.resolve(&reference(&door.host)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_probe_that_fails_keeps_the_registry_alone() {
    let door = Door::open().await;
    let patience = Patience { failures: 1, first: Duration::from_millis(1), ..Patience::default() };
    let asker = registries(&[&door.host], Limits { patience, ..Limits::default() }, UNHURRIED);
    door.answer(Answer::Now(502));
    let (mut asked, begun) = (0, Instant::now());
    while asked < 6 {
        let (error, _) = refused(&asker, &door.host).await;
        if matches!(error, Error::Away { .. }) {
            tokio::task::yield_now().await;
        } else {
            assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
            asked += 1;
        }
    }
    // Twice as long each time.
    assert!(begun.elapsed() >= Duration::from_millis(1 + 2 + 4 + 8 + 16), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn whatever_a_registry_refuses_it_is_there() {
    let door = Door::open().await;
    let limits = Limits { patience: left_alone_for(Duration::from_secs(60)), ..Limits::default() };
    let asker = registries(&[&door.host], limits, UNHURRIED);
    for status in [400, 401, 403, 404] {
        door.answer(Answer::Now(status));
        for _ in 0..5 {
            let answer = asker.resolve(&reference(&door.host)).await;
            assert!(!matches!(answer, Err(Error::Away { .. } | Error::Unavailable { .. })), "{status}: {answer:?}");
        }
    }
    door.answer(Answer::Now(429));
    for _ in 0..5 {
        assert!(matches!(refused(&asker, &door.host).await.0, Error::Limited { .. }));
    }
}

#[tokio::test]
async fn registries_without_settings_do_not_stand_in_for_each_other() {
    let mut hosts = Vec::new();
    for _ in 0..2 {
        // Nobody listens there any more.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        hosts.push(listener.local_addr().unwrap().to_string());
    }
    let asker = registries(&[], Limits::default(), UNHURRIED);
    for _ in 0..Patience::default().failures {
        assert!(matches!(refused(&asker, &hosts[0]).await.0, Error::Unavailable { .. }));
    }
    assert!(matches!(refused(&asker, &hosts[0]).await.0, Error::Away { .. }));
    assert!(matches!(refused(&asker, &hosts[1]).await.0, Error::Unavailable { .. }));
}

#[tokio::test]
async fn no_more_is_asked_at_once_than_is_allowed() {
    let door = Door::open().await;
    let asker = Arc::new(registries(&[&door.host], Limits { at_once: 3, ..Limits::default() }, UNHURRIED));
    door.answer(Answer::Later);
    let all: Vec<_> = (0..20).map(|_| door.ask(&asker)).collect();
    door.until_busy(3).await;
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(*door.busy.borrow(), 3);
    door.answer(Answer::Now(404));
    for one in all {
        assert_eq!(one.await.unwrap().unwrap(), None);
    }
    assert_eq!(door.most.load(Ordering::SeqCst), 3);
}

/// Something that speaks like a registry without anything in it, when it is let.
struct Door {
    host: String,
    answers: watch::Sender<Answer>,
    /// How many requests wait for an answer.
    busy: watch::Receiver<usize>,
    most: Arc<AtomicUsize>,
    _serving: JoinSet<()>,
}

/// How requests are answered, also those that wait already.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Now(u16),
    Later,
}

impl Door {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (answers, answer) = watch::channel(Answer::Now(404));
        let (counter, busy) = watch::channel(0);
        let most = Arc::new(AtomicUsize::new(0));
        let (mut serving, seen) = (JoinSet::new(), Arc::clone(&most));
        serving.spawn(async move {
            let mut all = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                all.spawn(serve(stream, answer.clone(), counter.clone(), Arc::clone(&seen)));
            }
        });
        Self { host, answers, busy, most, _serving: serving }
    }

    fn answer(&self, answer: Answer) {
        self.answers.send_replace(answer);
    }

    fn ask(&self, asker: &Arc<Registries>) -> tokio::task::JoinHandle<Result<Option<Digest>, Error>> {
        let (asker, reference) = (Arc::clone(asker), reference(&self.host));
        tokio::spawn(async move { asker.resolve(&reference).await })
    }

    async fn until_busy(&self, count: usize) {
        let mut busy = self.busy.clone();
        tokio::time::timeout(Duration::from_secs(30), busy.wait_for(|busy| *busy == count)).await.unwrap().unwrap();
    }
}

/// One request on a connection, which ends when its client goes.
async fn serve(
    mut stream: TcpStream,
    mut answer: watch::Receiver<Answer>,
    busy: watch::Sender<usize>,
    most: Arc<AtomicUsize>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    busy.send_modify(|busy| *busy += 1);
    most.fetch_max(*busy.borrow(), Ordering::SeqCst);
    let mut gone = [0; 1];
    let answer = tokio::select! {
        answer = answer.wait_for(|answer| matches!(answer, Answer::Now(_))) => answer.map(|answer| *answer).ok(),
        _ = stream.read(&mut gone) => None,
    };
    busy.send_modify(|busy| *busy -= 1);
    if let Some(Answer::Now(status)) = answer {
        let text = format!("HTTP/1.1 {status} So\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        let _sent = stream.write_all(text.as_bytes()).await;
    }
}
