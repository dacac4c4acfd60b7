//! Which tokens of Google's are good for a subscription of Pub/Sub.

use registry::webhook::{InvalidTrust, Options, PubSub, PubSubSettings, Refused, Sender};
use sandbox::senders::Google;
use serde_json::{Value, json};

use crate::known::{
    ACCOUNT, ARTIFACT_REGISTRY, ARTIFACT_REGISTRY_UNWRAPPED, AUDIENCE, Known, Request, SECRETS, now, world,
};

/// A good request whose token has these claims in place of others; null takes one away.
fn request(others: &Value) -> Request {
    let mut claims = Google::claims(AUDIENCE, ACCOUNT, now());
    for (name, value) in others.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    let mut request = ARTIFACT_REGISTRY.request(SECRETS[0], ARTIFACT_REGISTRY.body());
    request.headers.clear();
    request.append("authorization", &format!("Bearer {}", world().google.sign(&claims).unwrap()));
    request
}

fn check(others: &Value, expected: Result<(), &str>) {
    let outcome = request(others).to(&ARTIFACT_REGISTRY.sender()).map(|_| ());
    assert_eq!(outcome, expected.map_err(|why| Refused::Token(why.to_owned())), "{others}");
}

#[test]
fn each_claim_that_is_wrong_is_refused_with_its_name() {
    let at = |seconds: i64| now().timestamp() + seconds;
    check(&json!({}), Ok(()));
    check(&json!({ "iss": "accounts.google.com" }), Ok(()));
    for issuer in ["https://accounts.google.com.evil.example", "http://accounts.google.com", "https://evil.example", ""]
    {
        check(&json!({ "iss": issuer }), Err("the token is of another issuer (iss)"));
    }
    let audience = Err("the token was made for another audience (aud); expected https://tagferry.example/v1/hooks/gar");
    check(&json!({ "aud": "https://other.example" }), audience);
    check(&json!({ "aud": format!("{AUDIENCE}/") }), audience);
    let account = Err("the token is of another account (email)");
    check(&json!({ "email": "evil@evil.iam.gserviceaccount.com" }), account);
    check(&json!({ "email": ACCOUNT.to_uppercase() }), account);
    check(&json!({ "email_verified": false }), Err("the token's address is not verified (email_verified)"));
    check(&json!({ "exp": at(-31) }), Err("the token has expired (exp)"));
    check(&json!({ "iat": at(61) }), Err("the token is not valid yet (nbf, iat)"));
    let claims = |why: &str| format!("the token's claims are not as expected: {why}");
    for name in ["iss", "aud", "exp", "iat", "email", "email_verified"] {
        check(&json!({ name: null }), Err(&claims(&format!("missing field `{name}`"))));
    }
    let list = claims("invalid type: sequence, expected a string");
    check(&json!({ "aud": [AUDIENCE] }), Err(&list));
    check(&json!({ "email": [ACCOUNT] }), Err(&list));
    let text = claims("invalid type: string \"true\", expected a boolean");
    check(&json!({ "email_verified": "true" }), Err(&text));
}

#[test]
fn only_a_bearer_token_is_a_token() {
    for wrong in ["", "Bearer", "Bearer a.b.c", "Basic dGFnZmVycnk6eA==", "Bearer-old-4f1d"] {
        let mut request = request(&json!({}));
        request.headers.clear();
        request.append("authorization", wrong);
        assert!(request.to(&ARTIFACT_REGISTRY.sender()).is_err(), "{wrong}");
    }
}

#[test]
fn without_googles_keys_it_can_not_be_told_who_it_is() {
    let (google, sender) = world().runtime.block_on(async {
        let google = Google::start().await.unwrap();
        let keys_url = Some(google.keys_url().parse().unwrap());
        let pub_sub = PubSub::new(PubSubSettings { keys_url, ..ARTIFACT_REGISTRY.pub_sub() }).unwrap();
        (google, Sender::new(ARTIFACT_REGISTRY.kind, pub_sub, Options::default()).unwrap())
    });
    let mut request = request(&json!({}));
    request.headers.clear();
    let token = google.sign(&Google::claims(AUDIENCE, ACCOUNT, now())).unwrap();
    request.append("authorization", &format!("Bearer {token}"));
    google.set_status(503);
    let unavailable = Err(Refused::Unavailable("the keys of the token's issuer are not to be had"));
    assert_eq!(request.to(&sender), unavailable);
    google.set_status(200);
    assert_eq!(request.to(&sender), unavailable, "the keys are asked for once a minute at most");
    let later = now() + chrono::TimeDelta::seconds(61);
    assert!(request.to_at(&sender, later).is_ok());
    google.set_status(503);
    assert!(request.to_at(&sender, later).is_ok());
    assert_eq!(google.asked(), 2);
}

#[test]
fn a_message_of_another_subscription_is_refused_where_one_is_configured() {
    let check = |known: &Known, subscription: &str, expected: Result<(), &str>| {
        let subscription = Some(subscription.to_owned());
        let pub_sub = PubSub::new(PubSubSettings { subscription, ..known.pub_sub() }).unwrap();
        let sender = Sender::new(known.kind, pub_sub, Options::default()).unwrap();
        let outcome = known.request(SECRETS[0], known.body()).to(&sender).map(|_| ());
        assert_eq!(
            outcome,
            expected.map_err(|why| Refused::Forbidden(why.to_owned())),
            "{subscription_name}",
            subscription_name = known.fixture
        );
    };
    check(&ARTIFACT_REGISTRY, "projects/acme-prod/subscriptions/tagferry", Ok(()));
    let other = Err("the message comes by another subscription");
    check(&ARTIFACT_REGISTRY, "projects/acme-prod/subscriptions/other", other);
    let nameless =
        Err("the message does not name its subscription: turn payload unwrapping off, or take `subscription` away");
    check(&ARTIFACT_REGISTRY_UNWRAPPED, "projects/acme-prod/subscriptions/tagferry", nameless);
}

#[test]
fn keys_that_anybody_on_the_way_could_change_are_not_used() {
    let keys_url = Some("http://keys.example/certs".parse().unwrap());
    let refusal = PubSub::new(PubSubSettings { keys_url, ..ARTIFACT_REGISTRY.pub_sub() }).err();
    assert_eq!(refusal, Some(InvalidTrust::Unprotected("keys_url")));
    assert!(PubSub::new(PubSubSettings { keys_url: None, ..ARTIFACT_REGISTRY.pub_sub() }).is_ok());
}

#[test]
fn a_message_without_an_envelope_is_known_by_its_id_and_its_body_together() {
    let id = |header: Option<&str>, body: Vec<u8>| {
        let mut request = ARTIFACT_REGISTRY_UNWRAPPED.request(SECRETS[0], body);
        request.headers.remove("x-goog-pubsub-message-id");
        if let Some(header) = header {
            request.append("x-goog-pubsub-message-id", header);
        }
        request.to(&ARTIFACT_REGISTRY_UNWRAPPED.sender()).unwrap().id
    };
    let (body, other) = (ARTIFACT_REGISTRY_UNWRAPPED.body(), ARTIFACT_REGISTRY_UNWRAPPED.edited(&[]));
    assert_eq!(id(Some("1"), body.clone()), id(Some("1"), body.clone()));
    assert_ne!(id(Some("1"), body.clone()), id(Some("2"), body.clone()));
    assert_ne!(id(Some("1"), body.clone()), id(Some("1"), other.clone()));
    assert_ne!(id(None, body), id(None, other));
}
