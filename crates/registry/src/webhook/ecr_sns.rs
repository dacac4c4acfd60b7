//! Amazon ECR through a topic of Amazon SNS.
//!
//! The format: <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>. `Message` is a string with
//! the event that EventBridge gave to the topic, as an API destination sends it. The signature stands in the body beside
//! what it signs, so that this is the one body that is looked into before its sender is known: only for the fields that
//! the signature is about, by the same reader as all bodies, within the limits of every body.
//!
//! SNS takes any answer but 2xx, 429 and 5xx for final.

mod certificate;
mod envelope;
mod topic;

use domain::image::Host;

pub use self::topic::{Confirmation, InvalidTopicArn, Topic, TopicArn, TopicSettings};
use super::{
    Asks, Declaration, Message, Parsed, Proof,
    credential::Credential,
    ecr, id,
    json::{self, Object},
    reading::{self, Meaning},
    unusable::Unusable,
};

/// How ECR announces through SNS.
pub(super) const ECR_SNS: Declaration = Declaration {
    word: "ecr-sns",
    place: "aws sns subscribe --protocol https --notification-endpoint, without raw message delivery",
    proof: Proof { credential: Credential::Certificate, hint: "no secret, but SHA-256 for the topic's signatures" },
    signing: None,
    parse,
};

const UNSUBSCRIBED: &str =
    "Amazon SNS has removed the subscription of this address: nothing more is announced until somebody subscribes it";

fn parse(message: &Message<'_>) -> Parsed {
    match Object::of_body(message.body) {
        Ok(body) => {
            let named = body.hint("MessageId").filter(|named| !named.is_empty());
            let id = named.map_or_else(|| id::of_body(message.body), |named| id::own(&named));
            of_kind(id, message, &body)
        }
        Err(reason) => reading::one(id::of_body(message.body), message.body, Err::<Meaning, _>(reason)),
    }
}

fn of_kind(id: String, message: &Message<'_>, body: &Object<'_>) -> Parsed {
    match body.hint("Type").as_deref() {
        Some("SubscriptionConfirmation") => match body.string("SubscribeURL") {
            Ok(url) => reading::asking(id, Asks::Confirmation(Confirmation::new(url.into_owned()))),
            Err(reason) => reading::one(id, message.body, Err::<Meaning, _>(reason)),
        },
        // Its SubscribeURL would undo what somebody has done on purpose.
        Some("UnsubscribeConfirmation") => reading::asking(id, Asks::Attention(UNSUBSCRIBED)),
        Some(_) | None => reading::one(id, message.body, announced(body, message.registry)),
    }
}

fn announced(body: &Object<'_>, registry: Option<&Host>) -> Result<Meaning, Unusable> {
    let event = body.string("Message")?;
    let text = json::text(event.as_bytes()).map_err(|why| Unusable::Part { what: "Message", why: Box::new(why) })?;
    ecr::pushed(&Object::of_part("Message", text)?, registry)
}
