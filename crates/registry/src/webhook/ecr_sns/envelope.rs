//! A message of Amazon SNS as it claims to be.
//!
//! What is signed: <https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html>.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};

use super::certificate::Algorithm;
use crate::webhook::{json::Object, unusable::Unusable};

/// SNS sends a message again for an hour at the longest
/// (<https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html>); an older one was recorded by somebody.
const OLDEST: TimeDelta = TimeDelta::hours(1);

/// The fields that the signature of a notification is about, in their order.
const OF_NOTIFICATION: [&str; 6] = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"];

/// Those of a message about a subscription.
const OF_CONFIRMATION: [&str; 7] = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];

/// The parts of a message that its signature is verified with; proof of nothing yet.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) topic: String,
    pub(super) certificate_url: String,
    pub(super) signature: Vec<u8>,
    /// What the signature is about.
    pub(super) signed_text: String,
    version: String,
    timestamp: DateTime<Utc>,
}

impl Envelope {
    /// Reads the fields that every signed message has.
    pub(super) fn read(unverified_body: &[u8]) -> Result<Self, Unusable> {
        let body = Object::of_body(unverified_body)?;
        let text = |name: &str| body.string(name).map(std::borrow::Cow::into_owned);
        let timestamp = DateTime::parse_from_rfc3339(&text("Timestamp")?)
            .map_err(|_unhelpful| Unusable::not("Timestamp", "a time"))?;
        let signature =
            STANDARD.decode(text("Signature")?).map_err(|_unhelpful| Unusable::not("Signature", "base64"))?;
        Ok(Self {
            topic: text("TopicArn")?,
            certificate_url: text("SigningCertURL")?,
            signature,
            signed_text: signed_text(&body)?,
            version: text("SignatureVersion")?,
            timestamp: timestamp.to_utc(),
        })
    }

    /// How the signature is made.
    pub(super) fn algorithm(&self, allow_sha1: bool) -> Result<Algorithm, &'static str> {
        match self.version.as_str() {
            "2" => Ok(Algorithm::Sha256),
            "1" if allow_sha1 => Ok(Algorithm::Sha1),
            "1" => Err("the signature is made with SHA-1: set the topic's SignatureVersion to 2, or `allow_sha1` here"),
            _ => Err("the signature is of an unknown version (SignatureVersion)"),
        }
    }

    /// Lets a message pass that may still be delivered.
    pub(super) fn is_recent(&self, now: DateTime<Utc>) -> Result<(), &'static str> {
        let age = now.signed_duration_since(self.timestamp);
        if age > OLDEST { Err("the message is older than an hour (Timestamp)") } else { Ok(()) }
    }
}

/// Each field with its name, as they mean and not as they are written.
fn signed_text(body: &Object<'_>) -> Result<String, Unusable> {
    let names: &[&str] = match body.string("Type")?.as_ref() {
        "Notification" => &OF_NOTIFICATION,
        "SubscriptionConfirmation" | "UnsubscribeConfirmation" => &OF_CONFIRMATION,
        _ => return Err(Unusable::not("Type", "a type of message of Amazon SNS")),
    };
    let mut text = String::new();
    for name in names {
        // A message without a subject is signed without one.
        let value = if *name == "Subject" { body.optional_string(name)? } else { Some(body.string(name)?) };
        if let Some(value) = value {
            for part in [*name, "\n", value.as_ref(), "\n"] {
                text.push_str(part);
            }
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: Result<&str, &str>) {
        let read = Envelope::read(body.as_bytes()).map(|envelope| envelope.signed_text).map_err(|why| why.to_string());
        assert_eq!(read.as_deref().map_err(String::as_str), expected, "{body}");
    }

    const REST: &str =
        r#""Timestamp":"2026-01-01T00:00:00.000Z","Signature":"AA==","SigningCertURL":"c","SignatureVersion":"2""#;

    #[test]
    fn what_is_signed_is_what_the_fields_mean_in_an_order_of_their_own() {
        let end = "Timestamp\n2026-01-01T00:00:00.000Z\nTopicArn\na\nType\nNotification\n";
        let body = format!(r#"{{"Type":"Notification","TopicArn":"a","MessageId":"i","Message":"\u006d\n\"",{REST}}}"#);
        check(&body, Ok(&format!("Message\nm\n\"\nMessageId\ni\n{end}")));
        for none in [r#""Subject":null,"#, ""] {
            let other = body.replacen('{', &format!("{{{none}"), 1);
            check(&other, Ok(&format!("Message\nm\n\"\nMessageId\ni\n{end}")));
        }
        let with = body.replacen('{', r#"{"Subject":"s","#, 1);
        check(&with, Ok(&format!("Message\nm\n\"\nMessageId\ni\nSubject\ns\n{end}")));
        for kind in ["SubscriptionConfirmation", "UnsubscribeConfirmation"] {
            let body = with.replace("Notification", kind).replacen('{', r#"{"Token":"t","SubscribeURL":"u","#, 1);
            let end = "SubscribeURL\nu\nTimestamp\n2026-01-01T00:00:00.000Z\nToken\nt\nTopicArn\na\nType\n";
            check(&body, Ok(&format!("Message\nm\n\"\nMessageId\ni\n{end}{kind}\n")));
        }
    }

    #[test]
    fn a_message_without_what_is_signed_says_what_it_lacks() {
        check("[]", Err("the body is not a JSON object"));
        check(r#"{"source":"aws.ecr"}"#, Err("Timestamp is missing"));
        check(&format!(r#"{{"TopicArn":"a","Type":"Notification",{REST}}}"#), Err("Message is missing"));
        check(
            &format!(r#"{{"TopicArn":"a","Type":"Other",{REST}}}"#),
            Err("Type is not a type of message of Amazon SNS"),
        );
        check(&format!(r#"{{"TopicArn":"a","TopicArn":"b",{REST}}}"#), Err("TopicArn stands there twice"));
        check(&format!(r#"{{{}}}"#, REST.replace("2026-01-01T", "")), Err("Timestamp is not a time"));
        check(&format!(r#"{{{}}}"#, REST.replace("AA==", "?")), Err("Signature is not base64"));
    }
}
