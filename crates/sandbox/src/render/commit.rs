//! Commits and comparisons.

use serde_json::{Value, json};

use crate::{
    git::{CommitObject, Signature},
    render,
    world::{
        World,
        repository::{Key, Repository},
    },
};

/// The object of a commit (`commit`).
pub(crate) fn full(world: &World, repository: &Repository, commit: &CommitObject) -> Value {
    let base = render::repository::url(world, &repository.key);
    let html = format!("{}/{}/commit", world.url, repository.key);
    let oid = &commit.oid;
    let parents = commit.parents.iter().map(|parent| {
        json!({ "sha": parent, "url": format!("{base}/commits/{parent}"), "html_url": format!("{html}/{parent}") })
    });
    json!({
        "sha": oid,
        "node_id": format!("C_kwDOSB{:08x}:{oid}", repository.id),
        "url": format!("{base}/commits/{oid}"),
        "html_url": format!("{html}/{oid}"),
        "comments_url": format!("{base}/commits/{oid}/comments"),
        "commit": {
            "url": format!("{base}/git/commits/{oid}"),
            "message": commit.message,
            "comment_count": 0,
            "tree": { "sha": commit.tree, "url": format!("{base}/git/trees/{}", commit.tree) },
            "author": signature(&commit.author),
            "committer": signature(&commit.committer),
            "verification": verification(repository, commit),
        },
        "author": account(world, &commit.author),
        "committer": account(world, &commit.committer),
        "parents": parents.collect::<Vec<_>>(),
    })
}

/// GitHub signs what it makes itself; nothing else here is signed.
fn verification(repository: &Repository, commit: &CommitObject) -> Value {
    let signed = repository.is_signed(&commit.oid);
    json!({
        "verified": signed,
        "reason": if signed { "valid" } else { "unsigned" },
        "payload": signed.then_some("tree"),
        "signature": signed.then_some("-----BEGIN PGP SIGNATURE-----"),
        "verified_at": signed.then(|| render::time(commit.committer.when)),
    })
}

/// The shorter form of a commit in the webhook `push`.
pub(crate) fn in_push(world: &World, key: &Key, commit: &CommitObject) -> Value {
    json!({
        "id": commit.oid,
        "tree_id": commit.tree,
        "distinct": true,
        "message": commit.message,
        "timestamp": render::time(commit.committer.when),
        "url": format!("{}/{key}/commit/{}", world.url, commit.oid),
        "author": { "name": commit.author.name, "email": commit.author.email },
        "committer": { "name": commit.committer.name, "email": commit.committer.email },
        "added": [],
        "removed": [],
        "modified": [],
    })
}

/// The shortest form of a commit (`simple-commit`), as in the webhook `merge_group`.
pub(crate) fn simple(commit: &CommitObject) -> Value {
    json!({
        "id": commit.oid,
        "tree_id": commit.tree,
        "message": commit.message,
        "timestamp": render::time(commit.committer.when),
        "author": { "name": commit.author.name, "email": commit.author.email },
        "committer": { "name": commit.committer.name, "email": commit.committer.email },
    })
}

fn signature(signature: &Signature) -> Value {
    json!({ "name": signature.name, "email": signature.email, "date": render::time(signature.when) })
}

/// The account of an address that GitHub makes; `null` for any other address.
fn account(world: &World, signature: &Signature) -> Value {
    let local = signature.email.strip_suffix("@users.noreply.github.com");
    match local.and_then(|local| local.split_once('+')) {
        Some((_, login)) => render::user::account(world, login),
        None => Value::Null,
    }
}
