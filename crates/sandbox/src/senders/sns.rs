//! Amazon SNS as a subscribed address meets it: signed messages
//! (<https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>), the certificate to verify them with, and
//! the address at which a subscription is confirmed.

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Shelf, certificate};
use crate::Error;

/// The fields that a signature is about, in their order; a message has not all of them.
const SIGNED: [&str; 8] = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];

/// Amazon SNS, with one topic.
#[derive(Debug)]
pub struct Sns {
    shelf: Shelf,
    topic: String,
    server: String,
    key: KeyPair,
}

impl Sns {
    /// Starts the server that has the certificate, which is valid for a century around now.
    ///
    /// # Errors
    ///
    /// [`Error::Key`] when no key can be made here, [`Error::Listen`] when there is no port.
    pub async fn start(topic: &str) -> Result<Self, Error> {
        let key = KeyPair::generate(KeySize::Rsa2048).map_err(|_unhelpful| Error::Key)?;
        let region = topic.split(':').nth(3).unwrap_or_default();
        let server = format!("https://sns.{region}.amazonaws.com");
        let century = TimeDelta::days(36_525);
        let now = DateTime::<Utc>::from(std::time::SystemTime::now());
        let pem = certificate::pem(key.public_key().as_ref(), now - century / 2..now + century / 2);
        Ok(Self { shelf: Shelf::start(pem).await?, topic: topic.to_owned(), server, key })
    }

    /// Where it really is, other than its messages say.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.shelf.url()
    }

    /// From now on it answers with this status, whatever it is asked for.
    pub fn set_status(&self, status: u16) {
        self.shelf.set_status(status);
    }

    /// From now on its certificate is valid in this time.
    pub fn set_validity(&self, validity: std::ops::Range<DateTime<Utc>>) {
        self.shelf.set_text(certificate::pem(self.key.public_key().as_ref(), validity));
    }

    /// From now on it answers this text in place of its certificate.
    pub fn set_certificate(&self, text: &str) {
        self.shelf.set_text(text.to_owned());
    }

    /// The paths and queries that it was asked for, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.shelf.asked()
    }

    /// A notification of its topic, not signed yet.
    #[must_use]
    pub fn notification(&self, id: &str, message: &str, at: DateTime<Utc>) -> Value {
        json!({
            "Type": "Notification", "MessageId": id, "TopicArn": self.topic, "Message": message,
            "Timestamp": at.to_rfc3339_opts(SecondsFormat::Millis, true), "SignatureVersion": "2",
            "SigningCertURL": format!("{}/SimpleNotificationService-5a2d0f.pem", self.server),
            "UnsubscribeURL": format!("{}/?Action=Unsubscribe&SubscriptionArn={}:6f1d", self.server, self.topic),
        })
    }

    /// What it sends about a subscription, `SubscriptionConfirmation` or `UnsubscribeConfirmation`, not signed yet.
    #[must_use]
    pub fn about_subscription(&self, kind: &str, at: DateTime<Utc>) -> Value {
        let mut message = self.notification("8f0c2f52-2b1e-4f0e-9a53-6d8b1a1a9d10", "About a subscription.", at);
        if let Some(fields) = message.as_object_mut() {
            let url = format!("{}/?Action=ConfirmSubscription&TopicArn={}&Token=23364", self.server, self.topic);
            for (name, value) in [("Type", kind), ("Token", "23364"), ("SubscribeURL", url.as_str())] {
                fields.insert(name.to_owned(), value.into());
            }
            fields.remove("UnsubscribeURL");
        }
        message
    }

    /// The body that a message is sent as: with a signature, made with SHA-256 whatever its version says.
    ///
    /// # Errors
    ///
    /// [`Error::Key`]: nothing can be signed here.
    pub fn sign(&self, message: &Value) -> Result<String, Error> {
        let field = |name: &&str| Some(format!("{name}\n{}\n", message.get(*name)?.as_str()?));
        let text: String = SIGNED.iter().filter_map(field).collect();
        let mut signature = vec![0; self.key.public_modulus_len()];
        let signed = self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature);
        signed.map_err(|_unhelpful| Error::Key)?;
        let mut message = message.clone();
        if let Some(fields) = message.as_object_mut() {
            fields.insert("Signature".to_owned(), STANDARD.encode(signature).into());
        }
        Ok(message.to_string())
    }
}
