//! Google Artifact Registry and Container Registry, through a push subscription of Pub/Sub.
//!
//! The format: <https://cloud.google.com/artifact-registry/docs/configure-notifications>, inside that of
//! <https://cloud.google.com/pubsub/docs/push>, or without it where the subscription unwraps its messages. Every answer
//! but a few is a refusal to Pub/Sub, which then sends the message again for a week: what can not be understood is taken.

mod pub_sub;

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{announcement::Pushed, image::Host};

pub use self::pub_sub::{PubSub, PubSubSettings};
use super::{
    Declaration, Message, Parsed, Proof,
    credential::Credential,
    id,
    json::{self, Object},
    names::{self, Written},
    reading::{self, Meaning},
    unusable::Unusable,
};

/// How Google's registries announce.
pub(super) const ARTIFACT_REGISTRY: Declaration = Declaration {
    word: "artifact-registry",
    place: "gcloud pubsub subscriptions create --topic=gcr --push-endpoint, in the registry's project",
    proof: Proof { credential: Credential::Token, hint: "no secret, but who pushes and for whom" },
    signing: None,
    parse,
};

fn parse(message: &Message<'_>) -> Parsed {
    match Object::of_body(message.body) {
        Ok(body) if body.has("message") => wrapped(message, &body),
        Ok(body) => reading::one(unwrapped_id(message), message.body, pushed(&body, message.registry)),
        Err(reason) => reading::one(id::of_body(message.body), message.body, Err::<Meaning, _>(reason)),
    }
}

fn wrapped(message: &Message<'_>, body: &Object<'_>) -> Parsed {
    match body.object("message") {
        Ok(inner) => {
            let named = inner.hint("messageId").or_else(|| inner.hint("message_id")).filter(|named| !named.is_empty());
            let id = named.map_or_else(|| id::of_body(message.body), |named| id::own(&named));
            reading::one(id, message.body, carried(&inner, message.registry))
        }
        Err(reason) => reading::one(id::of_body(message.body), message.body, Err::<Meaning, _>(reason)),
    }
}

/// A message without its envelope has its id in a header at most. Publishers make headers as well: so it only tells
/// apart what is the same otherwise.
fn unwrapped_id(message: &Message<'_>) -> String {
    match message.head.text("x-goog-pubsub-message-id") {
        Some(named) => id::of_several(&[named, &id::of_body(message.body)]),
        None => id::of_body(message.body),
    }
}

/// What the data of an envelope says. A message may have attributes alone: a registry sends none such.
fn carried(inner: &Object<'_>, registry: Option<&Host>) -> Result<Meaning, Unusable> {
    let Some(encoded) = inner.optional_string("data")? else {
        return Ok(Meaning::Unwanted);
    };
    let path = inner.path_of("data");
    let bytes = STANDARD.decode(encoded.as_bytes()).map_err(|_unhelpful| Unusable::not(&path, "base64"))?;
    let text = json::text(&bytes)?;
    pushed(&Object::of_part(&path, text)?, registry)
}

fn pushed(event: &Object<'_>, registry: Option<&Host>) -> Result<Meaning, Unusable> {
    // The other one is DELETE.
    if event.string("action")? != "INSERT" {
        return Ok(Meaning::Unwanted);
    }
    let Some(tagged) = event.optional_string("tag")?.filter(|tagged| !tagged.is_empty()) else {
        return Ok(Meaning::Unwanted);
    };
    let path = event.path_of("tag");
    let Some(Written { host, name, tag: Some(tag) }) = names::written(&tagged) else {
        return Err(Unusable::not(&path, "an image with its host and its tag"));
    };
    let Some(tag) = names::tag(&path, Some(tag))? else {
        return Ok(Meaning::Unwanted);
    };
    let claimed_digest = match event.hint("digest") {
        Some(digested) if !digested.is_empty() => {
            let is_same = names::written(&digested).is_some_and(|other| other.host == host && other.name == name);
            if !is_same {
                return Err(Unusable::Contradiction("digest and tag are not of one image repository"));
            }
            names::digest(digested.split_once('@').map(|(_, digest)| Cow::Borrowed(digest)))
        }
        Some(_) | None => None,
    };
    let repository = names::repository(registry.cloned().unwrap_or(host), &path, name)?;
    Ok(Meaning::Pushed(Pushed { repository, tag, claimed_digest, run: None }))
}
