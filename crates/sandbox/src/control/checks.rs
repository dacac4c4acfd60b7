//! Check runs of any App, in GitHub's own words.

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::post,
};
use serde::Deserialize;

use super::{
    Control, key,
    routes::{Answered, Place, done},
};
use crate::{error::Error, refusal::Refusal, world::check::RunReport};

impl Control {
    /// Makes a check run for the tip of a branch or a commit, in place of one of the same name and App.
    ///
    /// # Errors
    /// [`Error::Refused`] when the repository or revision does not exist.
    pub async fn report_run(&self, repository: &str, revision: &str, report: RunReport) -> Result<(), Error> {
        let (key, revision) = (key(repository)?, revision.to_owned());
        let reported = self.shared.with(move |world| {
            let commit = world.repository(&key)?.resolve(&revision)?.ok_or_else(Refusal::not_found)?;
            world.report_run(&key, &commit, report)
        });
        Ok(reported.await?)
    }
}

/// The calls about them.
pub(super) fn router() -> Router<Control> {
    Router::new().route("/repositories/{owner}/{name}/check-runs", post(report))
}

#[derive(Deserialize)]
struct New {
    revision: String,
    #[serde(flatten)]
    report: RunReport,
}

async fn report(State(control): State<Control>, Path((owner, name)): Place, Json(new): Json<New>) -> Answered {
    control.report_run(&format!("{owner}/{name}"), &new.revision, new.report).await?;
    done()
}
