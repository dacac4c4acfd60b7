//! What the forge announces: authenticated first, then understood.

mod about;
mod interest;

use std::collections::BTreeSet;

use domain::{
    announcement::{About, Announcement, Haste, Moved},
    excerpt::{MOST_UNUSABLE, excerpt, excerpt_of_bytes},
    forge::Repository,
};
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::Sha256;

use crate::Forge;

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

/// The parts of all events that name repositories, each of which is read for itself.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    action: Option<&'a RawValue>,
    #[serde(borrow)]
    state: Option<&'a RawValue>,
    #[serde(borrow)]
    repository: Option<&'a RawValue>,
    #[serde(borrow)]
    repositories: Option<&'a RawValue>,
    #[serde(borrow)]
    repositories_added: Option<&'a RawValue>,
    #[serde(borrow)]
    repositories_removed: Option<&'a RawValue>,
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

/// The part of an event about an installation of an App that names it.
#[derive(Deserialize)]
struct OfInstallation {
    installation: Installation,
}

#[derive(Deserialize)]
struct Installation {
    id: u64,
}

impl Forge {
    /// Forgets the tokens of an installation that a message says has changed: it was removed, suspended, given other
    /// repositories or permissions, or is there again. The next request asks for a new one. No request.
    ///
    /// Any other message, and one that can not be understood, does nothing.
    pub fn heed(&self, event: &str, message: Verified<'_>) {
        if !matches!(event, "installation" | "installation_repositories") {
            return;
        }
        if let Ok(OfInstallation { installation }) = serde_json::from_slice(message.body) {
            tracing::info!(installation = installation.id, "an installation changed, and its tokens are forgotten");
            self.client().forget_installation(installation.id);
        }
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
    if !EVENTS.contains(&event) {
        return Parsed::default();
    }
    let mut reading = Reading::default();
    let Verified { body } = message;
    match serde_json::from_slice::<Message<'_>>(body) {
        Ok(message) => {
            if let Some(haste) = interest::haste(event, message.word(message.action), message.word(message.state)) {
                reading.take_all(&message, &about::about(event, body), haste);
            }
        }
        Err(source) => {
            reading.refuse(excerpt_of_bytes(body), &format!("the body of a {event} event: {source}"));
        }
    }
    reading.finish()
}

impl<'a> Message<'a> {
    /// A part that is a plain word; nothing for any other.
    fn word(&self, part: Option<&'a RawValue>) -> Option<&'a str> {
        part.and_then(|part| serde_json::from_str(part.get()).ok())
    }
}

#[derive(Default)]
struct Reading {
    parsed: Parsed,
    seen: BTreeSet<Repository>,
    unusable: usize,
}

impl Reading {
    /// Takes what can be used; one bad name does not drop the good ones beside it.
    fn take_all(&mut self, message: &Message<'_>, about: &About, haste: Haste) {
        if let Some(repository) = message.repository {
            self.take(repository, about, haste);
        }
        let lists = [message.repositories, message.repositories_added, message.repositories_removed];
        for list in lists.into_iter().flatten() {
            match serde_json::from_str::<Vec<&RawValue>>(list.get()) {
                Ok(repositories) => repositories.into_iter().for_each(|one| self.take(one, about, haste)),
                Err(source) => self.refuse(excerpt(list.get()), &format!("a list of repositories: {source}")),
            }
        }
    }

    fn take(&mut self, repository: &RawValue, about: &About, haste: Haste) {
        let full_name = match serde_json::from_str(repository.get()) {
            Ok(Named { full_name }) => full_name,
            Err(source) => return self.refuse(excerpt(repository.get()), &format!("a repository: {source}")),
        };
        match full_name.parse::<Repository>() {
            Ok(repository) => {
                if self.seen.insert(repository.clone()) {
                    let moved = Moved { repository, about: about.clone(), haste };
                    self.parsed.announcements.push(Announcement::Moved(moved));
                }
            }
            Err(source) => {
                self.refuse(excerpt(&full_name), &format!("the name of a repository is not usable: {source}"));
            }
        }
    }

    fn refuse(&mut self, text: String, reason: &str) {
        self.unusable += 1;
        if self.unusable <= MOST_UNUSABLE {
            self.parsed.unusable.push(Unusable { text, reason: excerpt(reason) });
        }
    }

    fn finish(mut self) -> Parsed {
        if let Some(more @ 1..) = self.unusable.checked_sub(MOST_UNUSABLE) {
            let reason = format!("{more} more names of this delivery are unusable");
            self.parsed.unusable.push(Unusable { text: String::new(), reason });
        }
        self.parsed
    }
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

    fn moved(repositories: &[&str], haste: Haste) -> Vec<Announcement> {
        let moved = |one: &&str| {
            let repository = one.parse().unwrap();
            Announcement::Moved(Moved { repository, about: About::Repository, haste })
        };
        repositories.iter().map(moved).collect()
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
        for event in ["push", "check_suite", "check_run", "status", "merge_group"] {
            assert_eq!(parsed(event, body).announcements, moved(&["acme/trinity"], Haste::Soon), "{event}");
        }
        assert_eq!(parsed("pull_request", body).announcements, moved(&["acme/trinity"], Haste::Now));
        let begins = body.replace("closed", "created");
        assert_eq!(parsed("check_run", &begins), Parsed::default());
    }

    #[test]
    fn an_installation_announces_each_of_its_repositories_once() {
        let body = r#"{"action":"added","repositories_added":[{"full_name":"acme/a"},{"full_name":"acme/b"}],
            "repositories_removed":[{"full_name":"acme/a"}]}"#;
        let said = parsed("installation_repositories", body);
        assert_eq!(said.announcements, moved(&["acme/a", "acme/b"], Haste::Now));
    }

    #[test]
    fn one_bad_name_does_not_drop_the_good_ones() {
        let body = r#"{"repositories":[{"full_name":"../x"},{"full_name":"acme/b"}]}"#;
        let said = parsed("installation", body);
        assert_eq!(said.announcements, moved(&["acme/b"], Haste::Now));
        let [bad] = said.unusable.as_slice() else { panic!("{said:?}") };
        assert_eq!(bad.text, "../x");
        assert_eq!(
            bad.reason,
            "the name of a repository is not usable: a repository is written owner/name, with letters, digits and . _ -"
        );
    }

    #[test]
    fn a_part_of_the_wrong_type_does_not_drop_the_good_ones_either() {
        let body = r#"{"repository":7,"repositories":[{"full_name":1},{"full_name":"acme/b"},null,{}],
            "repositories_added":"all","repositories_removed":null}"#;
        let said = parsed("installation", body);
        assert_eq!(said.announcements, moved(&["acme/b"], Haste::Now));
        let texts: Vec<&str> = said.unusable.iter().map(|one| one.text.as_str()).collect();
        assert_eq!(texts, ["7", r#"{"full_name":1}"#, "null", "{}", r#""all""#]);
        assert_eq!(said.unusable[3].reason, "a repository: missing field `full_name` at line 1 column 2");
        assert!(said.unusable[4].reason.starts_with("a list of repositories: invalid type: string"));
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
