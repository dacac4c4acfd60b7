//! What the forge announces: authenticated first, then understood.

use std::collections::BTreeSet;

use domain::{
    announcement::Announcement,
    excerpt::{MOST_UNUSABLE, excerpt, excerpt_of_bytes},
    forge::Repository,
};
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::Sha256;

/// The events that something about pull requests, checks, branches or our access can follow from
/// (<https://docs.github.com/en/webhooks/webhook-events-and-payloads>).
const EVENTS: &[&str] = &[
    "branch_protection_rule",
    "check_run",
    "check_suite",
    "installation",
    "installation_repositories",
    "merge_group",
    "pull_request",
    "pull_request_review",
    "push",
    "repository",
    "repository_ruleset",
    "status",
];

/// A body whose signature was checked.
#[derive(Clone, Copy, Debug)]
pub struct Verified<'a> {
    body: &'a [u8],
}

/// The signature is missing, malformed, or made with none of the secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature of the message is missing or wrong")]
pub struct Unauthenticated;

/// What a message says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// What may have moved; a repository is named once.
    pub announcements: Vec<Announcement>,
    /// What of it can not be used; bounded in number.
    pub unusable: Vec<Unusable>,
}

/// A part of a message that can not be understood, or that holds an illegal name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// How it begins; bounded in length, otherwise as it was sent: escape it where it is shown.
    pub text: String,
    /// Why, in one sentence.
    pub reason: String,
}

/// The parts of all events that name repositories.
#[derive(Deserialize)]
struct Message {
    repository: Option<Named>,
    #[serde(default)]
    repositories: Vec<Named>,
    #[serde(default)]
    repositories_added: Vec<Named>,
    #[serde(default)]
    repositories_removed: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    full_name: String,
}

impl<'a> Verified<'a> {
    /// A body that the caller answers for, with no signature: one from a file of whoever runs us. Never one that a
    /// request brings.
    #[must_use]
    pub const fn answered_for(body: &'a [u8]) -> Self {
        Self { body }
    }
}

/// Checks the header `X-Hub-Signature-256` against the raw body with each of the secrets, in constant time.
///
/// A list serves rotation; an empty secret matches nothing
/// (<https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>).
///
/// # Errors
///
/// None of the secrets made that signature.
pub fn authenticate<'a>(
    secrets: &[SecretString],
    signature_header: Option<&str>,
    body: &'a [u8],
) -> Result<Verified<'a>, Unauthenticated> {
    let claimed = signature_header
        .and_then(|header| header.trim().strip_prefix("sha256="))
        .and_then(|digits| hex::decode(digits).ok())
        .ok_or(Unauthenticated)?;
    let is_by = |secret: &SecretString| {
        let secret = secret.expose_secret().as_bytes();
        !secret.is_empty()
            && Hmac::<Sha256>::new_from_slice(secret)
                .is_ok_and(|mac| mac.chain_update(body).verify_slice(&claimed).is_ok())
    };
    if secrets.iter().any(is_by) { Ok(Verified { body }) } else { Err(Unauthenticated) }
}

/// Understands a message by the header `X-GitHub-Event`.
///
/// What is of no interest, as `ping` and events that we do not know, announces nothing and is not unusable.
#[must_use]
pub fn parse(event: &str, message: Verified<'_>) -> Parsed {
    let mut parsed = Parsed::default();
    if !EVENTS.contains(&event) {
        return parsed;
    }
    let message: Message = match serde_json::from_slice(message.body) {
        Ok(message) => message,
        Err(source) => {
            let reason = excerpt(&format!("the body of a {event} event: {source}"));
            parsed.unusable.push(Unusable { text: excerpt_of_bytes(message.body), reason });
            return parsed;
        }
    };
    let (mut seen, mut unusable) = (BTreeSet::new(), 0_usize);
    let lists = [message.repositories, message.repositories_added, message.repositories_removed];
    for named in message.repository.into_iter().chain(lists.into_iter().flatten()) {
        match named.full_name.parse::<Repository>() {
            Ok(repository) => {
                if seen.insert(repository.clone()) {
                    parsed.announcements.push(Announcement::Moved(repository));
                }
            }
            Err(source) => {
                unusable += 1;
                if unusable <= MOST_UNUSABLE {
                    let reason = format!("the name of a repository is not usable: {source}");
                    parsed.unusable.push(Unusable { text: excerpt(&named.full_name), reason });
                }
            }
        }
    }
    if let Some(more @ 1..) = unusable.checked_sub(MOST_UNUSABLE) {
        let reason = format!("{more} more names of this delivery are unusable");
        parsed.unusable.push(Unusable { text: String::new(), reason });
    }
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello, World!";
    const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn check(secrets: &[&str], signature: Option<&str>, body: &[u8], expected: bool) {
        let secrets: Vec<SecretString> = secrets.iter().map(|secret| SecretString::from(*secret)).collect();
        assert_eq!(authenticate(&secrets, signature, body).is_ok(), expected, "{signature:?}");
    }

    fn moved(repositories: &[&str]) -> Vec<Announcement> {
        repositories.iter().map(|one| Announcement::Moved(one.parse().unwrap())).collect()
    }

    fn parsed(event: &str, body: &str) -> Parsed {
        parse(event, Verified { body: body.as_bytes() })
    }

    #[test]
    fn githubs_own_example_is_authentic() {
        check(&[SECRET], Some(SIGNATURE), BODY, true);
        check(&["older", SECRET], Some(SIGNATURE), BODY, true);
    }

    #[test]
    fn anything_else_is_not() {
        check(&[SECRET], Some(SIGNATURE), b"Hello, World?", false);
        check(&["another"], Some(SIGNATURE), BODY, false);
        check(&[SECRET], None, BODY, false);
        check(&[], Some(SIGNATURE), BODY, false);
        for signature in ["", "sha256=", "sha256=757107ea", "sha1=757107ea", "sha256=xyz"] {
            check(&[SECRET], Some(signature), BODY, false);
        }
    }

    #[test]
    fn an_empty_secret_matches_nothing() {
        let mac = Hmac::<Sha256>::new_from_slice(b"").unwrap().chain_update(BODY).finalize();
        let signature = format!("sha256={}", hex::encode(mac.into_bytes()));
        check(&[""], Some(&signature), BODY, false);
    }

    #[test]
    fn an_event_announces_its_repository() {
        let body = r#"{"action":"closed","number":3,"repository":{"full_name":"acme/trinity"}}"#;
        for event in ["pull_request", "push", "check_suite", "check_run", "status", "merge_group"] {
            assert_eq!(parsed(event, body).announcements, moved(&["acme/trinity"]), "{event}");
        }
    }

    #[test]
    fn an_installation_announces_each_of_its_repositories_once() {
        let body = r#"{"action":"added","repositories_added":[{"full_name":"acme/a"},{"full_name":"acme/b"}],
            "repositories_removed":[{"full_name":"acme/a"}]}"#;
        let said = parsed("installation_repositories", body);
        assert_eq!(said.announcements, moved(&["acme/a", "acme/b"]));
    }

    #[test]
    fn one_bad_name_does_not_drop_the_good_ones() {
        let body = r#"{"repositories":[{"full_name":"../x"},{"full_name":"acme/b"}]}"#;
        let said = parsed("installation", body);
        assert_eq!(said.announcements, moved(&["acme/b"]));
        let [bad] = said.unusable.as_slice() else { panic!("{said:?}") };
        assert_eq!(bad.text, "../x");
        assert_eq!(
            bad.reason,
            "the name of a repository is not usable: a repository is written owner/name, with letters, digits and . _ -"
        );
    }

    #[test]
    fn what_is_kept_of_a_hostile_message_is_bounded() {
        let names = format!(r#"{{"full_name":"{}"}},"#, "\u{e9}".repeat(100)).repeat(5_000);
        let said = parsed("installation", &format!(r#"{{"repositories":[{}]}}"#, names.trim_end_matches(',')));
        assert_eq!(said.unusable.len(), 21);
        assert_eq!(said.unusable[20].reason, "4980 more names of this delivery are unusable");
        let long = format!(r#"{{"repository":{{"full_name":"{}"}}}}"#, "\u{e9}".repeat(10_000));
        let body = format!(r#"{{"repository":"{}"}}"#, "\u{e9}".repeat(10_000));
        for hostile in [long, body] {
            let said = parsed("push", &hostile);
            let [Unusable { text, reason }] = said.unusable.as_slice() else { panic!("{said:?}") };
            assert!(text.ends_with('…') && text.len() <= 515 && reason.len() <= 515, "{text} {reason}");
        }
    }

    #[test]
    fn what_is_of_no_interest_is_not_unusable() {
        assert_eq!(parsed("ping", "not even JSON"), Parsed::default());
        assert_eq!(parsed("star", "{}"), Parsed::default());
        assert_eq!(parsed("push", "{}"), Parsed::default());
        assert_eq!(parsed("push", "payload=%7B%7D").unusable.len(), 1);
    }
}
