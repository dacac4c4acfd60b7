//! Notifications of CNCF Distribution, 2.x (`events.v1+json`) and 3.x (`events.v2+json`).
//!
//! The format: <https://distribution.github.io/distribution/about/notifications/>. Both versions have the same
//! envelope, so that the content type is not looked at. The sender repeats for ever, blocking its queue, what is not
//! answered with 2xx or 3xx: that is why there is no way to refuse an authenticated body here, only elements that are
//! unusable. Nothing in a payload proves anything: all of `request` but its id and method is chosen by whoever pushes.

mod event;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Declaration, Message, Parsed, Proof,
    credential::{Credential, Place},
    id, json,
    reading::{self, Meaning},
    unusable::Unusable,
};

/// How registries made of CNCF Distribution announce.
pub(super) const DISTRIBUTION: Declaration = Declaration {
    word: "distribution",
    place: "notifications.endpoints[].url in the registry's configuration",
    proof: Proof {
        credential: Credential::Secret(&[Place::Header("authorization")]),
        hint: "notifications.endpoints[].headers.Authorization is one of the secrets, entirely: `Bearer …` if it has that",
    },
    signing: None,
    parse,
};

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
}

/// Why a body is no envelope.
#[derive(Debug, thiserror::Error)]
enum NoEnvelope {
    #[error(transparent)]
    Body(#[from] Unusable),
    #[error("the body is not an envelope of events as CNCF Distribution sends them: {0}")]
    Other(serde_json::Error),
}

/// Reads a delivery, in which what can not be read becomes unusable elements beside the good ones.
pub(super) fn parse(message: &Message<'_>) -> Parsed {
    match envelope(message.body) {
        Ok(Envelope { events }) => {
            reading::many(delivery_id(message.body, &events), &events, |one| event::read(one.get(), message.registry))
        }
        Err(reason) => reading::one(id::of_body(message.body), message.body, Err::<Meaning, _>(reason)),
    }
}

fn envelope(body: &[u8]) -> Result<Envelope<'_>, NoEnvelope> {
    let text = json::text(body)?;
    // A derived struct is also read from an array, its fields by position.
    if !text.starts_with('{') {
        return Err(Unusable::not("the body", "a JSON object").into());
    }
    serde_json::from_str(text).map_err(NoEnvelope::Other)
}

/// The single event's id, else a hash over the ids of all, else over the body.
fn delivery_id(body: &[u8], events: &[&RawValue]) -> String {
    let ids: Option<Vec<String>> = events.iter().map(|one| event::id(one.get())).collect();
    match ids.as_deref() {
        None | Some([]) => id::of_body(body),
        Some([one]) => id::own(one),
        Some(all) => id::of_several(all),
    }
}
