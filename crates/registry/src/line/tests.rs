//! Who has to wait in a line and for how long, and what people are told of it.

use std::{future::pending, io::Write, sync::Arc};

use domain::circuit::Patience;
use tokio::time::Instant;

use domain::image::Reference;

use super::*;

const TURN: Duration = Duration::from_secs(10);

fn line(at_once: usize, failures: u32) -> Line {
    let patience = Patience { failures, first: Duration::ZERO, ..Patience::default() };
    Line::new(Limits { at_once, patience })
}

fn reference() -> Subject {
    let reference = Reference { repository: "r.example/shop/app".parse().unwrap(), tag: "v1".parse().unwrap() };
    (&reference).into()
}

fn late() -> Error {
    Error::Timeout { subject: reference(), after: TURN }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_turn_for_ever() {
    let (line, reference) = (Arc::new(line(1, 5)), reference());
    let (endless, begun) = (Arc::clone(&line), Instant::now());
    let endless = tokio::spawn(async move { endless.ask(&self::reference(), TURN, pending::<Result<(), _>>()).await });
    tokio::task::yield_now().await;
    let error = line.ask(&reference, TURN, async { Ok(()) }).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "asking what r.example/shop/app:v1 is: the registry r.example is being asked so much that it was not this \
         question's turn within 10000 ms"
    );
    assert_eq!((error.fault(), begun.elapsed()), (Fault::Transient, TURN));
    endless.abort();
    assert!(endless.await.unwrap_err().is_cancelled());
    line.ask(&reference, TURN, async { Ok(()) }).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_waits_when_the_registry_is_left_alone_does_not_ask_it() {
    let patience = Patience { failures: 1, ..Patience::default() };
    let line = Line::new(Limits { at_once: 1, patience });
    let reference = reference();
    let slow = async {
        tokio::task::yield_now().await;
        Err::<(), _>(late())
    };
    let (first, second) = tokio::join!(biased; line.ask(&reference, TURN, slow), line.ask(&reference, TURN, async {
        unreachable!("it is asked")
    }));
    let second: Result<(), Error> = second;
    assert!(matches!(first, Err(Error::Timeout { .. })), "{first:?}");
    assert!(matches!(second, Err(Error::Away { .. })), "{second:?}");
}

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn people_are_told_once_that_a_registry_is_left_alone_and_once_that_it_is_back() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).without_time().finish();
    let _told = tracing::subscriber::set_default(subscriber);
    let (line, reference) = (line(1, 2), reference());
    for _ in 0..6 {
        assert!(line.ask(&reference, TURN, async { Err::<(), _>(late()) }).await.is_err());
    }
    for _ in 0..3 {
        line.ask(&reference, TURN, async { Ok(()) }).await.unwrap();
    }
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let [opened, closed] = *lines else { panic!("{text}") };
    let told = "WARN registry::line: a registry does not answer and is left alone for a while image.repository=r.example/shop/app since=";
    assert!(opened.trim().starts_with(told) && opened.contains("no answer within 10000 ms"), "{opened}");
    assert!(
        closed.trim().starts_with("INFO registry::line: a registry answers again image.repository=r.example/shop/app"),
        "{closed}"
    );
}
