//! GitHub Container Registry: the events `package` and `registry_package` of GitHub's webhooks.
//!
//! The format: <https://docs.github.com/en/webhooks/webhook-events-and-payloads#package>. Organisations and repositories
//! send the one, GitHub Apps the other; inside they are the same. An index is announced with each of its images, which
//! have an empty tag. The header that names the event is not signed, so that the body must have what it names.

use domain::{announcement::Pushed, image::Host};
use url::form_urlencoded;

use super::{
    Declaration, Message, Parsed, Proof,
    credential::{Algorithm, Credential, Signature},
    id,
    json::Object,
    names,
    reading::{self, Meaning},
    unusable::Unusable,
};

/// How GitHub announces packages.
pub(super) const GHCR: Declaration = Declaration {
    word: "ghcr",
    place: "the organisation's Settings > Webhooks: Payload URL, content type application/json, event Packages",
    proof: Proof {
        credential: Credential::Signature(Signature {
            headers: &["x-hub-signature-256"],
            prefix: "sha256=",
            algorithm: Algorithm::Sha256,
        }),
        hint: "Secret is one of the secrets",
    },
    signing: None,
    parse,
};

/// The registry of github.com. On GitHub Enterprise Server it is `containers.` and the host: it is configured there.
const HOST: &str = "ghcr.io";

fn parse(message: &Message<'_>) -> Parsed {
    let id = id::of_header(message.head, &["x-github-delivery"], message.body);
    reading::one(id, message.body, read(message))
}

fn read(message: &Message<'_>) -> Result<Meaning, Unusable> {
    let event = match message.head.text("x-github-event") {
        Some(event @ ("package" | "registry_package")) => event,
        Some(_) => return Ok(Meaning::Unwanted),
        None => return Err(Unusable::Missing("the header X-GitHub-Event".to_owned())),
    };
    if message.head.media_type() == "application/x-www-form-urlencoded" {
        let payload = payload(message.body)?;
        return package(&Object::of_body(payload.as_bytes())?, event, message.registry);
    }
    package(&Object::of_body(message.body)?, event, message.registry)
}

/// The JSON in a form, which GitHub sends when a webhook's content type is left as it is at first.
fn payload(form: &[u8]) -> Result<String, Unusable> {
    let mut payloads = form_urlencoded::parse(form).filter(|(name, _)| name == "payload");
    let payload = payloads.next().ok_or_else(|| Unusable::Missing("payload".to_owned()))?;
    match payloads.next() {
        None => Ok(payload.1.into_owned()),
        Some(_) => Err(Unusable::Twice("payload".to_owned())),
    }
}

fn package(body: &Object<'_>, event: &str, registry: Option<&Host>) -> Result<Meaning, Unusable> {
    let package = body.object(event)?;
    if !matches!(body.string("action")?.as_ref(), "published" | "updated") {
        return Ok(Meaning::Unwanted);
    }
    if !package.string("package_type")?.eq_ignore_ascii_case("container") {
        return Ok(Meaning::Unwanted);
    }
    let version = package.object("package_version")?;
    let tagged = version.object("container_metadata")?.object("tag")?;
    let name = tagged.optional_string("name")?;
    let Some(tag) = names::tag(&tagged.path_of("name"), name.as_deref())? else {
        return Ok(Meaning::Unwanted);
    };
    let url = version.string("package_url")?;
    let written =
        names::written(&url).ok_or_else(|| Unusable::not(&version.path_of("package_url"), "host/name:tag"))?;
    if written.tag != Some(tag.as_str()) {
        return Err(Unusable::Contradiction("package_url has another tag than container_metadata"));
    }
    if registry.is_none() && written.host.as_str() != HOST {
        return Err(Unusable::Contradiction("package_url is not of ghcr.io: set senders.<name>.registry"));
    }
    let host = registry.cloned().unwrap_or(written.host);
    // An owner keeps the case of their name there, while image repositories have none.
    let repository = names::repository(host, "package_url", &written.name.to_ascii_lowercase())?;
    Ok(Meaning::Pushed(Pushed { repository, tag, claimed_digest: names::digest(tagged.hint("digest")), run: None }))
}
