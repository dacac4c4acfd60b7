//! Accounts. Every login exists; its number follows from its name.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{render, world::World};

/// The number of an account.
pub(crate) fn id(login: &str) -> u64 {
    let digest = Sha256::digest(login.to_ascii_lowercase().as_bytes());
    digest.iter().take(3).fold(1, |id, byte| id * 256 + u64::from(*byte))
}

/// The address in the commits of an account, as GitHub makes it.
pub(crate) fn email(login: &str) -> String {
    format!("{}+{login}@users.noreply.github.com", id(login))
}

/// The object of an account, with all its 18 fields.
pub(crate) fn account(world: &World, login: &str) -> Value {
    let id = id(login);
    let url = format!("{}/users/{}", world.url, login.replace('[', "%5B").replace(']', "%5D"));
    let page = match login.strip_suffix("[bot]") {
        Some(app) => format!("apps/{app}"),
        None => login.to_owned(),
    };
    let owns_something = world.repositories.keys().any(|key| key.owner().eq_ignore_ascii_case(login));
    let kind = match login {
        _ if login.ends_with("[bot]") => "Bot",
        _ if owns_something => "Organization",
        _ => "User",
    };
    json!({
        "login": login,
        "id": id,
        "node_id": render::node_id("U", id),
        "avatar_url": format!("{}/avatars/{id}", world.url),
        "gravatar_id": "",
        "url": url,
        "html_url": format!("{}/{page}", world.url),
        "followers_url": format!("{url}/followers"),
        "following_url": format!("{url}/following{{/other_user}}"),
        "gists_url": format!("{url}/gists{{/gist_id}}"),
        "starred_url": format!("{url}/starred{{/owner}}{{/repo}}"),
        "subscriptions_url": format!("{url}/subscriptions"),
        "organizations_url": format!("{url}/orgs"),
        "repos_url": format!("{url}/repos"),
        "events_url": format!("{url}/events{{/privacy}}"),
        "received_events_url": format!("{url}/received_events"),
        "type": kind,
        "site_admin": false,
    })
}
