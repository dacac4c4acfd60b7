//! What holds of whatever the forge announces: the tests and the fuzzer hold every message to it.

use std::collections::BTreeSet;

use domain::{announcement::Announcement, excerpt::MOST_UNUSABLE};
use forge::webhook::{Parsed, authenticate, parse};
use hmac::{Hmac, Mac as _};
use secrecy::SecretString;
use sha2::Sha256;

use crate::excerpt::judge_excerpt;

/// The events that are read, one for each of their forms; what an event is called decides nothing else.
const EVENTS: [&str; 3] = ["push", "installation", "installation_repositories"];

/// As short as the object can be that names a repository.
const SHORTEST_NAME: usize = br#"{"full_name":"a/b"}"#.len();

/// Receives a body that is signed as the forge signs, and judges what is read.
pub(crate) fn check(body: &[u8]) {
    let secret = "It's a Secret to Everybody";
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key will do").chain_update(body).finalize();
    let signature = format!("sha256={}", hex::encode(mac.into_bytes()));
    let secrets = [SecretString::from("another"), SecretString::from(secret)];
    let verified = authenticate(&secrets, Some(&signature), body).expect("it is signed");
    for event in EVENTS {
        let parsed = parse(event, verified);
        judge(&parsed, body);
        assert_eq!(parse(event, verified), parsed, "read again, it says something else");
    }
    assert_eq!(parse("ping", verified), Parsed::default());
    let another = [body, b" "].concat();
    assert!(authenticate(&secrets, Some(&signature), &another).is_err(), "another body has the same signature");
}

fn judge(parsed: &Parsed, body: &[u8]) {
    let mut seen = BTreeSet::new();
    for announcement in &parsed.announcements {
        let Announcement::Moved(moved) = announcement else { panic!("a {announcement:?} of the forge") };
        let repository = &moved.repository;
        assert_eq!(repository.to_string().parse().as_ref(), Ok(repository));
        assert!(seen.insert(repository), "{repository} is named twice");
    }
    assert!(seen.len() * SHORTEST_NAME <= body.len(), "{} repositories of {} bytes", seen.len(), body.len());
    assert!(parsed.unusable.len() <= MOST_UNUSABLE + 1, "{} unusable parts", parsed.unusable.len());
    for one in &parsed.unusable {
        judge_excerpt(&one.text);
        judge_excerpt(&one.reason);
        assert!(!one.reason.is_empty(), "{:?} is unusable without a reason", one.text);
    }
}
