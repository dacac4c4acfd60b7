//! Notifications of Quay and quay.io: the event Push to Repository as Webhook POST.
//!
//! The format: <https://docs.quay.io/guides/notifications.html>. They have no digest, no id and no time, so that two
//! pushes of one tag can not be told apart. Three answers in a row that are not 2xx switch a notification off, which is
//! why other events and what can not be read are taken like pushes.

use domain::{announcement::Pushed, image::Repository};
use serde_json::value::RawValue;

use super::{
    Declaration, Message, Parsed, Proof,
    credential::{Credential, Place},
    id,
    json::{self, Object},
    names,
    reading::{self, Meaning},
    unusable::Unusable,
};

/// How Quay announces.
pub(super) const QUAY: Declaration = Declaration {
    word: "quay",
    place: "the repository's Settings > Events and Notifications: event Push to Repository, method Webhook POST",
    proof: Proof {
        credential: Credential::Secret(&[Place::Query("secret"), Place::Query("token"), Place::Basic]),
        hint: "one of the secrets in place of … at the end of the address, or as https://tagferry:…@ at its beginning",
    },
    signing: None,
    parse,
};

fn parse(message: &Message<'_>) -> Parsed {
    let id = id::of_body(message.body);
    match updated(message) {
        Ok(Some((repository, tags))) => reading::many(id, &tags, |tag| pushed(repository.clone(), tag)),
        Ok(None) => reading::one(id, message.body, Ok::<_, Unusable>(Meaning::Unwanted)),
        Err(reason) => reading::one(id, message.body, Err::<Meaning, _>(reason)),
    }
}

/// The image repository and the tags that were pushed; `None` when it is about something else.
fn updated<'a>(message: &Message<'a>) -> Result<Option<(Repository, Vec<&'a RawValue>)>, Unusable> {
    let body = Object::of_body(message.body)?;
    let Some(tags) = body.optional_list("updated_tags")? else {
        return Ok(None);
    };
    // The button `Test notification` sends this beside made-up tags; a push does not.
    if body.has("pruned_image_count") {
        return Ok(None);
    }
    let name = body.string("repository")?;
    let host = match message.registry {
        Some(host) => host.clone(),
        None => {
            let url = body.string("docker_url")?;
            let written = names::written(&url).ok_or(Unusable::Registry("docker_url"))?;
            if written.name != name {
                return Err(Unusable::Contradiction("docker_url is not of repository"));
            }
            written.host
        }
    };
    Ok(Some((names::repository(host, "repository", &name)?, tags)))
}

fn pushed(repository: Repository, tag: &RawValue) -> Result<Meaning, Unusable> {
    let tag = json::string(tag).ok_or_else(|| Unusable::not("the tag", "a string"))?;
    let tag = names::tag("the tag", Some(&tag))?;
    Ok(tag
        .map_or(Meaning::Unwanted, |tag| Meaning::Pushed(Pushed { repository, tag, claimed_digest: None, run: None })))
}
