//! An older commit's image is pushed after a newer one was released: nothing moves backwards.

use anyhow::Result;

use super::turned_away;
use crate::{place::Scene, say::Teller};

/// Tells what becomes of an older commit.
///
/// # Errors
///
/// It is not superseded.
pub(super) async fn tell(teller: &Teller, scene: &Scene) -> Result<()> {
    teller.chapter("An older commit is superseded: nothing moves backwards")?;
    turned_away::tell(teller, scene, &scene.history.older, "superseded").await
}
