//! One event of an envelope.

use std::borrow::Cow;

use domain::{
    announcement::Pushed,
    image::{Digest, Host, InvalidRepository, InvalidTag, Repository, Tag},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::webhook::{json, names, reading::Meaning};

/// What the layers and configurations of images are announced as.
const BLOB: &str = "application/octet-stream";

/// Why an event can not be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("the event is not a JSON object")]
    NotAnObject,
    #[error("the event can not be read: {0}")]
    Unreadable(serde_json::Error),
    #[error("the event's action is not one of push, pull, mount and delete")]
    Action,
    #[error("the event's target is missing or not a JSON object")]
    Target,
    #[error("the event's target can not be read: {0}")]
    UnreadableTarget(serde_json::Error),
    #[error("target.repository is not usable: {0}")]
    Repository(InvalidRepository),
    #[error("target.tag is not usable: {0}")]
    Tag(#[from] InvalidTag),
    #[error("the event does not say which registry it is from (target.url): set senders.<name>.registry")]
    Registry,
}

/// All other fields are skipped unread, whatever they hold.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    action: Cow<'a, str>,
    #[serde(borrow, default)]
    target: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target<'a> {
    #[serde(borrow, default)]
    media_type: Option<&'a RawValue>,
    #[serde(borrow)]
    repository: Cow<'a, str>,
    #[serde(borrow, default)]
    tag: Option<Cow<'a, str>>,
    /// A hint; one that is not a digest is no hint.
    #[serde(borrow, default)]
    digest: Option<&'a RawValue>,
    /// Only read for its host, and only when no registry is configured.
    #[serde(borrow, default)]
    url: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Identified<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
}

/// Reads one element of the envelope.
pub(super) fn read(text: &str, registry: Option<&Host>) -> Result<Meaning, Unusable> {
    if !text.starts_with('{') {
        return Err(Unusable::NotAnObject);
    }
    let event: Event<'_> = serde_json::from_str(text).map_err(Unusable::Unreadable)?;
    match event.action.as_ref() {
        "push" => {}
        // Our own question what a tag is makes a pull with tag and digest: taking it would make a loop.
        "pull" | "mount" | "delete" => return Ok(Meaning::Unwanted),
        _ => return Err(Unusable::Action),
    }
    let target = event.target.map(RawValue::get).filter(|target| target.starts_with('{')).ok_or(Unusable::Target)?;
    let target: Target<'_> = serde_json::from_str(target).map_err(Unusable::UnreadableTarget)?;
    if string(target.media_type).is_some_and(|media_type| media_type == BLOB) {
        return Ok(Meaning::Unwanted);
    }
    // The images of an index, signatures and other referrers are pushed by digest, without a tag.
    let Some(tag) = target.tag.as_deref().filter(|tag| !tag.is_empty() && tag.parse::<Digest>().is_err()) else {
        return Ok(Meaning::Unwanted);
    };
    let tag: Tag = tag.parse()?;
    let host = match registry {
        Some(host) => host.clone(),
        None => string(target.url).and_then(|url| names::host_of_url(&url)).ok_or(Unusable::Registry)?,
    };
    Ok(Meaning::Pushed(Pushed {
        repository: Repository::new(host, &target.repository).map_err(Unusable::Repository)?,
        tag,
        claimed_digest: names::digest(string(target.digest)),
        run: None,
    }))
}

/// The id of an element of the envelope, if it has one.
pub(super) fn id(text: &str) -> Option<String> {
    if !text.starts_with('{') {
        return None;
    }
    let event: Identified<'_> = serde_json::from_str(text).ok()?;
    string(event.id).map(Cow::into_owned)
}

/// A value, if it is a string.
fn string(value: Option<&RawValue>) -> Option<Cow<'_, str>> {
    value.and_then(json::string)
}
