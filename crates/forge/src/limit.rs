//! How the forge asks us to slow down
//! (<https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>).

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// What is left of a resource until its hour is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// How many requests, or points, there are in an hour.
    pub(crate) limit: u64,
    /// How many are left.
    pub(crate) remaining: u64,
    /// When there are `limit` again.
    pub(crate) resets_at: DateTime<Utc>,
}

/// What an answer says of what is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// GitHub's name of what the request was counted in.
    pub(crate) resource: Option<String>,
    /// What is left of it.
    pub(crate) window: Window,
}

/// What an answer says of what is left, where it does: Enterprise Server has no limits by default.
pub(crate) fn left(headers: &HeaderMap) -> Option<Left> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let number = |name: &str| text(name)?.parse().ok();
    let resets_at = DateTime::from_timestamp(text("x-ratelimit-reset")?.parse().ok()?, 0)?;
    let window = Window { limit: number("x-ratelimit-limit")?, remaining: number("x-ratelimit-remaining")?, resets_at };
    Some(Left { resource: text("x-ratelimit-resource").map(str::to_owned), window })
}

/// Whether a 403 or 429 means "slow down" rather than "you may not", and for how long.
///
/// `Some(None)`: it says so, but not for how long.
pub(crate) fn of(status: u16, headers: &HeaderMap, message: &str) -> Option<Option<Duration>> {
    of_at(status, headers, message, Utc::now().timestamp())
}

fn of_at(status: u16, headers: &HeaderMap, message: &str, now: i64) -> Option<Option<Duration>> {
    let number = |name: &str| -> Option<i64> { headers.get(name)?.to_str().ok()?.parse().ok() };
    let spent = number("x-ratelimit-remaining") == Some(0);
    let wait = number(RETRY_AFTER.as_str()).or_else(|| {
        let reset = number("x-ratelimit-reset").filter(|_| spent)?;
        Some(reset.saturating_sub(now).max(0))
    });
    let says_so = status == 429 || spent || wait.is_some() || is_about_rate(message);
    says_so.then(|| wait.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs))
}

/// Whether the text is that of a primary or secondary limit.
pub(crate) fn is_about_rate(message: &str) -> bool {
    let message = message.to_lowercase();
    message.contains("rate limit") || message.contains("abuse detection")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, headers: &[(&'static str, &str)], message: &str, expected: Option<Option<u64>>) {
        let headers = headers
            .iter()
            .map(|(name, value)| (reqwest::header::HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        let expected = expected.map(|wait| wait.map(Duration::from_secs));
        assert_eq!(of_at(status, &headers, message, 1_000), expected, "{status} {message}");
    }

    #[test]
    fn a_missing_permission_is_no_limit() {
        check(403, &[], "Resource not accessible by integration", None);
        check(403, &[("x-ratelimit-remaining", "12"), ("x-ratelimit-reset", "1600")], "no", None);
    }

    #[test]
    fn the_forge_says_how_long_to_wait() {
        check(403, &[("retry-after", "7")], "", Some(Some(7)));
        let spent = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1600")];
        check(403, &spent, "API rate limit exceeded", Some(Some(600)));
        let past = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "10")];
        check(429, &past, "", Some(Some(0)));
    }

    #[test]
    fn a_limit_without_a_time_is_still_one() {
        check(429, &[], "", Some(None));
        check(403, &[], "You have exceeded a secondary rate limit", Some(None));
    }
}
