//! What of a repository an event is about.

use domain::{announcement::About, forge::Number};
use serde::Deserialize;

/// The parts of events that say what moved (<https://docs.github.com/en/webhooks/webhook-events-and-payloads>).
#[derive(Deserialize)]
struct Parts<'a> {
    check_run: Option<Checked<'a>>,
    check_suite: Option<Checked<'a>>,
    #[serde(borrow)]
    sha: Option<&'a str>,
    #[serde(borrow, rename = "ref")]
    reference: Option<&'a str>,
    pull_request: Option<PullRequest>,
}

#[derive(Deserialize)]
struct Checked<'a> {
    head_sha: &'a str,
}

#[derive(Deserialize)]
struct PullRequest {
    number: u64,
}

/// What an event is about: anything of its repository where that can not be read.
pub(super) fn about(event: &str, body: &[u8]) -> About {
    // Most of these words mean something else in other events.
    let is_narrow =
        matches!(event, "check_run" | "check_suite" | "status" | "push" | "pull_request" | "pull_request_review");
    let parts = is_narrow.then(|| serde_json::from_slice::<Parts<'_>>(body).ok()).flatten();
    parts.and_then(|parts| parts.about(event)).unwrap_or(About::Repository)
}

impl Parts<'_> {
    fn about(self, event: &str) -> Option<About> {
        let commit = |text: &str| text.parse().ok().map(About::Commit);
        match event {
            "check_run" => commit(self.check_run?.head_sha),
            "check_suite" => commit(self.check_suite?.head_sha),
            "status" => commit(self.sha?),
            "push" => self.reference?.strip_prefix("refs/heads/")?.parse().ok().map(About::Branch),
            _ => Some(About::PullRequest(Number(self.pull_request?.number))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "95790bf891e76fee5e1747ab589903a6a1f80f22";

    fn check(event: &str, body: &str, expected: &str) {
        let body = body.replace("COMMIT", COMMIT);
        let expected = expected.replace("COMMIT", COMMIT);
        assert_eq!(about(event, body.as_bytes()).to_string(), expected, "{event} {body}");
    }

    #[test]
    fn an_event_says_what_of_its_repository_moved() {
        check("check_run", r#"{"check_run":{"head_sha":"COMMIT"}}"#, "commit COMMIT");
        check("check_suite", r#"{"check_suite":{"head_sha":"COMMIT"}}"#, "commit COMMIT");
        check("status", r#"{"sha":"COMMIT","state":"success"}"#, "commit COMMIT");
        check("push", r#"{"ref":"refs/heads/release/1","after":"COMMIT"}"#, "branch release/1");
        check("pull_request", r#"{"number":7,"pull_request":{"number":7}}"#, "pull-request 7");
        check("pull_request_review", r#"{"pull_request":{"number":7}}"#, "pull-request 7");
    }

    #[test]
    fn what_does_not_say_it_is_about_anything() {
        for (event, body) in [
            ("repository", r#"{"ref":"refs/heads/main"}"#),
            ("merge_group", r#"{"sha":"COMMIT"}"#),
            ("push", r#"{"ref":"refs/tags/v1"}"#),
            ("push", r#"{"ref":7}"#),
            ("push", r#"{"ref":"refs/heads/.."}"#),
            ("check_run", r#"{"check_run":{"head_sha":"short"}}"#),
            ("check_run", r#"{"check_suite":{"head_sha":"COMMIT"}}"#),
            ("pull_request", r#"{"number":7}"#),
            ("status", "not JSON"),
        ] {
            check(event, body, "repository");
        }
    }
}
