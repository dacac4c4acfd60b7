//! Webhooks of Docker Hub.
//!
//! The format: <https://docs.docker.com/docker-hub/repos/manage/webhooks/>. They have no digest, no id and no signature,
//! and every one is a push. `callback_url` is for nobody: it can not be told who wrote it, and it is never called.

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

/// How Docker Hub announces.
pub(super) const DOCKER_HUB: Declaration = Declaration {
    word: "docker-hub",
    place: "the repository's Webhooks tab on hub.docker.com: Webhook URL",
    proof: Proof {
        credential: Credential::Secret(&[Place::Query("secret"), Place::Query("token")]),
        hint: "one of the secrets in place of … at the end of the address: Docker Hub has no other credential",
    },
    signing: None,
    parse,
};

/// The registry that images of Docker Hub are named after.
const HOST: &str = "docker.io";

fn parse(message: &Message<'_>) -> Parsed {
    let read = Object::of_body(message.body).and_then(|body| pushed(&body, message.registry));
    reading::one(id::of_body(message.body), message.body, read)
}

fn pushed(body: &Object<'_>, registry: Option<&Host>) -> Result<Meaning, Unusable> {
    let push = body.object("push_data")?;
    let repository = body.object("repository")?;
    let name = name(&repository)?;
    let Some(tag) = names::tag("push_data.tag", Some(&push.string("tag")?))? else {
        return Ok(Meaning::Unwanted);
    };
    let host = names::host(registry, "docker.io", || HOST.parse().ok())?;
    let repository = names::repository(host, "repository.repo_name", &name)?;
    Ok(Meaning::Pushed(Pushed { repository, tag, claimed_digest: None, run: None }))
}

/// The name, which has a namespace: an official image's is `library`.
fn name(repository: &Object<'_>) -> Result<String, Unusable> {
    let given = |name: &str| Ok(repository.optional_string(name)?.filter(|text| !text.is_empty()));
    let (full, namespace, name) = (given("repo_name")?, given("namespace")?, given("name")?);
    let joined = name.map(|name| format!("{}/{name}", namespace.as_deref().unwrap_or("library")));
    match (full, joined) {
        (None, None) => Err(Unusable::Missing(repository.path_of("repo_name"))),
        (None, Some(joined)) => Ok(joined),
        (Some(full), Some(joined)) if namespace.is_some() && full != joined => {
            Err(Unusable::Contradiction("repository.repo_name is not its namespace and name"))
        }
        // A third part would be a host in front, which is not for a message to choose.
        (Some(full), _) if full.split('/').count() > 2 => {
            Err(Unusable::Contradiction("repository.repo_name has more than a namespace and a name"))
        }
        (Some(full), _) => Ok(full.into_owned()),
    }
}
