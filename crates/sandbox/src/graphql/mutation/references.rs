//! Commits on branches, and moving branches.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{Fields, Input};
use crate::{
    git::{Modes, Move, NewCommit, Oid, Signature},
    graphql::{
        Problem,
        execute::{Execution, Resolved},
        node::{Node, text},
    },
    protection::{self, Update},
    render,
    world::{app::Access, repository::Key},
};

impl Execution<'_> {
    /// Makes a commit on a branch that is where the caller believes it to be.
    ///
    /// Its files are never executable, and it is signed by the forge.
    pub(super) fn commit_on_branch(&mut self, input: &Input, actor: &str) -> Result<Fields, Problem> {
        let empty = Input::new();
        let object = |name: &str| input.get(name).and_then(Value::as_object).unwrap_or(&empty);
        let (place, message) = (object("branch"), object("message"));
        let branch = text(place, "branchName").trim_start_matches("refs/heads/").to_owned();
        let missing = || Problem::typed("NOT_FOUND", "Could not resolve to a branch");
        let key: Key = text(place, "repositoryNameWithOwner").parse().ok().ok_or_else(missing)?;
        let repository = self.permitted(&key, "contents", Access::Write)?;
        let tip = repository.tips.get(&branch).ok_or_else(missing)?;
        let expected = text(input, "expectedHeadOid");
        if tip.as_str() != expected {
            let text = format!("Expected branch to point to \"{expected}\" but it did not.  Pull and try again.");
            return Err(Problem::typed("STALE_DATA", text));
        }
        let files = file_changes(object("fileChanges"))?;
        for (path, _) in files.iter().filter(|(_, content)| content.is_none()) {
            if repository.git.entry(tip, path)?.is_none() {
                let text = format!("A path was requested for deletion which does not exist: {path}");
                return Err(Problem::typed("UNPROCESSABLE", text));
            }
        }
        let tree = repository.git.write_tree(Some(tip), &files, Modes::Plain)?;
        let author = Signature { name: actor.to_owned(), email: render::user::email(actor), when: self.world.now() };
        let words = match (text(message, "headline"), text(message, "body")) {
            (headline, "") => format!("{headline}\n"),
            (headline, body) => format!("{headline}\n\n{body}\n"),
        };
        let new = NewCommit { tree: &tree, parents: &[tip], message: &words, author: &author, committer: &author };
        let (tip, commit) = (tip.clone(), repository.git.write_commit(&new)?);
        self.world.repository_mut(&key)?.signed.insert(commit.clone());
        let repository = self.world.repository(&key)?;
        let reference = format!("refs/heads/{branch}");
        let update = Update { reference: &reference, after: Some(&commit) };
        if let Some(reason) = protection::refuse(repository, actor, &update)?.first() {
            return Err(Problem::typed("UNPROCESSABLE", reason.clone()));
        }
        repository.git.move_reference(&reference, &tip, &commit)?;
        self.world.settle(&key, actor)?;
        Ok(vec![
            ("commit", Resolved::Object(Node::Commit(key.clone(), commit))),
            ("ref", Resolved::Object(Node::Reference(key, branch))),
        ])
    }

    /// Moves, makes and deletes references: all or none.
    pub(super) fn update_references(&mut self, input: &Input, actor: &str) -> Result<Fields, Problem> {
        let Node::Repository(key) = self.node(text(input, "repositoryId"))? else {
            return Err(Problem::typed("NOT_FOUND", "Could not resolve to a Repository"));
        };
        let repository = self.permitted(&key, "contents", Access::Write)?;
        let mut moves = Vec::new();
        for update in input.get("refUpdates").and_then(Value::as_array).into_iter().flatten() {
            let update = update.as_object().cloned().unwrap_or_default();
            moves.push(reference_move(repository, actor, &update)?);
        }
        // What Git itself refuses, as a name that is a directory's already, is refused as a whole.
        if let Err(error) = repository.git.move_references(&moves) {
            return Err(Problem::typed("UNPROCESSABLE", format!("Reference update failed: {error}")));
        }
        self.world.settle(&key, actor)?;
        Ok(Vec::new())
    }
}

/// One update, when it is allowed.
fn reference_move(
    repository: &crate::world::repository::Repository,
    actor: &str,
    update: &Input,
) -> Result<Move, Problem> {
    let name = text(update, "name").to_owned();
    let refuse = |text: String| Problem::typed("UNPROCESSABLE", text);
    let branch = name.strip_prefix("refs/heads/").filter(|branch| branch.parse::<domain::forge::Branch>().is_ok());
    let branch = branch.ok_or_else(|| refuse(format!("{name} is not a valid ref name")))?;
    let oid = |field: &str| update.get(field).and_then(Value::as_str).and_then(|text| text.parse::<Oid>().ok());
    let some = |oid: Oid| Some(oid).filter(|oid| oid.as_str() != Oid::ZERO);
    let current = repository.tips.get(branch);
    if oid("beforeOid").is_some_and(|before| some(before).as_ref() != current) {
        return Err(refuse(format!("{name} does not point to the expected commit")));
    }
    let after = some(oid("afterOid").ok_or_else(|| refuse("afterOid is not a commit".to_owned()))?);
    if let Some(after) = &after
        && repository.git.resolve(after.as_str())?.is_none()
    {
        return Err(refuse(format!("{after} is not in the repository")));
    }
    let may_lose = update.get("force").and_then(Value::as_bool).unwrap_or(false);
    if let (Some(before), Some(after), false) = (current, &after, may_lose)
        && !repository.git.is_ancestor(before, after)?
    {
        return Err(refuse(format!("{name}: update is not a fast forward")));
    }
    let reasons = protection::refuse(repository, actor, &Update { reference: &name, after: after.as_ref() })?;
    if let Some(reason) = reasons.first() {
        return Err(refuse(format!("Repository rule violations found\n\n{reason}")));
    }
    Ok(Move { before: current.cloned(), name, after })
}

fn file_changes(changes: &Input) -> Result<BTreeMap<String, Option<Vec<u8>>>, Problem> {
    let list = |name: &str| changes.get(name).and_then(Value::as_array).into_iter().flatten();
    let mut files = BTreeMap::new();
    let mut add = |path: &str, content: Option<Vec<u8>>| match files.insert(path.to_owned(), content) {
        Some(_) => Err(Problem::typed("UNPROCESSABLE", format!("{path} was given more than once"))),
        None => Ok(()),
    };
    for addition in list("additions").filter_map(Value::as_object) {
        let path = text(addition, "path");
        let decoded = STANDARD.decode(text(addition, "contents"));
        let content = decoded.map_err(|error| Problem::typed("UNPROCESSABLE", format!("{path}: {error}")))?;
        add(path, Some(content))?;
    }
    for deletion in list("deletions").filter_map(Value::as_object) {
        add(text(deletion, "path"), None)?;
    }
    if files.keys().any(|path| path.is_empty() || path.starts_with('/') || path.contains('\0')) {
        return Err(Problem::typed("UNPROCESSABLE", "A path was requested that is not valid"));
    }
    Ok(files)
}
