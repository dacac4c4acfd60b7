//! The source repository: a short history, and a branch that was never merged.

use anyhow::Result;
use serde_json::json;

use super::SOURCE;
use crate::sandbox::Sandbox;

/// The commits of the story.
#[derive(Debug)]
pub(crate) struct History {
    /// What two of the clouds run already.
    pub(crate) deployed: String,
    /// What came between.
    pub(crate) older: Commit,
    /// What is released.
    pub(crate) newest: Commit,
    /// What is on no allowed branch.
    pub(crate) unmerged: Commit,
}

/// A commit.
#[derive(Debug)]
pub(crate) struct Commit {
    pub(crate) sha: String,
    pub(crate) subject: &'static str,
    pub(crate) branch: &'static str,
}

impl Commit {
    /// Its tag in every registry.
    pub(crate) fn tag(&self) -> String {
        format!("sha-{}", self.sha)
    }

    /// As much of it as people say.
    pub(crate) fn short(&self) -> &str {
        self.sha.get(..7).unwrap_or(&self.sha)
    }
}

/// Makes the repository and its commits.
///
/// # Errors
///
/// The sandbox refuses something.
pub(super) async fn fill(sandbox: &Sandbox) -> Result<History> {
    let readme = "# mandelbrot\n\nDraws the set, one image for each cloud.\n";
    sandbox.create_repository(&json!({ "name": SOURCE, "files": { "README.md": readme } })).await?;
    let first = commit(sandbox, "main", "ada", "Draw the set in black and white").await?;
    let older = commit(sandbox, "main", "grace", "Colour by escape time").await?;
    let newest = commit(sandbox, "main", "ada", "Zoom deeper").await?;
    let unmerged = commit(sandbox, "smooth", "grace", "Try smooth colours").await?;
    Ok(History { deployed: first.sha, older, newest, unmerged })
}

/// Commits on a branch, which begins at `main` when it is new.
async fn commit(sandbox: &Sandbox, branch: &'static str, author: &str, subject: &'static str) -> Result<Commit> {
    let main = format!("//! {subject}.\n\nfn main() {{}}\n");
    let push = json!({
        "branch": branch, "author": author, "message": subject, "files": { "src/main.rs": main },
    });
    Ok(Commit { sha: sandbox.push(SOURCE, &push).await?, subject, branch })
}
