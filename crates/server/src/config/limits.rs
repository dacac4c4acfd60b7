//! How much is taken at once, so that nobody keeps the service from serving the others.

use std::{
    num::{NonZeroU16, NonZeroU32},
    time::Duration,
};

use serde::Deserialize;

use super::fields::duration;

/// How much is taken at once; generous, so that no real sender meets a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitSettings {
    /// How many connections may be open; a further one is answered 503 and closed.
    pub connections: NonZeroU16,
    /// How long a connection may take to send the head of its next request, and hence how long it may be idle.
    #[serde(deserialize_with = "duration")]
    pub header_timeout: Duration,
    /// How many requests are worked on at once; a further one is answered 503. One whose body is still on its way does
    /// not count.
    pub requests: NonZeroU16,
    /// How many deliveries of one sender are taken each second in the long run; a further one is answered 429.
    pub deliveries_per_second: NonZeroU32,
    /// How many deliveries of one sender are taken at once beyond that.
    pub delivery_burst: NonZeroU32,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            // Some forty megabytes when all of them are stuck in their heads.
            connections: literal_u16(4_096),
            // Longer than nginx and Amazon's load balancers keep an idle connection, which is 60 seconds: who closes
            // last closes while the other sends.
            header_timeout: Duration::from_secs(75),
            // Each may hold a body of a mebibyte; the disk takes as many together in some milliseconds.
            requests: literal_u16(512),
            // Quay switches a webhook off after three refusals and a registry that is behind repeats a refusal for
            // ever, so that only somebody who went wild may meet it: the busiest registries push some times a second,
            // and one that catches up after an outage sends one delivery after the other.
            deliveries_per_second: literal_u32(1_000),
            delivery_burst: literal_u32(10_000),
        }
    }
}

const fn literal_u16(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).expect("the number is written here and is not 0")
}

const fn literal_u32(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("the number is written here and is not 0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(yaml: &str, expected: Result<LimitSettings, &str>) {
        match (serde_yaml::from_str::<LimitSettings>(yaml), expected) {
            (Ok(read), Ok(expected)) => assert_eq!(read, expected, "{yaml}"),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{yaml}: {error}"),
            (read, _) => panic!("{yaml}: {read:?}"),
        }
    }

    #[test]
    fn a_limit_that_is_not_given_is_the_default_and_none_is_nothing() {
        let usual = LimitSettings::default();
        check("{}", Ok(usual));
        check("requests: 1", Ok(LimitSettings { requests: NonZeroU16::MIN, ..usual }));
        check("header_timeout: 620s", Ok(LimitSettings { header_timeout: Duration::from_secs(620), ..usual }));
        check("connections: 0", Err("nonzero"));
        check("connections: 65536", Err("65536"));
        check("deliveries_per_second: 0", Err("nonzero"));
        check("delivery_burst: -1", Err("-1"));
        check("header_timeout: 0s", Err("longer than nothing"));
        check("request: 1", Err("unknown field `request`"));
    }
}
