//! An older commit's image is pushed after a newer one was released: nothing moves backwards.

use anyhow::Result;

use super::turned_away::{self, Expected};
use crate::{place::Scene, say::Teller};

/// Tells what becomes of an older commit.
///
/// # Errors
///
/// It is not superseded, or by another commit.
pub(super) async fn tell(teller: &Teller, scene: &Scene) -> Result<()> {
    teller.chapter("An older commit is superseded: nothing moves backwards")?;
    let reason = format!("superseded by {}", scene.history.newest.short());
    let expected = Expected { outcome: "superseded", reason, failed: None };
    turned_away::tell(teller, scene, &scene.history.older, &expected).await
}
