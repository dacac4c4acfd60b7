//! CloudEvents 1.0 of anybody: of a pipeline, of an EventBridge rule with an input transformer, of a bridge.
//!
//! The format: <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md>, in its
//! modes structured, batched and binary. How an image push is written in one is nobody's standard; the types and fields
//! here are those that Argo CD Image Updater reads. Its match of any type with "image" in it also takes deletes for
//! pushes: here the types are a list.

mod event;

use serde_json::value::RawValue;

use self::event::Event;
use super::{
    Declaration, Message, Parsed, Proof,
    credential::{Algorithm, Credential, Place, Signature},
    id,
    json::{self, Object},
    reading::{self, Meaning},
    unusable::Unusable,
};

/// How a sender of CloudEvents announces.
pub(super) const CLOUDEVENTS: Declaration = Declaration {
    word: "cloudevents",
    place: "whoever sends CloudEvents of type container.image.push: the address to post to",
    proof: Proof {
        credential: Credential::Secret(&[
            Place::Bearer,
            Place::Header("x-webhook-secret"),
            Place::Query("access_token"),
            Place::Query("secret"),
        ]),
        hint: "the header `Authorization: Bearer …` or `X-Webhook-Secret: …` with one of the secrets",
    },
    signing: Some(Proof {
        credential: Credential::Signature(Signature {
            headers: &["x-hub-signature-256", "x-signature"],
            prefix: "sha256=",
            algorithm: Algorithm::Sha256,
        }),
        hint: "the header `X-Hub-Signature-256: sha256=…`, an HMAC-SHA256 over the body made with one of the secrets",
    }),
    parse,
};

fn parse(message: &Message<'_>) -> Parsed {
    // Both media types begin alike: the batch is looked for first.
    match message.head.media_type().as_str() {
        "application/cloudevents-batch+json" => batch(message),
        "application/cloudevents+json" => structured(message),
        _ if message.head.lines("ce-specversion").next().is_some() => binary(message),
        _ => structured(message),
    }
}

fn batch(message: &Message<'_>) -> Parsed {
    let parts = match json::text(message.body).and_then(|text| json::list("the body", text)) {
        Ok(parts) => parts,
        Err(reason) => return reading::one(id::of_body(message.body), message.body, Err::<Meaning, _>(reason)),
    };
    let id = batch_id(&parts).unwrap_or_else(|| id::of_body(message.body));
    reading::many(id, &parts, |part| batched(part.get())?.meaning(message.registry))
}

fn batched(text: &str) -> Result<Event<'_>, Unusable> {
    Event::of_object(&Object::of_part("the event", text)?)
}

/// One id for all events of a batch; `None` unless each has one.
fn batch_id(parts: &[&RawValue]) -> Option<String> {
    let mut ids = Vec::new();
    for part in parts {
        let event = batched(part.get()).ok()?;
        ids.extend([event.source.into_owned(), event.id.into_owned()]);
    }
    if ids.is_empty() { None } else { Some(id::of_several(&ids)) }
}

fn structured(message: &Message<'_>) -> Parsed {
    let event = Object::of_body(message.body).and_then(|object| Event::of_object(&object));
    one(message, event)
}

fn binary(message: &Message<'_>) -> Parsed {
    one(message, Event::of_head(message.head, message.body))
}

fn one(message: &Message<'_>, event: Result<Event<'_>, Unusable>) -> Parsed {
    // An event is known by its source and its id together.
    let id = match &event {
        Ok(event) => id::of_several(&[event.source.as_ref(), event.id.as_ref()]),
        Err(_) => id::of_body(message.body),
    };
    reading::one(id, message.body, event.and_then(|event| event.meaning(message.registry)))
}
