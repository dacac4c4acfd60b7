//! The question of a sender of CloudEvents whether it may send.
//!
//! Section 4 of <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/http-webhook.md>: before it sends, it asks
//! with the method OPTIONS, and takes only an answer for granted that names its origin.

use std::num::NonZeroU32;

use super::Head;

/// How such a question is to be answered: with 200, whatever it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// What `WebHook-Allowed-Origin` is to say; `None` when whoever asks may not send, and hears nothing of it.
    pub origin: Option<String>,
    /// How many messages a minute it would like to send; `None` when it does not say.
    pub rate: Option<NonZeroU32>,
}

impl Handshake {
    /// The answer to a request, for these origins. An address to call back is not looked at.
    pub(super) fn of(head: &Head<'_>, origins: &[String]) -> Self {
        let asking = head.text("webhook-request-origin");
        let origin = asking.filter(|asking| origins.iter().any(|origin| origin.eq_ignore_ascii_case(asking)));
        let rate = head.text("webhook-request-rate").and_then(|rate| rate.parse().ok());
        Self { origin: origin.map(str::to_owned), rate }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    #[test]
    fn an_origin_is_allowed_only_when_it_is_one_and_is_configured() {
        let origins = ["eventgrid.azure.net".to_owned()];
        let check = |headers: &[(&'static str, &'static str)], origin: Option<&str>, rate: Option<u32>| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(*name, value.parse().unwrap());
            }
            let expected = Handshake { origin: origin.map(str::to_owned), rate: rate.and_then(NonZeroU32::new) };
            assert_eq!(Handshake::of(&Head { headers: &map, query: None }, &origins), expected, "{headers:?}");
        };
        let (origin, rate) = ("webhook-request-origin", "webhook-request-rate");
        check(&[(origin, "eventgrid.azure.net"), (rate, "120")], Some("eventgrid.azure.net"), Some(120));
        check(&[(origin, "EventGrid.azure.net")], Some("EventGrid.azure.net"), None);
        check(&[(origin, "eventgrid.azure.net"), (rate, "0")], Some("eventgrid.azure.net"), None);
        check(&[(origin, "eventgrid.azure.net"), (rate, "-1")], Some("eventgrid.azure.net"), None);
        check(&[(origin, "eventgrid.azure.net"), (origin, "eventgrid.azure.net")], None, None);
        for wrong in ["evil.example", "eventgrid.azure.net.evil.example", "eventgrid.azure.net, evil.example", "*", ""]
        {
            check(&[(origin, wrong)], None, None);
        }
        check(&[], None, None);
    }
}
