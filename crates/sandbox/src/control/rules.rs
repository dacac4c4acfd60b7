//! Rulesets and merge queues.

use super::{Control, key, repository::PERSON};
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
