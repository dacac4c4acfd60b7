//! Commits and comparisons.

use serde_json::json;

use super::{Answer, Place};
use crate::{
    git::{CommitObject, Oid},
    refusal::Refusal,
    render,
    world::{World, app::Access, repository::Repository},
};

/// `GET /repos/{owner}/{repo}/commits/{ref}`.
pub(super) fn get(world: &World, place: &Place, reference: &str) -> Result<Answer, Refusal> {
    let repository = place.permitted(world, "contents", Access::Read)?;
    let oid = repository.resolve(reference)?.ok_or_else(|| no_commit(reference))?;
    if place.call.accept.contains("application/vnd.github.sha") {
        return Ok(Answer::text(oid.to_string()));
    }
    let commit = object(repository, &oid)?;
    let mut rendered = render::commit::full(world, repository, &commit);
    if let Some(rendered) = rendered.as_object_mut() {
        rendered.insert("stats".to_owned(), json!({ "additions": 0, "deletions": 0, "total": 0 }));
        rendered.insert("files".to_owned(), json!([]));
    }
    Ok(Answer::ok(rendered))
}

/// `GET /repos/{owner}/{repo}/commits`.
pub(super) fn list(world: &World, place: &Place) -> Result<Answer, Refusal> {
    let repository = place.permitted(world, "contents", Access::Read)?;
    let from = place.call.query.get("sha").unwrap_or(&repository.default_branch);
    let head = repository.resolve(from)?.ok_or_else(Refusal::not_found)?;
    let (commits, link) = place.call.page(repository, &world.url, repository.git.commits_to(&head)?);
    let listed: Vec<_> = commits.iter().map(|commit| render::commit::full(world, repository, commit)).collect();
    Ok(Answer::ok(listed.into()).linked(link))
}

/// `GET /repos/{owner}/{repo}/commits/{sha}/pulls`: those whose merge made the commit.
pub(super) fn pull_requests(world: &World, place: &Place, sha: &str) -> Result<Answer, Refusal> {
    let repository = place.permitted(world, "pull_requests", Access::Read)?;
    let oid = repository.resolve(sha)?.ok_or_else(|| no_commit(sha))?;
    let made = repository.pull_requests.values().filter(|one| one.merge_commit() == Some(&oid));
    let listed: Vec<_> = made.map(|one| render::pull_request::simple(world, repository, one)).collect();
    Ok(Answer::ok(listed.into()))
}

/// `GET /repos/{owner}/{repo}/compare/{base}...{head}`.
pub(super) fn compare(world: &World, place: &Place, range: &str) -> Result<Answer, Refusal> {
    let repository = place.permitted(world, "contents", Access::Read)?;
    let (base_name, head_name) = range.split_once("...").ok_or_else(Refusal::not_found)?;
    let find = |name: &str| {
        let own = format!("{}:", repository.key.owner());
        let name = name.strip_prefix(&own).unwrap_or(name);
        repository.resolve(name)?.ok_or_else(Refusal::not_found)
    };
    let (base, head) = (find(base_name)?, find(head_name)?);
    let standing = repository.standing(&base, &head)?;
    let common = repository.git.merge_base(&base, &head)?.ok_or_else(|| {
        let (key, html) = (&repository.key, &world.url);
        Refusal::new(
            axum::http::StatusCode::NOT_FOUND,
            format!("No common ancestor between {base_name} and {head_name}. {html}/{key}"),
        )
    })?;
    let commits = repository.git.commits_between(&base, &head)?;
    let (commits, link) = place.call.page(repository, &world.url, commits);
    let listed = commits.iter().map(|commit| render::commit::full(world, repository, commit));
    let url = format!("{}/compare/{base_name}...{head_name}", render::repository::url(world, &repository.key));
    let html = format!("{}/{}/compare/{base_name}...{head_name}", world.url, repository.key);
    let body = json!({
        "url": url,
        "html_url": html,
        "permalink_url": html,
        "diff_url": format!("{html}.diff"),
        "patch_url": format!("{html}.patch"),
        "base_commit": render::commit::full(world, repository, &object(repository, &base)?),
        "merge_base_commit": render::commit::full(world, repository, &object(repository, &common)?),
        "status": standing.as_str(),
        "ahead_by": standing.ahead,
        "behind_by": standing.behind,
        "total_commits": standing.ahead,
        "commits": listed.collect::<Vec<_>>(),
        "files": [],
    });
    Ok(Answer::ok(body).linked(link))
}

/// A commit that the repository has.
pub(super) fn object(repository: &Repository, oid: &Oid) -> Result<CommitObject, Refusal> {
    repository.git.commit(oid)?.ok_or_else(|| no_commit(oid.as_str()))
}

/// The refusal of a reference that is no commit; GitHub answers 422 and not 404.
pub(super) fn no_commit(reference: &str) -> Refusal {
    Refusal::unprocessable(format!("No commit found for SHA: {reference}"))
}
