//! Triggers of Alibaba Cloud Container Registry.
//!
//! The format: <https://www.alibabacloud.com/help/en/acr/user-guide/manage-webhooks>. Every one is a push, and the address
//! is the only credential. The host follows from the region for the Personal Edition only; an Enterprise Edition has one
//! of its own, to be configured.

use domain::{announcement::Pushed, image::Host};

use super::{
    Declaration, Message, Parsed, Proof,
    credential::{Credential, Place},
    id,
    json::Object,
    names,
    reading::{self, Meaning},
    unusable::Unusable,
};

/// How Alibaba Cloud announces.
pub(super) const ALIYUN: Declaration = Declaration {
    word: "aliyun",
    place: "the repository's Triggers in the Container Registry console: Trigger URL",
    proof: Proof {
        credential: Credential::Secret(&[Place::Query("secret")]),
        hint: "one of the secrets in place of … at the end of the address: there is no other credential",
    },
    signing: None,
    parse,
};

fn parse(message: &Message<'_>) -> Parsed {
    let read = Object::of_body(message.body).and_then(|body| pushed(&body, message.registry));
    reading::one(id::of_body(message.body), message.body, read)
}

fn pushed(body: &Object<'_>, registry: Option<&Host>) -> Result<Meaning, Unusable> {
    let push = body.object("push_data")?;
    let repository = body.object("repository")?;
    let tag = push.optional_string("tag")?;
    let Some(tag) = names::tag("push_data.tag", tag.as_deref())? else {
        return Ok(Meaning::Unwanted);
    };
    let region = repository.optional_string("region")?;
    let host = names::host(registry, "repository.region", || host(&region?))?;
    // The console shows names in the case in which they were written; image repositories have none.
    let name = repository.string("repo_full_name")?.to_ascii_lowercase();
    let repository = names::repository(host, "repository.repo_full_name", &name)?;
    Ok(Meaning::Pushed(Pushed { repository, tag, claimed_digest: names::digest(push.hint("digest")), run: None }))
}

fn host(region: &str) -> Option<Host> {
    let is_label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if region.is_empty() || !region.bytes().all(is_label) {
        return None;
    }
    format!("registry.{region}.aliyuncs.com").parse().ok()
}
