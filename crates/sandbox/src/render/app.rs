//! The App, its installations and tokens.

use serde_json::{Value, json};

use crate::{
    render,
    world::{World, app::InstallationToken, repository::Key},
};

/// The start of GitHub Apps in this sandbox, as the objects need a date.
const CREATED: &str = "2026-01-01T00:00:00Z";

/// The App (`integration`).
pub(crate) fn integration(world: &World) -> Value {
    let app = &world.app;
    json!({
        "id": app.id,
        "slug": app.slug,
        "client_id": app.client_id(),
        "node_id": render::node_id("A", app.id),
        "owner": render::user::account(world, "sandbox"),
        "name": app.slug,
        "description": "The App of the sandbox.",
        "external_url": world.url,
        "html_url": format!("{}/apps/{}", world.url, app.slug),
        "created_at": CREATED,
        "updated_at": CREATED,
        "permissions": app.permissions,
        "events": app.events,
        "installations_count": app.installations.len(),
    })
}

/// Where the App is told about events (`webhook-config`); the secret is never shown.
pub(crate) fn hook(world: &World) -> Value {
    match &world.target {
        None => json!({ "content_type": "form", "insecure_ssl": "0" }),
        Some(target) => json!({
            "content_type": "json",
            "insecure_ssl": "0",
            "secret": target.secret.as_ref().map_or("", |_| "********"),
            "url": target.url,
        }),
    }
}

/// An installation (`installation`).
pub(crate) fn installation(world: &World, owner: &str, id: u64) -> Value {
    let app = &world.app;
    let mut account = render::user::account(world, owner);
    // The schema of the list asks for the fields of an enterprise beside those of an account.
    if let Some(account) = account.as_object_mut() {
        for (field, value) in [("name", owner), ("slug", owner), ("created_at", CREATED), ("updated_at", CREATED)] {
            account.insert(field.to_owned(), json!(value));
        }
    }
    json!({
        "id": id,
        "app_id": app.id,
        "client_id": app.client_id(),
        "app_slug": app.slug,
        "target_id": account.get("id"),
        "target_type": account.get("type"),
        "account": account,
        "repository_selection": "selected",
        "access_tokens_url": format!("{}/app/installations/{id}/access_tokens", world.url),
        "repositories_url": format!("{}/installation/repositories", world.url),
        "html_url": format!("{}/organizations/{owner}/settings/installations/{id}", world.url),
        "single_file_name": null,
        "permissions": app.permissions,
        "events": app.events,
        "created_at": CREATED,
        "updated_at": CREATED,
        "suspended_at": null,
        "suspended_by": null,
    })
}

/// The short form of an installation in webhooks.
pub(crate) fn installation_lite(world: &World, key: &Key) -> Value {
    match world.app.installation_of(key.owner()) {
        Some(id) => json!({ "id": id, "node_id": render::node_id("I", id) }),
        None => Value::Null,
    }
}

/// A fresh token of an installation (`installation-token`).
pub(crate) fn token(world: &World, token: &str, grant: &InstallationToken) -> Value {
    let mut object = json!({
        "token": token,
        "expires_at": render::time(grant.expires_at),
        "permissions": grant.permissions,
        "repository_selection": if grant.repositories.is_some() { "selected" } else { "all" },
    });
    if let (Some(keys), Some(object)) = (&grant.repositories, object.as_object_mut()) {
        let known = keys.iter().filter_map(|key| world.repositories.get(key));
        let rendered = known.map(|repository| render::repository::nested(world, repository)).collect();
        object.insert("repositories".to_owned(), Value::Array(rendered));
    }
    object
}
