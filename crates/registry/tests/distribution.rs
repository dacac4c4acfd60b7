//! What CNCF Distribution announces, from bodies in the shapes of 2.8 and 3.0.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail as the test does")]

use chrono::{DateTime, Utc};
use domain::{
    announcement::Pushed,
    image::{Digest, Host},
};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use registry::webhook::{Element, Head, Kind, Options, Parsed, Secrets, Sender, Unauthenticated};

const SECRET: &str = "Bearer hush";

fn sender(registry: Option<&str>) -> Sender {
    let secrets = Secrets::new(vec!["Bearer old".into(), SECRET.into()]).unwrap();
    let host: Option<Host> = registry.map(|host| host.parse().unwrap());
    Sender::new(Kind::Distribution, secrets, Options { registry: host, ..Options::default() }).unwrap()
}

fn headers(authorization: &[&[u8]]) -> HeaderMap {
    authorization.iter().map(|value| (AUTHORIZATION, HeaderValue::from_bytes(value).unwrap())).collect()
}

fn read(body: &[u8], registry: Option<&str>) -> Parsed {
    let sender = sender(registry);
    let headers = headers(&[SECRET.as_bytes()]);
    let head = Head { headers: &headers, query: None };
    let verified = wait(async {
        let admitted = sender.admit(&head, NOW).await?;
        admitted.vouch_for(body, NOW).await
    });
    sender.parse(&verified.unwrap(), &head)
}

/// The time, which matters to nobody who sends a secret.
const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

/// A body with one event whose target is given.
fn push(target: &str) -> String {
    format!(r#"{{"events":[{{"id":"e1","action":"push","target":{target}}}]}}"#)
}

fn pushed(parsed: &Parsed) -> Vec<String> {
    let text = |one: &Pushed| {
        let digest = one.claimed_digest.as_ref().map(Digest::short);
        format!("{}:{} {}", one.repository, one.tag, digest.as_deref().unwrap_or("-"))
    };
    parsed
        .elements
        .iter()
        .filter_map(|one| match one {
            Element::Pushed(pushed) => Some(text(pushed)),
            Element::Unusable { .. } => None,
        })
        .collect()
}

fn reasons(parsed: &Parsed) -> Vec<String> {
    parsed
        .elements
        .iter()
        .filter_map(|one| match one {
            Element::Pushed(_) => None,
            Element::Unusable { reason, .. } => Some(reason.clone()),
        })
        .collect()
}

/// Reads one of our fixtures, of both versions.
fn check(name: &str, expected: &[&str]) {
    for version in ["v1", "v2"] {
        let path = format!("{}/tests/fixtures/distribution-{version}-{name}.json", env!("CARGO_MANIFEST_DIR"));
        let parsed = read(&std::fs::read(&path).unwrap(), None);
        assert_eq!(pushed(&parsed), expected, "{path}");
        assert_eq!(parsed.unwanted, usize::from(expected.is_empty()), "{path}");
        assert_eq!(reasons(&parsed), Vec::<String>::new(), "{path}");
        assert_eq!(parsed.id.len(), 36, "{path}: the id is not the event's");
    }
}

/// A body whose one element is unusable for a reason that contains `expected`.
fn check_unusable(body: &str, expected: &str) {
    let parsed = read(body.as_bytes(), Some("r.example"));
    let reasons = reasons(&parsed);
    assert_eq!(parsed.elements.len(), 1, "{parsed:?}");
    assert!(reasons.iter().all(|reason| reason.contains(expected)), "{reasons:?} does not say {expected:?}");
}

#[test]
fn a_pushed_tag_is_announced_with_the_digest_that_the_sender_claims() {
    check(
        "push",
        &["registry.tagferry.example/shop/mandelbrot:sha-5d0c31a4f5b9a3f3cf5b5a1b8f2d9c6e7a401b22 sha256:6105d6cc76af"],
    );
}

#[test]
fn a_second_tag_of_the_same_manifest_is_announced() {
    check("retag", &["registry.tagferry.example/shop/mandelbrot:stable sha256:6105d6cc76af"]);
}

#[test]
fn a_pushed_index_is_announced_and_its_images_are_not_wanted() {
    check(
        "push-index",
        &["registry.tagferry.example/shop/mandelbrot:sha-9b8e44cf0d7ac0b7f2dd39a1c2b3d4e5f6071829 sha256:1bc04b5291c2"],
    );
    check("push-index-child", &[]);
}

#[test]
fn pulls_deletes_mounts_and_blobs_are_not_wanted() {
    for name in ["pull", "delete", "mount", "push-blob"] {
        check(name, &[]);
    }
}

#[test]
fn the_authorization_header_is_one_and_entirely_a_secret() {
    let sender = sender(None);
    let admit = |values: &[&[u8]]| {
        let headers = headers(values);
        wait(sender.admit(&Head { headers: &headers, query: None }, NOW)).map(|_| ())
    };
    let refused = |values: &[&[u8]]| admit(values).expect_err("it was let in");
    assert_eq!(refused(&[]), Unauthenticated::Missing.into());
    assert_eq!(refused(&[SECRET.as_bytes(), SECRET.as_bytes()]), Unauthenticated::Several.into());
    for wrong in [&b""[..], b"hush", b"Bearer hus", b"Bearer hush ", b"bearer hush", b"Bearer hush\xe9"] {
        assert_eq!(refused(&[wrong]), Unauthenticated::Wrong.into());
    }
    assert!(admit(&[b"Bearer old"]).is_ok());
}

#[test]
fn the_registry_is_the_configured_one_else_the_urls_and_never_the_requests() {
    let url = r#"{"repository":"a/b","tag":"t","url":"http://R.example:5000/v2/a/b/manifests/t"}"#;
    assert_eq!(pushed(&read(push(url).as_bytes(), Some("other.example"))), ["other.example/a/b:t -"]);
    assert_eq!(pushed(&read(push(url).as_bytes(), None)), ["r.example:5000/a/b:t -"]);
    for unusual in [
        "",
        "r.example",
        "ftp://r.example/v2/",
        "https:///v2/",
        "https://user@r.example/v2/",
        "https://r.example?/v2/",
        "https://[::1]/v2/",
    ] {
        let body = format!(
            r#"{{"events":[{{"action":"push","target":{{"repository":"a/b","tag":"t","url":"{unusual}"}},"request":{{"host":"evil.example"}}}}]}}"#
        );
        assert_eq!(
            reasons(&read(body.as_bytes(), None)),
            ["the event does not say which registry it is from (target.url): set senders.<name>.registry"],
            "{unusual}"
        );
    }
}

#[test]
fn a_body_that_is_no_envelope_is_one_unusable_element() {
    check_unusable("", "the body is empty");
    check_unusable(" \n", "the body is empty");
    check_unusable("events: []", "the body is not a JSON object");
    check_unusable(r#"[["a"]]"#, "the body is not a JSON object");
    check_unusable("{", "not an envelope of events");
    check_unusable("{}", "missing field `events`");
    check_unusable(r#"{"events":[]}{}"#, "trailing characters");
    check_unusable(r#"{"events":[],"events":[]}"#, "duplicate field `events`");
    check_unusable(&format!(r#"{{"events":[{}]}}"#, "[".repeat(200)), "nested deeper than 128");
    let parsed = read(b"{\"events\":[\"\xff\"]}", None);
    assert_eq!(reasons(&parsed), ["the body is not UTF-8 text: invalid utf-8 sequence of 1 bytes from index 12"]);
}

#[test]
fn an_event_that_can_not_be_used_says_why() {
    let event = |event: &str| format!(r#"{{"events":[{event}]}}"#);
    check_unusable(&event(r#"["push",{}]"#), "not a JSON object");
    check_unusable(&event(r#"{"action":"PUSH"}"#), "not one of push, pull, mount and delete");
    check_unusable(&event(r#"{"action":1}"#), "can not be read");
    check_unusable(&event(r#"{"action":"push"}"#), "target is missing");
    check_unusable(&push(r#"["a"]"#), "target is missing or not a JSON object");
    check_unusable(&push(r#"{"repository":["a"],"tag":"t"}"#), "target can not be read");
    check_unusable(&push(r#"{"repository":"a/../b","tag":"t"}"#), "target.repository is not usable");
    check_unusable(&push(r#"{"repository":"a","tag":"t t"}"#), "target.tag is not usable");
    check_unusable(&push(r#"{"repository":"a","tag":"t","tag":"u"}"#), "duplicate field `tag`");
}

#[test]
fn one_bad_event_drops_none_of_the_others_and_repetitions_collapse() {
    let good = r#"{"id":"1","action":"push","target":{"repository":"a","tag":"t"}}"#;
    let body = format!(r#"{{"events":[null,{good},{{"action":7}},{good},[{good}]]}}"#);
    let parsed = read(body.as_bytes(), Some("r.example"));
    assert_eq!(pushed(&parsed), ["r.example/a:t -"]);
    assert_eq!(reasons(&parsed).len(), 3);
}

#[test]
fn what_is_kept_of_a_hostile_delivery_is_bounded() {
    let nulls = format!(r#"{{"events":[null{}]}}"#, ",null".repeat(4_999));
    let parsed = read(nulls.as_bytes(), None);
    assert_eq!(parsed.elements.len(), 22);
    assert_eq!(
        reasons(&parsed)[20..],
        [
            "980 more events of this delivery are unusable",
            "the delivery has 5000 events, and only the first 1000 are read"
        ]
    );
    let long = format!(r#"{{"events":"{}"}}"#, "\u{e9}".repeat(10_000));
    let Element::Unusable { text, reason } = &read(long.as_bytes(), None).elements[0] else { panic!("it was usable") };
    assert!(text.len() <= 515 && reason.len() <= 515, "{text} {reason}");
    let control = read(b"a\x00b", None);
    assert!(matches!(&control.elements[0], Element::Unusable { text, .. } if text == "a\u{fffd}b"));
}

#[test]
fn a_deliverys_id_is_the_single_events_and_else_a_hash() {
    let id = |events: &str| read(format!(r#"{{"events":[{events}]}}"#).as_bytes(), None).id;
    assert_eq!(id(r#"{"id":"one","action":"pull"}"#), "one");
    let two = id(r#"{"id":"a"},{"id":"b"}"#);
    assert!(two.starts_with("sha256:") && two.len() == 71);
    assert_eq!(two, id(r#"{"id":"a","action":"pull"}, {"id":"b"}"#));
    assert_ne!(two, id(r#"{"id":"ab"},{"id":""}"#));
    assert_ne!(id(r#"{"id":1}"#), id(r#"{"id":2}"#));
    let long = format!(r#"{{"id":"{}"}}"#, "i".repeat(70_000));
    assert_eq!(id(&long).len(), 71);
    assert_eq!(id(r#"{"id":"a\u0000"}"#).len(), 71);
    let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(read(b"", None).id, empty);
}
