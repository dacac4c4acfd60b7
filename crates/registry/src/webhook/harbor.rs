//! Webhooks of Harbor, in its formats Default and CloudEvents.
//!
//! The format: <https://goharbor.io/docs/main/working-with-projects/project-configuration/configure-webhooks/>. Both hold
//! the same object, under `event_data` or `data`, with a list of resources. A push by digest has the digest in the place
//! of the tag. Scans and pulls look like pushes but for their type.

use std::borrow::Cow;

use domain::{announcement::Pushed, image::Host};
use serde_json::value::RawValue;

use super::{
    Declaration, Message, Parsed, Proof,
    credential::{Credential, Place},
    id,
    json::Object,
    names,
    reading::{self, Meaning},
    unusable::Unusable,
};

/// How Harbor announces.
pub(super) const HARBOR: Declaration = Declaration {
    word: "harbor",
    place: "the project's Webhooks > New webhook: Endpoint URL, event `Artifact pushed`, either payload format",
    proof: Proof {
        credential: Credential::Secret(&[Place::Header("authorization")]),
        hint: "Auth Header is one of the secrets, entirely: `Bearer …` if it has that",
    },
    signing: None,
    parse,
};

/// What pushes are called: by Harbor 2, by Harbor 1, and as CloudEvents.
const PUSHES: [&str; 3] = ["PUSH_ARTIFACT", "pushImage", "harbor.artifact.pushed"];

fn parse(message: &Message<'_>) -> Parsed {
    let unusable = |id, reason: Unusable| reading::one(id, message.body, Err::<Meaning, _>(reason));
    let event = match Object::of_body(message.body) {
        Ok(event) => event,
        Err(reason) => return unusable(id::of_body(message.body), reason),
    };
    // Only CloudEvents have one.
    let id = id::of_field(&event, message.body);
    let data = match data(&event) {
        Ok(Some(data)) => data,
        Ok(None) => return reading::one(id, message.body, Ok::<_, Unusable>(Meaning::Unwanted)),
        Err(reason) => return unusable(id, reason),
    };
    match named(&data) {
        Ok((full_name, resources)) => reading::many(id, &resources, |resource| {
            pushed(&Object::of_part("the resource", resource.get())?, full_name.as_deref(), message.registry)
        }),
        Err(reason) => unusable(id, reason),
    }
}

/// What was pushed; `None` when it is about something else.
fn data<'a>(event: &Object<'a>) -> Result<Option<Object<'a>>, Unusable> {
    if !PUSHES.contains(&event.string("type")?.as_ref()) {
        return Ok(None);
    }
    event.object(if event.has("specversion") { "data" } else { "event_data" }).map(Some)
}

/// The image repository, where it is named apart, and what was pushed to it.
type Named<'a> = (Option<Cow<'a, str>>, Vec<&'a RawValue>);

fn named<'a>(data: &Object<'a>) -> Result<Named<'a>, Unusable> {
    let full_name = match data.optional_object("repository")? {
        Some(repository) => repository.optional_string("repo_full_name")?,
        None => None,
    };
    let resources = data.optional_list("resources")?;
    Ok((full_name, resources.ok_or_else(|| Unusable::Missing(data.path_of("resources")))?))
}

fn pushed(resource: &Object<'_>, full_name: Option<&str>, registry: Option<&Host>) -> Result<Meaning, Unusable> {
    let tag = resource.optional_string("tag")?;
    let Some(tag) = names::tag("tag", tag.as_deref())? else {
        return Ok(Meaning::Unwanted);
    };
    let url = resource.optional_string("resource_url")?;
    let written = match &url {
        // Without a host it is not completed with anybody's default.
        Some(url) => Some(names::written(url).ok_or(Unusable::Registry("resource_url"))?),
        None => None,
    };
    if let Some(written) = &written {
        if full_name.is_some_and(|name| name != written.name) {
            return Err(Unusable::Contradiction("resource_url is not of repository.repo_full_name"));
        }
        if written.tag.is_some_and(|other| other != tag.as_str()) {
            return Err(Unusable::Contradiction("resource_url has another tag than the resource"));
        }
    }
    let name = full_name.or(written.as_ref().map(|written| written.name));
    let name = name.ok_or_else(|| Unusable::Missing("repository.repo_full_name".to_owned()))?.to_owned();
    let host = names::host(registry, "resource_url", || written.map(|written| written.host))?;
    let repository = names::repository(host, "repository.repo_full_name", &name)?;
    Ok(Meaning::Pushed(Pushed { repository, tag, claimed_digest: names::digest(resource.hint("digest")), run: None }))
}
