//! Which checks base branches require, as it was seen last: people are told of them before there is a pull request to
//! look at.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use domain::{
    application::Gitops,
    fault::Chain,
    forge::{Branch, Repository},
};
use tracing::debug;

use crate::outside::Outside;

/// What was seen last of each base branch; there are as many as the configuration names.
#[derive(Debug, Default)]
pub(crate) struct RequiredChecks(Mutex<HashMap<(Repository, Branch), Vec<String>>>);

impl RequiredChecks {
    /// Keeps what was just seen.
    pub(crate) fn note(&self, gitops: &Gitops, names: &[String]) {
        let place = (gitops.repository.clone(), gitops.base.clone());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(place, names.to_vec());
    }

    fn last(&self, gitops: &Gitops) -> Option<Vec<String>> {
        let place = (gitops.repository.clone(), gitops.base.clone());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&place).cloned()
    }
}

impl Outside {
    /// The checks that a base branch requires, as it was seen last; asked for where it never was. That they are not
    /// shown keeps nothing from being proposed.
    pub(crate) async fn required_checks(&self, gitops: &Gitops) -> Option<Vec<String>> {
        if let Some(names) = self.required.last(gitops) {
            return Some(names);
        }
        match self.forge.required_checks(&gitops.repository, &gitops.base).await {
            Ok(names) => {
                self.required.note(gitops, &names);
                Some(names)
            }
            Err(error) => {
                debug!(error = %Chain(&error), "what the base branch requires is not shown");
                None
            }
        }
    }
}
