//! Whether a branch was moved by force so that a commit is not on it any more.

use chrono::{DateTime, Utc};
use domain::{commit::Commit, evidence::Left, forge::Branch, glob::Glob};
use serde::Deserialize;

use super::About;
use crate::{Error, Forge, address::escape, api::Request};

/// Of how many branches the forced pushes are looked at.
const MOST_BRANCHES: usize = 5;

/// How many forced pushes of a branch are looked at, the last ones.
const MOST_PUSHES: usize = 5;

/// `GET /repos/{owner}/{repo}/activity`
/// (<https://docs.github.com/en/rest/repos/repos#list-repository-activities>), the newest first.
#[derive(Deserialize)]
struct Activity {
    before: String,
    timestamp: DateTime<Utc>,
}

impl Forge {
    /// The first named branch that a forced push took the commit from, if the forge tells of such.
    pub(super) async fn left(&self, about: About<'_>, branches: &[Glob]) -> Result<Option<Left>, Error> {
        let named = branches.iter().filter_map(|branch| branch.name()?.parse::<Branch>().ok());
        for branch in named.take(MOST_BRANCHES) {
            for (before, at) in self.forced_pushes(about, &branch).await? {
                if self.was_before(about, before).await? {
                    return Ok(Some(Left { branch, at }));
                }
            }
        }
        Ok(None)
    }

    /// Where a branch was before its last forced pushes, and when these were; none where the forge does not tell, as
    /// GitHub Enterprise Server.
    async fn forced_pushes(&self, about: About<'_>, branch: &Branch) -> Result<Vec<(Commit, DateTime<Utc>)>, Error> {
        let path = format!(
            "/repos/{}/activity?ref=refs/heads/{}&activity_type=force_push&per_page={MOST_PUSHES}",
            about.repository,
            escape(branch.as_str())
        );
        let doing = format!("looking for forced pushes to {branch} in {}", about.repository);
        let request = Request::get(path, doing);
        let answer = match self.client().send(about.repository, &request).await {
            Ok(answer) if answer.status == 200 => answer,
            Ok(_) | Err(Error::Forbidden { .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let activities: Vec<Activity> = answer.read(&request)?;
        let pushes = activities.into_iter().take(MOST_PUSHES);
        Ok(pushes.filter_map(|push| Some((push.before.parse().ok()?, push.timestamp))).collect())
    }

    /// Whether a branch that was there had the commit. The forge may have forgotten what was there.
    async fn was_before(&self, about: About<'_>, before: Commit) -> Result<bool, Error> {
        match self.compare(about.repository, &about.commit.to_string(), &before.to_string(), 1).await {
            Ok(compared) => Ok(compared.is_ancestor()),
            Err(Error::Refused { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
