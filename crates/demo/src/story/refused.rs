//! A commit's image is pushed that is on no allowed branch: its name alone proves nothing.

use anyhow::Result;

use super::turned_away::{self, Expected};
use crate::{place::Scene, say::Teller};

/// Tells what becomes of a commit that was never merged.
///
/// # Errors
///
/// It is not refused, or for another reason.
pub(super) async fn tell(teller: &Teller, scene: &Scene) -> Result<()> {
    teller.chapter("A commit that is not on the branch is refused")?;
    let commit = &scene.history.unmerged;
    let reason = format!("commit {} is not on an allowed branch", commit.short());
    turned_away::tell(teller, scene, commit, &Expected { outcome: "refused", reason, failed: Some("branch") }).await
}
