//! A commit's image is pushed that is on no allowed branch: its name alone proves nothing.

use anyhow::Result;

use super::turned_away;
use crate::{place::Scene, say::Teller};

/// Tells what becomes of a commit that was never merged.
///
/// # Errors
///
/// It is not refused.
pub(super) async fn tell(teller: &Teller, scene: &Scene) -> Result<()> {
    teller.chapter("A commit that is not on the branch is refused")?;
    turned_away::tell(teller, scene, &scene.history.unmerged, "refused").await
}
