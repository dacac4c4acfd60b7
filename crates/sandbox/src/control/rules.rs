//! Rulesets, merge queues and labels.

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{post, put},
};
use serde::Deserialize;

use super::{
    Control, key,
    repository::PERSON,
    routes::{Answered, Branch, Numbered, Place, done},
};
use crate::{
    error::Error,
    world::{pull_request::Removal, rules::Rules},
};

impl Control {
    /// Gives a branch a ruleset, or with `None` none any more. Nothing is merged by this alone, as on GitHub.
    ///
    /// # Errors
    /// [`Error::Refused`] when the repository does not exist.
    pub async fn set_rules(&self, repository: &str, branch: &str, rules: Option<Rules>) -> Result<(), Error> {
        let (key, branch) = (key(repository)?, branch.to_owned());
        let set = self.shared.with(move |world| {
            let known = &mut world.repository_mut(&key)?.rules;
            match rules {
                Some(rules) => drop(known.insert(branch, rules)),
                None => drop(known.remove(&branch)),
            }
            Ok(())
        });
        Ok(set.await?)
    }

    /// Takes a pull request out of its queue as a person or the queue itself does; nothing when it is in none.
    ///
    /// # Errors
    /// [`Error::Refused`] when it does not exist.
    pub async fn dequeue(&self, repository: &str, number: u64, reason: Removal) -> Result<(), Error> {
        let key = key(repository)?;
        let taken = self.shared.with(move |world| {
            world.leave_queue(&key, PERSON, number, reason)?;
            world.settle(&key, PERSON)
        });
        Ok(taken.await?)
    }
}

/// The calls about them.
pub(super) fn router() -> Router<Control> {
    let repository = "/repositories/{owner}/{name}";
    Router::new()
        .route(&format!("{repository}/rules/{{*branch}}"), put(set_rules).delete(remove_rules))
        .route(&format!("{repository}/labels"), post(add_label))
        .route(&format!("{repository}/pull-requests/{{number}}/dequeue"), post(dequeue))
}

async fn set_rules(
    State(control): State<Control>,
    Path((owner, name, branch)): Branch,
    Json(rules): Json<Rules>,
) -> Answered {
    control.set_rules(&format!("{owner}/{name}"), &branch, Some(rules)).await?;
    done()
}

async fn remove_rules(State(control): State<Control>, Path((owner, name, branch)): Branch) -> Answered {
    control.set_rules(&format!("{owner}/{name}"), &branch, None).await?;
    done()
}

#[derive(Deserialize)]
struct Label {
    name: String,
}

async fn add_label(State(control): State<Control>, Path((owner, name)): Place, Json(new): Json<Label>) -> Answered {
    control.add_label(&format!("{owner}/{name}"), &new.name).await?;
    done()
}

#[derive(Deserialize)]
struct Dequeue {
    reason: Option<Removal>,
}

async fn dequeue(
    State(control): State<Control>,
    Path((owner, name, number)): Numbered,
    Json(Dequeue { reason }): Json<Dequeue>,
) -> Answered {
    control.dequeue(&format!("{owner}/{name}"), number, reason.unwrap_or(Removal::Manual)).await?;
    done()
}
