//! The topic of Amazon SNS that messages are signed for, and where SNS is.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use url::Url;

use super::{
    certificate::{Certificates, NotToBeHad},
    envelope::Envelope,
};
use crate::webhook::{Head, InvalidTrust, Refused, Verified, ecr, trust::protected};

/// What a topic is called: `arn:aws:sns:REGION:ACCOUNT:NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicArn {
    text: String,
    region: String,
}

/// It is not what a topic of Amazon SNS is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a topic is arn:aws:sns:, its region, the 12 digits of its account, and its name")]
pub struct InvalidTopicArn;

/// The topic, and how its messages are verified.
#[derive(Clone, Debug)]
pub struct TopicSettings {
    /// The one topic whose messages are taken.
    pub arn: TopicArn,
    /// Whether a signature with SHA-1 is good (`SignatureVersion` 1), as topics make them until told otherwise.
    pub allow_sha1: bool,
    /// Where SNS is, such as an endpoint in a private network; at `https://sns.REGION.amazonaws.com` when there is none.
    pub endpoint: Option<Url>,
}

/// What verifies the messages of one topic.
#[derive(Debug)]
pub struct Topic {
    arn: TopicArn,
    allow_sha1: bool,
    certificates: Box<Certificates>,
}

/// What a topic asks for when an address is subscribed to it: that another address is visited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    unverified_url: String,
}

impl Confirmation {
    pub(super) const fn new(unverified_url: String) -> Self {
        Self { unverified_url }
    }
}

impl Topic {
    /// Takes the settings as they are; nothing is fetched before the first message.
    ///
    /// # Errors
    ///
    /// `endpoint` is not the address of a server, is without protection, or nothing can be fetched from here.
    pub fn new(settings: TopicSettings) -> Result<Self, InvalidTrust> {
        let TopicSettings { arn, allow_sha1, endpoint } = settings;
        if let Some(endpoint) = &endpoint {
            protected("endpoint", endpoint)?;
            let is_server = endpoint.path() == "/" && endpoint.query().is_none() && endpoint.fragment().is_none();
            if !is_server || !endpoint.username().is_empty() || endpoint.password().is_some() {
                return Err(InvalidTrust::NotAServer("endpoint"));
            }
        }
        let server = endpoint.map_or_else(|| arn.server(), |endpoint| endpoint.to_string());
        Ok(Self { certificates: Box::new(Certificates::new(server)?), arn, allow_sha1 })
    }

    /// What is set at the topic, with its values.
    pub(in crate::webhook) fn hint(&self) -> String {
        let arn = &self.arn;
        format!("aws sns set-topic-attributes --topic-arn {arn} --attribute-name SignatureVersion --attribute-value 2")
    }

    /// Refuses what says itself that it is not signed.
    pub(in crate::webhook) fn admit(&self, head: &Head<'_>) -> Result<(), Refused> {
        if head.lines("x-amz-sns-rawdelivery").any(|value| value.eq_ignore_ascii_case(b"true")) {
            let detail = "a raw message is not signed: turn raw message delivery off at the subscription";
            return Err(Refused::Forbidden(detail.to_owned()));
        }
        Ok(())
    }

    /// The body, if it is signed for this topic. All that needs no certificate is checked before one is fetched.
    ///
    /// See <https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html>. The signature proves that
    /// it is a message of some topic; anybody can have a topic.
    pub(in crate::webhook) async fn verify<'b>(
        &self,
        unverified_body: &'b [u8],
        now: DateTime<Utc>,
    ) -> Result<Verified<'b>, Refused> {
        let forbidden = |why: &str| Refused::Forbidden(why.to_owned());
        let envelope = Envelope::read(unverified_body).map_err(|why| Refused::Forbidden(why.to_string()))?;
        if envelope.topic != self.arn.text {
            return Err(forbidden("the message is of another topic (TopicArn)"));
        }
        let algorithm = envelope.algorithm(self.allow_sha1).map_err(forbidden)?;
        envelope.is_recent(now).map_err(forbidden)?;
        let path = self.arn.path_of(&envelope.certificate_url).filter(|path| is_certificate(path));
        let path = path.ok_or_else(|| forbidden("the certificate is not one of Amazon SNS in the topic's region"))?;
        let certificate = self.certificates.find(path, now).await.map_err(|why| match why {
            NotToBeHad::Now => Refused::Unavailable("the certificate of Amazon SNS is not to be had"),
            NotToBeHad::Expired => forbidden("the certificate is not valid at this time"),
        })?;
        if !certificate.has_signed(algorithm, envelope.signed_text.as_bytes(), &envelope.signature) {
            return Err(forbidden("the signature is wrong"));
        }
        Ok(Verified { body: unverified_body })
    }

    /// Says yes to a subscription; saying so again changes nothing.
    pub(in crate::webhook) async fn confirm(&self, confirmation: &Confirmation) -> Result<(), Refused> {
        let path = self.arn.path_of(&confirmation.unverified_url).filter(|path| path.starts_with('?'));
        let path =
            path.ok_or(Refused::Invalid("SubscribeURL is not an address of Amazon SNS in the topic's region"))?;
        let visited = self.certificates.visit(path).await;
        visited.map_err(|_logged| Refused::Unavailable("the subscription could not be confirmed at Amazon SNS"))
    }
}

/// Whether this is the path of a certificate: a query and a fragment are not of it.
fn is_certificate(path: &str) -> bool {
    !path.contains(['?', '#']) && path.len() > ".pem".len() && path.ends_with(".pem")
}

impl TopicArn {
    /// Where SNS is in the topic's region (<https://docs.aws.amazon.com/general/latest/gr/sns.html>).
    fn server(&self) -> String {
        let partition = if self.region.starts_with("cn-") { ".cn" } else { "" };
        format!("https://sns.{}.amazonaws.com{partition}/", self.region)
    }

    /// What stands behind the address of the server; `None` for an address that is not exactly there.
    ///
    /// It is compared as text: whatever may be read in two ways, a user, a port, a host in another spelling, is not equal.
    fn path_of<'a>(&self, unverified_url: &'a str) -> Option<&'a str> {
        let path = unverified_url.strip_prefix(self.server().as_str())?;
        path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\').then_some(path)
    }
}

impl FromStr for TopicArn {
    type Err = InvalidTopicArn;

    fn from_str(text: &str) -> Result<Self, InvalidTopicArn> {
        let parts: Vec<&str> = text.split(':').collect();
        let ["arn", "aws" | "aws-cn" | "aws-us-gov", "sns", region, account, name] = parts.as_slice() else {
            return Err(InvalidTopicArn);
        };
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let is_name = (1..=256).contains(&name.len()) && name.bytes().all(is_of_name);
        if is_account && is_name && ecr::is_region(region) {
            Ok(Self { text: text.to_owned(), region: (*region).to_owned() })
        } else {
            Err(InvalidTopicArn)
        }
    }
}

impl fmt::Display for TopicArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arn(region: &str) -> TopicArn {
        format!("arn:aws:sns:{region}:123456789012:ecr-push").parse().unwrap()
    }

    #[test]
    fn a_topic_has_a_region_an_account_and_a_name() {
        for good in ["arn:aws:sns:us-west-2:123456789012:ecr-push", "arn:aws-cn:sns:cn-north-1:123456789012:A_b-1"] {
            assert_eq!(good.parse::<TopicArn>().map(|arn| arn.to_string()).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "ecr-push",
            "arn:aws:sqs:us-west-2:123456789012:ecr-push",
            "arn:aws:sns:us-west-2:123456789012:",
            "arn:aws:sns:us-west-2:12345678901:ecr-push",
            "arn:aws:sns:evil.example/:123456789012:ecr-push",
            "arn:aws:sns:us-west-2:123456789012:ecr-push.fifo",
            "arn:aws:sns:us-west-2:123456789012:ecr-push:2bcfbf39-05c3-41de-beaa-fcfcc21c8f55",
        ] {
            assert_eq!(bad.parse::<TopicArn>(), Err(InvalidTopicArn), "{bad}");
        }
    }

    #[test]
    fn an_address_of_sns_is_exactly_in_the_topics_region() {
        let check = |url: &str, expected: Option<&str>| {
            assert_eq!(arn("us-west-2").path_of(url).filter(|path| is_certificate(path)), expected, "{url}");
        };
        check(
            "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-0.pem",
            Some("SimpleNotificationService-0.pem"),
        );
        for other in [
            "http://sns.us-west-2.amazonaws.com/x.pem",
            "https://sns.us-east-1.amazonaws.com/x.pem",
            "https://sns.us-west-2.amazonaws.com.cn/x.pem",
            "https://sns.us-west-2.amazonaws.com.evil.example/x.pem",
            "https://sns.us-west-2.amazonaws.com@evil.example/x.pem",
            "https://user@sns.us-west-2.amazonaws.com/x.pem",
            "https://sns.us-west-2.amazonaws.com:443/x.pem",
            "https://SNS.us-west-2.amazonaws.com/x.pem",
            "https://sns.us-west-2.amazonaws.com\\@evil.example/x.pem",
            "https://sns.us-west-2.amazonaws.com/\\evil.example/x.pem",
            "https://sns.us-west-2.amazonaws.com/x.pem?x=.pem",
            "https://sns.us-west-2.amazonaws.com/#.pem",
            "https://sns.us-west-2.amazonaws.com/.pem",
            "https://sns.us-west-2.amazonaws.com/x.txt",
            "https://sns.us-west-2.amazonaws.com/ x.pem",
            "file:///etc/passwd",
            "",
        ] {
            check(other, None);
        }
        assert_eq!(arn("cn-north-1").server(), "https://sns.cn-north-1.amazonaws.com.cn/");
    }

    #[test]
    fn an_endpoint_is_a_server_that_nobody_can_stand_in_for() {
        let check = |endpoint: &str, expected: Option<&str>| {
            let settings = TopicSettings {
                arn: arn("us-west-2"),
                allow_sha1: false,
                endpoint: Some(Url::parse(endpoint).unwrap()),
            };
            assert_eq!(Topic::new(settings).err().map(|error| error.to_string()).as_deref(), expected, "{endpoint}");
        };
        check("https://vpce-0.sns.us-west-2.vpce.amazonaws.com", None);
        check("http://127.0.0.1:4711", None);
        check("http://sns.us-west-2.amazonaws.com", Some("`endpoint` must be an https address; http is for loopback"));
        let server = Some("`endpoint` must be an address without a path, a query, a user or a fragment");
        for more in ["https://a.example/b", "https://a.example/?b", "https://b@a.example/", "https://a.example/#b"] {
            check(more, server);
        }
    }
}
