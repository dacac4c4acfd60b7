//! How much an event matters: what we did ourselves is announced too, and a commit's checks come by the dozen.

use domain::announcement::Haste;

/// How soon something is to be looked at for an event with that action, or that state where it is a status; `None` when
/// nothing can follow from it (<https://docs.github.com/en/webhooks/webhook-events-and-payloads>).
///
/// What is not known is looked at soon.
pub(super) fn haste(event: &str, action: Option<&str>, state: Option<&str>) -> Option<Haste> {
    match (event, action, state) {
        // Only what has ended can make a merge possible, or impossible.
        ("check_run", Some("created" | "rerequested" | "requested_action"), _)
        | ("check_suite", Some("requested" | "rerequested"), _)
        | ("status", _, Some("pending")) => None,
        ("check_run" | "check_suite" | "merge_group" | "pull_request_review" | "push" | "status", _, _) => {
            Some(Haste::Soon)
        }
        ("pull_request", Some(action), _) => Some(of_pull_request(action)),
        (_, _, _) => Some(Haste::Now),
    }
}

fn of_pull_request(action: &str) -> Haste {
    match action {
        "closed"
        | "reopened"
        | "auto_merge_disabled"
        | "dequeued"
        | "converted_to_draft"
        | "ready_for_review"
        | "synchronize"
        | "edited" => Haste::Now,
        _ => Haste::Soon,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_pull_request_is_looked_at_at_once_and_a_check_that_begins_not_at_all() {
        for (event, action, state, expected) in [
            ("pull_request", Some("closed"), None, Some(Haste::Now)),
            ("pull_request", Some("labeled"), None, Some(Haste::Soon)),
            ("pull_request", Some("something_new"), None, Some(Haste::Soon)),
            ("check_run", Some("created"), None, None),
            ("check_run", Some("completed"), None, Some(Haste::Soon)),
            ("check_suite", Some("requested"), None, None),
            ("check_suite", Some("completed"), None, Some(Haste::Soon)),
            ("status", None, Some("pending"), None),
            ("status", None, Some("success"), Some(Haste::Soon)),
            ("push", None, None, Some(Haste::Soon)),
            ("installation", Some("deleted"), None, Some(Haste::Now)),
            ("repository_ruleset", Some("edited"), None, Some(Haste::Now)),
        ] {
            assert_eq!(haste(event, action, state), expected, "{event} {action:?} {state:?}");
        }
    }
}
