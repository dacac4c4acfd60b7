//! Which requests are let in.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;

fn secrets() -> Secrets {
    Secrets::new(vec!["old".into(), "p@ss:word".into()]).unwrap()
}

/// Whether a request with these headers and that query is let in by a secret in its head.
fn check(
    places: &'static [Place],
    headers: &[(&'static str, &str)],
    query: &str,
    expected: Result<(), Unauthenticated>,
) {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    let head = Head { headers: &map, query: Some(query).filter(|query| !query.is_empty()) };
    let admitted = has_secret(places, &secrets(), &head).map(|_| ());
    assert_eq!(admitted, expected, "{headers:?} {query}");
}

#[test]
fn a_header_is_one_and_entirely_a_secret() {
    const PLACES: &[Place] = &[Place::Header("x-webhook-secret")];
    check(PLACES, &[], "", Err(Unauthenticated::Missing));
    for good in ["old", "p@ss:word"] {
        check(PLACES, &[("x-webhook-secret", good)], "", Ok(()));
    }
    for wrong in ["", "ol", "old ", "Bearer old", "OLD"] {
        check(PLACES, &[("x-webhook-secret", wrong)], "", Err(Unauthenticated::Wrong));
    }
    check(PLACES, &[("x-webhook-secret", "old"), ("x-webhook-secret", "old")], "", Err(Unauthenticated::Several));
    check(PLACES, &[("authorization", "old")], "secret=old", Err(Unauthenticated::Missing));
}

#[test]
fn a_password_may_have_colons_and_any_user() {
    const PLACES: &[Place] = &[Place::Basic];
    for user in ["", "eventbridge"] {
        let good = format!("Basic {}", STANDARD.encode(format!("{user}:p@ss:word")));
        check(PLACES, &[("authorization", &good)], "", Ok(()));
        check(PLACES, &[("authorization", &good.replace("Basic", "basic"))], "", Ok(()));
    }
    for wrong in ["", "old", "Basic", "Basic ", "Basic old", "Basic b2xk", "Bearer OnBAc3M6d29yZA==", "Basic OnBAc3M="]
    {
        check(PLACES, &[("authorization", wrong)], "", Err(Unauthenticated::Wrong));
    }
}

#[test]
fn a_bearer_token_is_taken_behind_its_scheme() {
    const PLACES: &[Place] = &[Place::Bearer];
    check(PLACES, &[("authorization", "Bearer old")], "", Ok(()));
    check(PLACES, &[("authorization", "bearer old")], "", Ok(()));
    for wrong in ["old", "Bearer", "Bearer  old", "Bearer old,", "Basic old", "Bearer\told"] {
        check(PLACES, &[("authorization", wrong)], "", Err(Unauthenticated::Wrong));
    }
}

#[test]
fn a_secret_in_the_address_is_there_once_and_decoded() {
    const PLACES: &[Place] = &[Place::Query("secret"), Place::Query("token"), Place::Basic];
    for good in ["secret=old", "token=old", "a=b&secret=p%40ss%3Aword", "secret=p@ss:word&c"] {
        check(PLACES, &[], good, Ok(()));
    }
    for none in ["", "Secret=old", "secrets=old", "old"] {
        check(PLACES, &[], none, Err(Unauthenticated::Missing));
    }
    for wrong in ["secret=", "secret", "secret=OLD", "token=old+", "secret=%ff"] {
        check(PLACES, &[], wrong, Err(Unauthenticated::Wrong));
    }
    for several in ["secret=old&secret=old", "secret=wrong&token=old", "secret=old&token="] {
        check(PLACES, &[], several, Err(Unauthenticated::Several));
    }
    check(PLACES, &[("authorization", "Basic Om9sZA==")], "", Ok(()));
    check(PLACES, &[("authorization", "Basic Om9sZA==")], "secret=old", Err(Unauthenticated::Several));
}

#[test]
fn one_header_may_hold_the_secret_in_either_form() {
    const PLACES: &[Place] = &[Place::Header("authorization"), Place::Basic];
    check(PLACES, &[("authorization", "old")], "", Ok(()));
    check(PLACES, &[("authorization", "Basic Om9sZA==")], "", Ok(()));
    check(PLACES, &[("authorization", "Basic Om9sZB==")], "", Err(Unauthenticated::Wrong));
}

const SHA256: Signature =
    Signature { headers: &["x-hub-signature-256", "x-signature"], prefix: "sha256=", algorithm: Algorithm::Sha256 };

/// Lets in or refuses a body with that secret, by headers that are given.
fn verify(secret: &str, headers: &[(&'static str, &str)], body: &[u8]) -> Result<(), Unauthenticated> {
    let secrets = Secrets::new(vec!["another".into(), secret.into()]).unwrap();
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    let head = Head { headers: &map, query: None };
    let signed = Signed { secrets: &secrets, algorithm: SHA256.algorithm, claimed: SHA256.claimed(&head)? };
    signed.verify(body).map(|_| ())
}

/// The example of
/// <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation>.
const VECTOR: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

#[test]
fn a_signature_is_of_the_raw_body_and_made_with_any_of_the_secrets() {
    let check = |headers: &[(&'static str, &str)], body: &str, expected| {
        assert_eq!(verify("It's a Secret to Everybody", headers, body.as_bytes()), expected, "{headers:?} {body}");
    };
    let name = "x-hub-signature-256";
    check(&[(name, VECTOR)], "Hello, World!", Ok(()));
    check(&[("x-signature", VECTOR)], "Hello, World!", Ok(()));
    check(&[(name, &VECTOR.to_uppercase().replace("SHA", "sha"))], "Hello, World!", Ok(()));
    for body in ["", "Hello, World", "Hello, World!\n"] {
        check(&[(name, VECTOR)], body, Err(Unauthenticated::Wrong));
    }
    check(&[], "Hello, World!", Err(Unauthenticated::Missing));
    check(&[(name, VECTOR), (name, VECTOR)], "Hello, World!", Err(Unauthenticated::Several));
    for wrong in
        ["", "sha256=", VECTOR.trim_start_matches("sha256="), VECTOR.trim_end_matches('7'), "SHA256=00", "sha1=00"]
    {
        check(&[(name, wrong)], "Hello, World!", Err(Unauthenticated::Wrong));
    }
    assert_eq!(verify("another one", &[(name, VECTOR)], b"Hello, World!"), Err(Unauthenticated::Wrong));
}
