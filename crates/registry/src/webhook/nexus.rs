//! Webhooks of Sonatype Nexus Repository 3: the capability `Webhook: Repository`, event type component.
//!
//! The format: <https://help.sonatype.com/en/working-with-webhooks.html>. Which registry it is, is nowhere in it, so that it
//! must be configured. There is a header that names the algorithm of the signature in another product of theirs: nothing
//! is chosen by it.

use domain::{announcement::Pushed, image::Host};

use super::{
    Declaration, Message, Parsed, Proof,
    credential::{Algorithm, Credential, Signature},
    id,
    json::Object,
    names,
    reading::{self, Meaning},
    unusable::Unusable,
};

/// How Nexus announces.
pub(super) const NEXUS: Declaration = Declaration {
    word: "nexus",
    place: "Administration > System > Capabilities > Webhook: Repository: URL, the repository, event type component",
    proof: Proof {
        credential: Credential::Signature(Signature {
            headers: &["x-nexus-webhook-signature"],
            prefix: "",
            algorithm: Algorithm::Sha1,
        }),
        hint: "Secret Key is one of the secrets",
    },
    signing: None,
    parse,
};

fn parse(message: &Message<'_>) -> Parsed {
    let id = id::of_header(message.head, &["x-nexus-webhook-delivery"], message.body);
    let read = match message.head.text("x-nexus-webhook-id") {
        Some("rm:repository:component") => {
            Object::of_body(message.body).and_then(|body| pushed(&body, message.registry))
        }
        // `rm:repository:asset` has one message for every blob.
        Some(_) => Ok(Meaning::Unwanted),
        None => Err(Unusable::Missing("the header X-Nexus-Webhook-ID".to_owned())),
    };
    reading::one(id, message.body, read)
}

fn pushed(body: &Object<'_>, registry: Option<&Host>) -> Result<Meaning, Unusable> {
    // A tag that is pushed again is an update.
    if !matches!(body.string("action")?.as_ref(), "CREATED" | "UPDATED") {
        return Ok(Meaning::Unwanted);
    }
    let component = body.object("component")?;
    if component.string("format")? != "docker" {
        return Ok(Meaning::Unwanted);
    }
    let version = component.optional_string("version")?;
    let Some(tag) = names::tag(&component.path_of("version"), version.as_deref())? else {
        return Ok(Meaning::Unwanted);
    };
    let host = names::host(registry, "nowhere", || None)?;
    let repository = names::repository(host, &component.path_of("name"), &component.string("name")?)?;
    Ok(Meaning::Pushed(Pushed { repository, tag, claimed_digest: None, run: None }))
}
