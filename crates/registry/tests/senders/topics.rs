//! Which messages of Amazon SNS are a topic's.

use chrono::{DateTime, TimeDelta, Utc};
use registry::webhook::{Asks, Kind, Options, Parsed, Refused, Sender, Topic, TopicSettings};
use sandbox::senders::Sns;
use serde_json::{Value, json};

use crate::known::{ECR, ECR_SNS, Request, SECRETS, TOPIC, now, world};

const CERTIFICATE: &str = "/SimpleNotificationService-5a2d0f.pem";

/// An SNS of its own, and a sender that knows where it is.
struct Scene {
    sns: Sns,
    sender: Sender,
}

impl Scene {
    fn new() -> Self {
        let sns = world().runtime.block_on(Sns::start(TOPIC)).unwrap();
        let endpoint = Some(sns.endpoint().parse().unwrap());
        let sender = sender(TopicSettings { endpoint, ..ECR_SNS.topic() });
        Self { sns, sender }
    }

    fn notification(&self) -> Value {
        self.sns.notification("n1", &String::from_utf8(ECR.body()).unwrap(), now())
    }

    /// Receives a message after it is signed.
    fn receive(&self, message: &Value) -> Result<Parsed, Refused> {
        self.receive_at(&self.sns.sign(message).unwrap(), now())
    }

    fn receive_at(&self, body: &str, at: DateTime<Utc>) -> Result<Parsed, Refused> {
        request(body).to_at(&self.sender, at)
    }

    fn confirm(&self, parsed: &Parsed) -> Result<(), Refused> {
        let Asks::Confirmation(confirmation) = &parsed.asks else { panic!("{parsed:?}") };
        world().runtime.block_on(self.sender.confirm(confirmation))
    }
}

fn sender(settings: TopicSettings) -> Sender {
    Sender::new(Kind::EcrSns, Topic::new(settings).unwrap(), Options::default()).unwrap()
}

fn request(body: &str) -> Request {
    Request { headers: http::HeaderMap::new(), query: None, body: body.as_bytes().to_vec() }
}

fn forbidden<T>(why: &str) -> Result<T, Refused> {
    Err(Refused::Forbidden(why.to_owned()))
}

const UNAVAILABLE: Refused = Refused::Unavailable("the certificate of Amazon SNS is not to be had");

#[test]
fn a_certificate_is_fetched_once_for_all_messages() {
    let scene = Scene::new();
    for _ in 0..3 {
        assert_eq!(scene.receive(&scene.notification()).unwrap().id, "n1");
    }
    assert_eq!(scene.sns.asked(), [CERTIFICATE]);
}

#[test]
fn every_signed_field_that_was_changed_is_found() {
    let scene = Scene::new();
    let mut message = scene.notification();
    message["Subject"] = json!("\"é\"\n");
    let body = scene.sns.sign(&message).unwrap();
    assert!(scene.receive_at(&body, now()).is_ok());
    let signed: Value = serde_json::from_str(&body).unwrap();
    for (name, value) in [
        ("Message", json!("{}")),
        ("MessageId", json!("n2")),
        ("Subject", json!("s")),
        ("Subject", json!(null)),
        ("Timestamp", json!("2026-07-01T12:01:01.000Z")),
        ("SignatureVersion", json!("2")),
        ("Signature", json!("AAAA")),
        ("Signature", json!("")),
    ] {
        let mut changed = signed.clone();
        changed[name] = value;
        let outcome = scene.receive_at(&changed.to_string(), now()).map(|_| ());
        let expected = if changed == signed { Ok(()) } else { forbidden("the signature is wrong") };
        assert_eq!(outcome, expected, "{name}");
    }
}

#[test]
fn what_can_be_told_without_a_certificate_is_told_before_one_is_fetched() {
    let scene = Scene::new();
    let check = |name: &str, value: Value, why: &str| {
        let mut message = scene.notification();
        message[name] = value;
        assert_eq!(scene.receive(&message).map(|_| ()), forbidden(why), "{name}");
    };
    check(
        "TopicArn",
        json!("arn:aws:sns:eu-central-1:999999999999:ecr-push"),
        "the message is of another topic (TopicArn)",
    );
    check("Type", json!("Other"), "Type is not a type of message of Amazon SNS");
    check("Message", json!(null), "Message is missing");
    let sha1 = "the signature is made with SHA-1: set the topic's SignatureVersion to 2, or `allow_sha1` here";
    check("SignatureVersion", json!("1"), sha1);
    for unknown in ["3", "", "02"] {
        check("SignatureVersion", json!(unknown), "the signature is of an unknown version (SignatureVersion)");
    }
    for url in [
        "http://sns.eu-central-1.amazonaws.com/x.pem",
        "https://sns.us-west-2.amazonaws.com/x.pem",
        "https://sns.eu-central-1.amazonaws.com.evil.example/x.pem",
        "https://127.0.0.1/x.pem",
        "file:///etc/passwd",
        &format!("{}/x.pem", scene.sns.endpoint()),
    ] {
        check("SigningCertURL", json!(url), "the certificate is not one of Amazon SNS in the topic's region");
    }
    let raw = String::from_utf8(ECR.body()).unwrap();
    assert_eq!(scene.receive_at(&raw, now()).map(|_| ()), forbidden("Timestamp is missing"));
    let mut declared = request(&raw);
    declared.append("x-amz-sns-rawdelivery", "true");
    let why = "a raw message is not signed: turn raw message delivery off at the subscription";
    assert_eq!(declared.to(&scene.sender).map(|_| ()), forbidden(why));
    assert!(scene.sns.asked().is_empty());
}

#[test]
fn a_message_is_good_for_an_hour() {
    let scene = Scene::new();
    let body = scene.sns.sign(&scene.notification()).unwrap();
    let after = |seconds: i64| scene.receive_at(&body, now() + TimeDelta::seconds(seconds)).map(|parsed| parsed.id);
    assert_eq!(after(3600), Ok("n1".to_owned()));
    assert_eq!(after(0), after(60), "a message that comes again has the same id");
    assert_eq!(after(3601), forbidden("the message is older than an hour (Timestamp)"));
}

#[test]
fn a_certificate_counts_only_in_its_time() {
    let scene = Scene::new();
    scene.sns.set_validity(now() - TimeDelta::days(1)..now() + TimeDelta::minutes(10));
    assert!(scene.receive(&scene.notification()).is_ok());
    let mut message = scene.notification();
    message["Timestamp"] = json!("2026-07-01T12:11:00.000Z");
    let body = scene.sns.sign(&message).unwrap();
    let expired = forbidden("the certificate is not valid at this time");
    assert_eq!(scene.receive_at(&body, now() + TimeDelta::minutes(11)).map(|_| ()), expired);
    let scene = Scene::new();
    scene.sns.set_validity(now() + TimeDelta::seconds(1)..now() + TimeDelta::days(1));
    assert_eq!(scene.receive(&scene.notification()).map(|_| ()), expired);
}

#[test]
fn without_a_certificate_it_can_not_be_told_and_the_next_message_asks_again() {
    let scene = Scene::new();
    for status in [404, 302, 503] {
        scene.sns.set_status(status);
        assert_eq!(scene.receive(&scene.notification()).map(|_| ()), Err(UNAVAILABLE), "{status}");
    }
    scene.sns.set_status(200);
    for text in ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", &"a".repeat(70_000)]
    {
        scene.sns.set_certificate(text);
        assert_eq!(scene.receive(&scene.notification()).map(|_| ()), Err(UNAVAILABLE));
    }
    scene.sns.set_validity(now() - TimeDelta::days(1)..now() + TimeDelta::days(1));
    assert!(scene.receive(&scene.notification()).is_ok());
    assert!(scene.sns.asked().iter().all(|asked| asked == CERTIFICATE), "a redirect is not followed");
}

#[test]
fn invented_certificates_are_asked_for_ten_times_a_minute_at_most() {
    let scene = Scene::new();
    assert!(scene.receive(&scene.notification()).is_ok());
    scene.sns.set_status(404);
    for number in 0..20 {
        let mut message = scene.notification();
        message["SigningCertURL"] = json!(format!("https://sns.eu-central-1.amazonaws.com/{number}.pem"));
        assert_eq!(scene.receive(&message).map(|_| ()), Err(UNAVAILABLE));
    }
    assert_eq!(scene.sns.asked().len(), 10);
    assert!(scene.receive(&scene.notification()).is_ok(), "what is kept needs nobody");
    let later = now() + TimeDelta::seconds(61);
    let mut message = scene.notification();
    message["SigningCertURL"] = json!("https://sns.eu-central-1.amazonaws.com/new.pem");
    scene.sns.set_status(200);
    assert!(scene.receive_at(&scene.sns.sign(&message).unwrap(), later).is_ok());
}

#[test]
fn sha1_is_taken_only_where_it_is_allowed() {
    let scene = Scene::new();
    let path = format!("{}/tests/fixtures/ecr-sns-signing-certificate.pem", env!("CARGO_MANIFEST_DIR"));
    scene.sns.set_certificate(&std::fs::read_to_string(path).unwrap());
    let endpoint = Some(scene.sns.endpoint().parse().unwrap());
    let lenient = sender(TopicSettings { allow_sha1: true, endpoint, ..ECR_SNS.topic() });
    let body = String::from_utf8(ECR_SNS.body()).unwrap();
    assert!(matches!(request(&body).to(&scene.sender), Err(Refused::Forbidden(why)) if why.contains("SHA-1")));
    let outcome = request(&body).to(&lenient);
    assert_eq!(outcome.unwrap().elements.len(), 1);
    let declared = body.replace(r#""SignatureVersion": "1""#, r#""SignatureVersion": "2""#);
    assert_eq!(request(&declared).to(&lenient).map(|_| ()), forbidden("the signature is wrong"));
}

#[test]
fn a_subscription_is_confirmed_once_its_message_is_verified_and_at_sns_only() {
    let scene = Scene::new();
    let message = scene.sns.about_subscription("SubscriptionConfirmation", now());
    let parsed = scene.receive(&message).unwrap();
    assert_eq!((parsed.elements.len(), parsed.unwanted), (0, 1));
    assert_eq!(scene.sns.asked(), [CERTIFICATE], "it is not visited before somebody says so");
    assert_eq!(scene.confirm(&parsed), Ok(()));
    let visited = format!("/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=23364");
    assert_eq!(scene.sns.asked(), [CERTIFICATE, &visited]);
    for status in [302, 403, 500] {
        scene.sns.set_status(status);
        let failed = Refused::Unavailable("the subscription could not be confirmed at Amazon SNS");
        assert_eq!(scene.confirm(&parsed), Err(failed), "{status}");
    }
    let asked = scene.sns.asked().len();
    assert_eq!(asked, 5, "a redirect is not followed");
    for url in [
        "https://sns.eu-central-1.amazonaws.com.evil.example/?Action=ConfirmSubscription",
        "https://sns.us-west-2.amazonaws.com/?Action=ConfirmSubscription",
        "https://sns.eu-central-1.amazonaws.com/x.pem",
        "http://169.254.169.254/latest/meta-data/",
        "",
    ] {
        let mut message = message.clone();
        message["SubscribeURL"] = json!(url);
        let refused = Refused::Invalid("SubscribeURL is not an address of Amazon SNS in the topic's region");
        assert_eq!(scene.confirm(&scene.receive(&message).unwrap()), Err(refused), "{url}");
    }
    assert_eq!(scene.sns.asked().len(), asked, "no other address is visited");
}

#[test]
fn every_signed_field_about_a_subscription_that_was_changed_is_found() {
    let scene = Scene::new();
    for kind in ["SubscriptionConfirmation", "UnsubscribeConfirmation"] {
        let body = scene.sns.sign(&scene.sns.about_subscription(kind, now())).unwrap();
        for name in ["Token", "SubscribeURL", "Message"] {
            let mut changed: Value = serde_json::from_str(&body).unwrap();
            changed[name] = json!("x");
            let outcome = scene.receive_at(&changed.to_string(), now()).map(|_| ());
            assert_eq!(outcome, forbidden("the signature is wrong"), "{kind} {name}");
        }
    }
}

#[test]
fn a_subscription_that_was_removed_is_for_people_and_is_not_made_again() {
    let scene = Scene::new();
    let parsed = scene.receive(&scene.sns.about_subscription("UnsubscribeConfirmation", now())).unwrap();
    assert!(matches!(parsed.asks, Asks::Attention(why) if why.contains("removed the subscription")), "{parsed:?}");
    assert_eq!(scene.sns.asked(), [CERTIFICATE]);
}

#[test]
fn a_message_of_another_sns_is_refused() {
    let (scene, other) = (Scene::new(), Scene::new());
    let body = other.sns.sign(&scene.notification()).unwrap();
    assert_eq!(scene.receive_at(&body, now()).map(|_| ()), forbidden("the signature is wrong"));
    assert!(ECR_SNS.request(SECRETS[0], ECR_SNS.body()).to(&scene.sender).is_err());
}
