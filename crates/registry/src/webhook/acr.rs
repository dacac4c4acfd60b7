//! Webhooks of Azure Container Registry.
//!
//! The format: <https://learn.microsoft.com/en-us/azure/container-registry/container-registry-webhook-reference>. It is
//! one event of CNCF Distribution without the envelope, and `request.host` is the registry's login server. Each replica
//! of a registry has webhooks of its own, so that one push is announced by several.

use domain::{announcement::Pushed, image::Host};

use super::{
    Declaration, Message, Parsed, Proof,
    credential::{Credential, Place},
    json::Object,
    names,
    reading::{self, Meaning},
    unusable::Unusable,
};

/// How ACR announces by itself.
pub(super) const ACR: Declaration = Declaration {
    word: "acr",
    place: "az acr webhook create --actions push --uri, once for each region of the registry",
    proof: Proof {
        credential: Credential::Secret(&[Place::Header("authorization"), Place::Basic, Place::Query("secret")]),
        hint: "--headers \"Authorization=…\" with one of the secrets, entirely: `Bearer …` if it has that",
    },
    signing: None,
    parse,
};

fn parse(message: &Message<'_>) -> Parsed {
    reading::identified(message.body, |event| pushed(event, message.registry))
}

/// What one event says, also for whoever else carries events of ACR.
pub(super) fn pushed(event: &Object<'_>, registry: Option<&Host>) -> Result<Meaning, Unusable> {
    // Others are `delete`, `quarantine`, `chart_push` and `chart_delete`, and `ping`, which has nothing else.
    if event.string("action")? != "push" {
        return Ok(Meaning::Unwanted);
    }
    let target = event.object("target")?;
    let tag = target.optional_string("tag")?;
    let Some(tag) = names::tag(&target.path_of("tag"), tag.as_deref())? else {
        return Ok(Meaning::Unwanted);
    };
    let named = match registry {
        Some(_) => None,
        None => event.object("request")?.optional_string("host")?,
    };
    let host = names::host(registry, "request.host", || named?.to_ascii_lowercase().parse().ok())?;
    let repository = names::repository(host, &target.path_of("repository"), &target.string("repository")?)?;
    Ok(Meaning::Pushed(Pushed { repository, tag, claimed_digest: names::digest(target.hint("digest")), run: None }))
}
