//! Azure Container Registry through Azure Event Grid.
//!
//! The events: <https://learn.microsoft.com/en-us/azure/event-grid/event-schema-container-registry>. They come in either
//! of two schemas, which differ in the names of fields: Event Grid's own, always a list, and CloudEvents, one object or a
//! list. `data` is what the registry's own webhooks send, at times as a string of JSON.
//!
//! A subscription is made only when we answer to its first message
//! (<https://learn.microsoft.com/en-us/azure/event-grid/end-point-validation-event-grid-events-schema>). The address to
//! visit in its place, which that message also has, is never visited.

use std::borrow::Cow;

use domain::image::Host;
use serde_json::value::RawValue;

use super::{
    Asks, Declaration, Message, Parsed, Proof, acr,
    credential::{Credential, Place},
    id,
    json::{self, Object},
    reading::{self, Meaning},
    unusable::Unusable,
};

/// How ACR announces through Event Grid.
pub(super) const ACR_EVENT_GRID: Declaration = Declaration {
    word: "acr-event-grid",
    place: "az eventgrid event-subscription create --endpoint, for Microsoft.ContainerRegistry.ImagePushed",
    proof: Proof {
        credential: Credential::Secret(&[
            Place::Query("secret"),
            Place::Query("code"),
            Place::Header("x-webhook-secret"),
            Place::Header("authorization"),
            Place::Bearer,
        ]),
        hint: "one of the secrets in place of … at the end of the address: the first message, to be answered, has it too",
    },
    signing: None,
    parse,
};

/// Who asks in the public cloud whether events may be sent.
pub(super) const ORIGIN: &str = "eventgrid.azure.net";

/// The first message of a subscription.
const VALIDATION: &str = "Microsoft.EventGrid.SubscriptionValidationEvent";

/// A push in the words of the table of types, and in those of the sample beside it.
const PUSHES: [&str; 2] = ["Microsoft.ContainerRegistry.ImagePushed", "ImagePushed"];

/// The longest code that is echoed, in bytes; theirs are UUIDs of 36.
const LONGEST_CODE: usize = 128;

fn parse(message: &Message<'_>) -> Parsed {
    let parts = match json::text(message.body).and_then(parts) {
        Ok(parts) => parts,
        Err(reason) => return reading::one(id::of_body(message.body), message.body, Err::<Meaning, _>(reason)),
    };
    let id = known_by(&parts).unwrap_or_else(|| id::of_body(message.body));
    match parts.as_slice() {
        [only] if kind(only).is_ok_and(|kind| kind == VALIDATION) => match code(only) {
            Ok(code) => reading::asking(id, Asks::Validation(code)),
            Err(reason) => reading::one(id, message.body, Err::<Meaning, _>(reason)),
        },
        parts => reading::many(id, parts, |part| meaning(part, message.registry)),
    }
}

/// The events of a body: those of a list, or the one that it is.
fn parts(text: &str) -> Result<Vec<&RawValue>, Unusable> {
    if text.starts_with('[') {
        return json::list("the body", text);
    }
    if !text.starts_with('{') {
        return Err(Unusable::not("the body", "a JSON object, nor a list of such"));
    }
    let only = serde_json::from_str(text);
    only.map(|only| vec![only]).map_err(|why| Unusable::NotJson { what: "the body".to_owned(), why })
}

/// The id of the one event, or one for all; `None` unless each has one.
fn known_by(parts: &[&RawValue]) -> Option<String> {
    let ids = parts.iter().map(|part| {
        let id = event(part).ok()?.hint("id")?;
        if id.is_empty() { None } else { Some(id.into_owned()) }
    });
    match ids.collect::<Option<Vec<String>>>()?.as_slice() {
        [] => None,
        [only] => Some(id::own(only)),
        several => Some(id::of_several(several)),
    }
}

fn event(part: &RawValue) -> Result<Object<'_>, Unusable> {
    Object::of_part("the event", part.get())
}

/// The type of an event in either schema.
fn kind(part: &RawValue) -> Result<Cow<'_, str>, Unusable> {
    let event = event(part)?;
    match event.optional_string("eventType")? {
        Some(kind) => Ok(kind),
        None => event.string("type"),
    }
}

/// What we are to say so that the subscription is made.
fn code(part: &RawValue) -> Result<String, Unusable> {
    let code = event(part)?.object("data")?.string("validationCode")?.into_owned();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if code.is_empty() || code.len() > LONGEST_CODE || !code.bytes().all(is_plain) {
        return Err(Unusable::not("data.validationCode", "letters, digits and hyphens"));
    }
    Ok(code)
}

fn meaning(part: &RawValue, registry: Option<&Host>) -> Result<Meaning, Unusable> {
    let kind = kind(part)?;
    if kind == VALIDATION {
        return Err(Unusable::Contradiction("a validation stands beside other events"));
    }
    if !PUSHES.contains(&kind.as_ref()) {
        return Ok(Meaning::Unwanted);
    }
    let event = event(part)?;
    let data = event.field("data")?.ok_or_else(|| Unusable::Missing(event.path_of("data")))?;
    match json::string(data) {
        Some(encoded) => acr::pushed(&Object::of_part("data", json::text(encoded.as_bytes())?)?, registry),
        None => acr::pushed(&Object::of_part("data", data.get())?, registry),
    }
}
