//! Webhooks of JFrog Artifactory: the event `Docker tag was pushed`.
//!
//! The format: <https://docs.jfrog.com/administration/docs/event-types>. One header has the secret itself or, where the
//! webhook is set to, a signature made with it. Which of them is configured here: taking either would let somebody in who
//! has seen one message that was not signed.

use domain::announcement::Pushed;

use super::{
    Declaration, Message, Parsed, Proof,
    credential::{Algorithm, Credential, Place, Signature},
    id,
    json::Object,
    names,
    reading::{self, Meaning},
    unusable::Unusable,
};

const HEADER: &str = "x-jfrog-event-auth";

/// How Artifactory announces.
pub(super) const JFROG: Declaration = Declaration {
    word: "jfrog",
    place: "the platform's Administration > General Management > Webhooks: URL, event `Docker tag was pushed`",
    proof: Proof {
        credential: Credential::Secret(&[Place::Header(HEADER)]),
        hint: "Secret token is one of the secrets; with `Use secret for payload signing` set `signing: true` here",
    },
    signing: Some(Proof {
        credential: Credential::Signature(Signature { headers: &[HEADER], prefix: "", algorithm: Algorithm::Sha256 }),
        hint: "Secret token is one of the secrets, and `Use secret for payload signing` is on",
    }),
    parse,
};

fn parse(message: &Message<'_>) -> Parsed {
    let read = Object::of_body(message.body).and_then(|body| pushed(&body, message));
    reading::one(id::of_body(message.body), message.body, read)
}

fn pushed(body: &Object<'_>, message: &Message<'_>) -> Result<Meaning, Unusable> {
    if body.string("domain")? != "docker" || body.string("event_type")? != "pushed" {
        return Ok(Meaning::Unwanted);
    }
    let data = body.object("data")?;
    let tag = data.optional_string("tag")?;
    // The images of an index lie in directories that are named so.
    if tag.as_deref().is_some_and(is_digest_as_directory) {
        return Ok(Meaning::Unwanted);
    }
    let Some(tag) = names::tag(&data.path_of("tag"), tag.as_deref())? else {
        return Ok(Meaning::Unwanted);
    };
    let path = data.string("path")?;
    let image = image(&path).ok_or_else(|| Unusable::not(&data.path_of("path"), "image/tag/file"))?;
    let key = data.string("repo_key")?;
    let key = message.repo_keys.get(key.as_ref()).map_or(key.as_ref(), String::as_str);
    // Empty unless the platform has a custom base URL.
    let origin = body.optional_string("jpd_origin")?;
    let host = names::host(message.registry, "jpd_origin", || names::host_of_url(&origin?))?;
    let repository = names::repository(host, "data.repo_key and data.path", &format!("{key}/{image}"))?;
    let claimed_digest = names::digest(data.hint("sha256").map(|digits| format!("sha256:{digits}").into()));
    Ok(Meaning::Pushed(Pushed { repository, tag, claimed_digest, run: None }))
}

/// The path without the directory of the tag and the file in it; `image_name` may lack what stands before.
fn image(path: &str) -> Option<&str> {
    let (directory, _file) = path.rsplit_once('/')?;
    let (image, _tag) = directory.rsplit_once('/')?;
    Some(image)
}

fn is_digest_as_directory(tag: &str) -> bool {
    tag.strip_prefix("sha256__").is_some_and(|digits| digits.len() == 64)
}
