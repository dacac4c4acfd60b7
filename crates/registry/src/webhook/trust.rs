//! What a sender is known by, as it is configured.

use url::{Host, Url};

use super::{PubSub, Secrets, Topic};

/// What a sender is known by.
#[derive(Debug)]
pub enum Trust {
    /// Secrets that it shares with us.
    Secrets(Secrets),
    /// The account that its identity tokens are of.
    PubSub(PubSub),
    /// The topic that its messages are signed for.
    Topic(Topic),
}

/// A sender can not be known by this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTrust {
    /// What is fetched from there decides who is let in, and anybody on the way could change it.
    #[error("`{0}` must be an https address; http is for loopback")]
    Unprotected(&'static str),
    /// It is not the address of a server alone.
    #[error("`{0}` must be an address without a path, a query, a user or a fragment")]
    NotAServer(&'static str),
    /// What is fetched over HTTPS can not be fetched from here.
    #[error("making the client that fetches {what}: {why}")]
    Client {
        /// What it fetches.
        what: &'static str,
        /// What is in the way.
        why: String,
    },
}

impl From<Secrets> for Trust {
    fn from(secrets: Secrets) -> Self {
        Self::Secrets(secrets)
    }
}

impl From<PubSub> for Trust {
    fn from(pub_sub: PubSub) -> Self {
        Self::PubSub(pub_sub)
    }
}

impl From<Topic> for Trust {
    fn from(topic: Topic) -> Self {
        Self::Topic(topic)
    }
}

/// Lets an address pass of which nobody on the way can change what it answers.
pub(super) fn protected(setting: &'static str, url: &Url) -> Result<(), InvalidTrust> {
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let is_protected = url.scheme() == "https" || (url.scheme() == "http" && is_loopback);
    if is_protected { Ok(()) } else { Err(InvalidTrust::Unprotected(setting)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_who_is_let_in_comes_over_https_or_from_here() {
        let check = |url: &str, expected: bool| {
            assert_eq!(protected("x", &Url::parse(url).unwrap()).is_ok(), expected, "{url}");
        };
        for good in
            ["https://www.googleapis.com/oauth2/v3/certs", "http://127.0.0.1:1/", "http://[::1]/", "http://localhost/"]
        {
            check(good, true);
        }
        for bad in ["http://www.googleapis.com/", "http://localhost.evil.example/", "http://10.0.0.1/", "file:///x"] {
            check(bad, false);
        }
    }
}
