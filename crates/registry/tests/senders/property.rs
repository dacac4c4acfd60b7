//! What holds of whatever a sender brings: the tests and the fuzzer hold every kind to it.
//!
//! Where a secret is the credential, each input comes in as the kind's own good request, with it or signed. Where somebody
//! else signs, whom no input can speak for, each is refused as it is, and read as a body that is answered for.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, OnceLock, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{
    announcement::Pushed,
    excerpt::{LONGEST, MOST_UNUSABLE},
    image::{Digest, Host},
};
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use registry::webhook::{
    Asks, Element, Head, Kind, Options, Parsed, Reader, Refused, Sender, Topic, TopicSettings, Unauthenticated,
    Verified,
};
use sandbox::senders::Sns;
use serde_json::{json, value::RawValue};
use url::Url;

use crate::known::{ALL, ARTIFACT_REGISTRY, ECR_SNS, How, Known, Request, SECRETS, TOPIC, world};

/// What stands between the body and lines of `name: value`, in an input that has headers of its own.
const BETWEEN: &[u8] = b"\0\0";

/// How many headers of an input are taken; a map of them has room for no more than 32,768.
const MOST_HEADERS: usize = 100;

/// How many events of one delivery are read, and hence how many tags it announces at most.
const MOST_PUSHED: usize = 1_000;

/// How many certificates are fetched within a minute, which is how long it takes here: the time stands still.
const MOST_FETCHED: usize = 10;

/// Where Amazon SNS is in the region of the topic.
const SNS: &str = "https://sns.eu-central-1.amazonaws.com";

/// An excerpt may end with `…`.
const LONGEST_EXCERPT: usize = LONGEST + '…'.len_utf8();

/// Receives a body, and perhaps headers behind it, in each way in which the kind proves itself, and judges what is read.
pub(crate) fn check(kind: Kind, input: &[u8]) {
    let (body, lines) = split(input);
    let mut ways = 0;
    for known in ALL.iter().filter(|known| known.kind == kind) {
        match known.how {
            How::Header(..) | How::Query(_) | How::Sha1(..) | How::Sha256(..) => check_way(known, body, lines),
            How::Token | How::Certificate => check_reading(known, body, lines),
        }
        ways += 1;
    }
    assert!(ways > 0, "no good request of the kind {kind} is known");
    if kind == Kind::EcrSns {
        check_unsigned(body, lines);
    }
    if kind == Kind::ArtifactRegistry {
        check_token(body, lines);
    }
}

fn split(input: &[u8]) -> (&[u8], &[u8]) {
    let at = input.windows(BETWEEN.len()).position(|window| window == BETWEEN);
    at.map_or((input, &[]), |at| (&input[..at], &input[at + BETWEEN.len()..]))
}

fn check_way(known: &Known, body: &[u8], lines: &[u8]) {
    let mut request = known.request(SECRETS[0], body.to_vec());
    let has_own_headers = replace_headers(&mut request, lines);
    for registry in registries(known) {
        let sender = known.sender_with(Options { registry: registry.clone(), ..known.options() });
        match request.to(&sender) {
            Ok(parsed) => {
                judge(&parsed, registry.as_ref());
                assert_eq!(request.to(&sender), Ok(parsed), "read again, it says something else");
            }
            // One of its own headers was the credential, or a second one.
            Err(_) if has_own_headers => {}
            Err(refused) => panic!("{known:?}: a good request was refused: {refused}"),
        }
    }
    if known.is_signed() && !has_own_headers {
        request.body.push(b' ');
        assert_eq!(
            request.to(&known.sender()),
            Err(Unauthenticated::Wrong.into()),
            "another body has the same signature"
        );
    }
}

/// The host that is configured, and another.
fn registries(known: &Known) -> [Option<Host>; 2] {
    [known.options().registry, Some("elsewhere.example:5000".parse().unwrap())]
}

/// Reads a body that is answered for, as it is and inside the envelope of the kind.
fn check_reading(known: &Known, body: &[u8], lines: &[u8]) {
    let headers =
        known.headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    let mut request = Request { headers: headers.collect(), query: None, body: body.to_vec() };
    replace_headers(&mut request, lines);
    let head = Head { headers: &request.headers, query: None };
    for registry in registries(known) {
        let read = |kind: Kind, body: &[u8]| {
            let reader = Reader::new(kind, Options { registry: registry.clone(), ..known.options() }).unwrap();
            let parsed = reader.parse(&Verified::answered_for(body), &head);
            judge(&parsed, registry.as_ref());
            assert_eq!(
                reader.parse(&Verified::answered_for(body), &head),
                parsed,
                "read again, it says something else"
            );
            parsed
        };
        let parsed = read(known.kind, body);
        if let Asks::Confirmation(_) = parsed.asks {
            assert_eq!(parsed.elements, [], "what asks for a confirmation announces something as well");
        }
        if let Some((enveloped, kind)) = in_envelope(known.kind, body) {
            let (inside, outside) = (read(known.kind, &enveloped), read(kind, body));
            assert_eq!(pushed(&inside), pushed(&outside), "in its envelope it announces something else");
        }
    }
}

/// The body as it stands inside a message of that kind, and which kind sends it without one.
fn in_envelope(kind: Kind, body: &[u8]) -> Option<(Vec<u8>, Kind)> {
    if kind == Kind::EcrSns {
        let text = std::str::from_utf8(body).ok()?;
        let notification = json!({ "Type": "Notification", "MessageId": "n1", "Message": text });
        return Some((notification.to_string().into_bytes(), Kind::Ecr));
    }
    let is_envelope = fields(body).contains_key("message");
    let message = json!({ "message": { "messageId": "m1", "data": STANDARD.encode(body) } });
    (!is_envelope).then(|| (message.to_string().into_bytes(), kind))
}

/// The fields of a body, none where it is no object.
fn fields(body: &[u8]) -> BTreeMap<String, Box<RawValue>> {
    serde_json::from_slice(body.trim_ascii()).unwrap_or_default()
}

/// The text in a field of a body.
fn claimed(body: &[u8], name: &str) -> Option<String> {
    serde_json::from_str(fields(body).get(name)?.get()).ok()
}

/// What it announces, without what can not be used.
fn pushed(parsed: &Parsed) -> Vec<&Element> {
    parsed.elements.iter().filter(|element| matches!(element, Element::Pushed(_))).collect()
}

/// Puts headers in the place of those of the same name, and tells whether there is one.
fn replace_headers(request: &mut Request, lines: &[u8]) -> bool {
    let mut own = Vec::new();
    for line in lines.split(|byte| *byte == b'\n').take(MOST_HEADERS) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            own.push((name, value));
        }
    }
    for (name, _) in &own {
        request.headers.remove(name);
    }
    for (name, value) in &own {
        request.headers.append(name, value.clone());
    }
    !own.is_empty()
}

/// An Amazon SNS of their own, and a sender that knows where it is: one at a time looks at what it was asked for.
fn unsigned() -> &'static Mutex<(Sns, Sender)> {
    static UNSIGNED: OnceLock<Mutex<(Sns, Sender)>> = OnceLock::new();
    UNSIGNED.get_or_init(|| {
        let sns = world().runtime.block_on(Sns::start(TOPIC)).unwrap();
        let endpoint = Some(sns.endpoint().parse().unwrap());
        let topic = Topic::new(TopicSettings { endpoint, ..ECR_SNS.topic() }).unwrap();
        Mutex::new((sns, Sender::new(Kind::EcrSns, topic, Options::default()).unwrap()))
    })
}

/// Brings a message that Amazon SNS has not signed: nobody is visited but for a certificate that it names.
fn check_unsigned(body: &[u8], lines: &[u8]) {
    let unsigned = unsigned().lock().unwrap_or_else(PoisonError::into_inner);
    let (sns, sender) = &*unsigned;
    let mut request = Request { headers: HeaderMap::new(), query: None, body: body.to_vec() };
    replace_headers(&mut request, lines);
    let asked_before = sns.asked().len();
    let outcome = request.to(sender);
    assert!(matches!(outcome, Err(Refused::Forbidden(_) | Refused::Unavailable(_))), "it was not refused: {outcome:?}");
    let asked = sns.asked();
    assert!(asked.len() <= MOST_FETCHED, "{} certificates were fetched", asked.len());
    for path in &asked[asked_before..] {
        assert!(path.ends_with(".pem"), "{path} is no certificate");
        assert_eq!(claimed(body, "TopicArn").as_deref(), Some(TOPIC), "{path} was fetched for another topic");
        let url: Url = claimed(body, "SigningCertURL").unwrap().parse().unwrap();
        assert_eq!((url.origin(), url.path()), (SNS.parse::<Url>().unwrap().origin(), path.as_str()));
    }
    confirm(sender, &request);
    assert_eq!(sns.asked(), asked, "an address was visited that is not Amazon's");
}

/// Confirms what a message asks for as though it had been signed, unless that is at Amazon SNS and may be visited.
fn confirm(sender: &Sender, request: &Request) {
    let head = Head { headers: &request.headers, query: None };
    let Asks::Confirmation(confirmation) = sender.parse(&Verified::answered_for(&request.body), &head).asks else {
        return;
    };
    let is_theirs = claimed(&request.body, "SubscribeURL").is_some_and(|url| url.starts_with(&format!("{SNS}/?")));
    if !is_theirs {
        let outcome = world().runtime.block_on(sender.confirm(&confirmation));
        assert!(matches!(outcome, Err(Refused::Invalid(_))), "it was confirmed: {outcome:?}");
    }
}

/// Brings the input in the place of an identity token, with and without the scheme before it, and with none at all.
fn check_token(body: &[u8], lines: &[u8]) {
    static SENDER: OnceLock<Sender> = OnceLock::new();
    let sender = SENDER.get_or_init(|| ARTIFACT_REGISTRY.sender());
    let mut request = Request { headers: HeaderMap::new(), query: None, body: body.to_vec() };
    replace_headers(&mut request, lines);
    let refuse = |request: &Request| {
        let outcome = request.to(sender);
        let is_refused = matches!(outcome, Err(Refused::Token(_) | Refused::Unauthenticated(_)));
        assert!(is_refused, "{:?} was not refused: {outcome:?}", request.headers.get(AUTHORIZATION));
    };
    refuse(&request);
    for before in ["", "Bearer "] {
        let Ok(value) = HeaderValue::from_bytes(&[before.as_bytes(), body].concat()) else { continue };
        request.headers.insert(AUTHORIZATION, value);
        refuse(&request);
    }
}

fn judge(parsed: &Parsed, registry: Option<&Host>) {
    assert!((1..=128).contains(&parsed.id.len()), "the id {:?}", parsed.id);
    assert!(parsed.id.bytes().all(|byte| byte.is_ascii_graphic()), "the id {:?}", parsed.id);
    let (mut seen, mut unusable) = (BTreeSet::new(), 0);
    for element in &parsed.elements {
        match element {
            Element::Pushed(pushed) => {
                judge_pushed(pushed, registry);
                let once = seen.insert((&pushed.repository, &pushed.tag, &pushed.claimed_digest));
                assert!(once, "{pushed:?} is announced twice");
            }
            Element::Unusable { text, reason } => {
                unusable += 1;
                judge_excerpt(text);
                judge_excerpt(reason);
                assert!(!reason.is_empty(), "{text:?} is unusable without a reason");
            }
        }
    }
    if let Asks::Validation(code) = &parsed.asks {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        assert!((1..=128).contains(&code.len()) && code.bytes().all(is_plain), "{code:?} would be echoed");
    }
    // Two sentences are about those that are left out.
    assert!(unusable <= MOST_UNUSABLE + 2 && seen.len() <= MOST_PUSHED, "{} elements", parsed.elements.len());
    assert!(parsed.unwanted <= MOST_PUSHED, "{} unwanted", parsed.unwanted);
}

/// Whatever is announced is a legal name, and written as a name it is the same one.
fn judge_pushed(pushed: &Pushed, registry: Option<&Host>) {
    let Pushed { repository, tag, claimed_digest, run: None } = pushed else { panic!("no registry knows a run") };
    assert_eq!(repository.to_string().parse().as_ref(), Ok(repository));
    assert_eq!(tag.as_str().parse().as_ref(), Ok(tag));
    assert!(repository.to_string().len() <= 255 && tag.as_str().len() <= 128, "{pushed:?}");
    assert!(claimed_digest.as_ref().is_none_or(|digest| digest.as_str().parse::<Digest>().as_ref() == Ok(digest)));
    assert!(registry.is_none_or(|host| host == repository.host()), "{repository} is not of the configured registry");
}

fn judge_excerpt(text: &str) {
    assert!(text.len() <= LONGEST_EXCERPT, "{} bytes are kept: {text:?}", text.len());
    let passes = |one: char| matches!(one, '\n' | '\t') || !one.is_control();
    assert!(text.chars().all(passes), "a control character is passed on: {text:?}");
}
