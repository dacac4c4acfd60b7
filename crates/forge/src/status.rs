//! Statuses of commits.

use domain::{
    forge::Repository,
    report::{CONTEXT, Report},
};
use serde_json::json;

use crate::{Error, Forge, api::Request};

impl Forge {
    /// Says our verdict of a commit. Repeatable: the last one counts. One request.
    ///
    /// # Errors
    ///
    /// What any request can end with.
    pub async fn set_status(&self, repository: &Repository, report: &Report) -> Result<(), Error> {
        let doing = format!("reporting the verdict on commit {} of {repository}", report.head.short());
        let path = format!("/repos/{repository}/statuses/{}", report.head);
        let body = json!({
            "state": report.state.as_str(),
            "context": CONTEXT,
            "description": report.description,
        });
        let request = Request::post(path, body, doing).needing("it needs Commit statuses: write");
        let answer = self.client().send(repository, &request).await?;
        match answer.status {
            201 => Ok(()),
            404 => Err(Error::NoRepository { repository: repository.clone() }),
            _ => Err(request.refused(answer.message())),
        }
    }
}
