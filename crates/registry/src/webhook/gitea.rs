//! Package webhooks of Gitea and Forgejo.
//!
//! The format: <https://docs.gitea.com/usage/webhooks>; the fields are those of `modules/structs/hook.go`. The version of
//! a package is the tag in lower case, whatever its case was in the push: it is announced as it comes. Each of them also
//! sends GitHub's headers, so that nothing may be told from which headers there are.

use domain::{announcement::Pushed, image::Host};

use super::{
    Declaration, Head, Message, Parsed, Proof,
    credential::{Algorithm, Credential, Signature},
    id,
    json::Object,
    names,
    reading::{self, Meaning},
    unusable::Unusable,
};

/// How Gitea and Forgejo announce packages.
pub(super) const GITEA: Declaration = Declaration {
    word: "gitea",
    place: "the owner's Settings > Webhooks, type Gitea or Forgejo: Target URL, POST, application/json, event Package",
    proof: Proof {
        credential: Credential::Signature(Signature {
            headers: &["x-gitea-signature", "x-forgejo-signature"],
            prefix: "",
            algorithm: Algorithm::Sha256,
        }),
        hint: "Secret is one of the secrets",
    },
    signing: None,
    parse,
};

fn parse(message: &Message<'_>) -> Parsed {
    let id = id::of_header(message.head, &["x-gitea-delivery", "x-forgejo-delivery"], message.body);
    let read = match event(message.head) {
        Some("package") => Object::of_body(message.body).and_then(|body| pushed(&body, message.registry)),
        Some(_) => Ok(Meaning::Unwanted),
        None => Err(Unusable::Missing("the header X-Gitea-Event".to_owned())),
    };
    reading::one(id, message.body, read)
}

fn event<'a>(head: &Head<'a>) -> Option<&'a str> {
    head.text("x-gitea-event").or_else(|| head.text("x-forgejo-event"))
}

fn pushed(body: &Object<'_>, registry: Option<&Host>) -> Result<Meaning, Unusable> {
    if body.string("action")? != "created" {
        return Ok(Meaning::Unwanted);
    }
    let package = body.object("package")?;
    if package.string("type")? != "container" {
        return Ok(Meaning::Unwanted);
    }
    let version = package.optional_string("version")?;
    let Some(tag) = names::tag(&package.path_of("version"), version.as_deref())? else {
        return Ok(Meaning::Unwanted);
    };
    let owner = package.object("owner")?;
    let login = match owner.optional_string("login")? {
        Some(login) => login,
        None => owner.string("username")?,
    };
    let name = format!("{login}/{}", package.string("name")?).to_ascii_lowercase();
    let url = package.optional_string("html_url")?;
    let host = names::host(registry, "package.html_url", || names::host_of_url(&url?))?;
    let repository = names::repository(host, "package.owner.login and package.name", &name)?;
    Ok(Meaning::Pushed(Pushed { repository, tag, claimed_digest: None, run: None }))
}
