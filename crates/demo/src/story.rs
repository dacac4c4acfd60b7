//! The story: a release, and three pushes that become none. Each chapter checks what it tells.

mod ending;
mod ignored;
mod refused;
mod release;
mod superseded;
mod turned_away;
mod watch;

use anyhow::Result;

use crate::{place::Scene, say::Teller};

pub(crate) use ending::invite;

/// Tells all chapters.
///
/// # Errors
///
/// Something came out otherwise than it is told, or did not come in time.
pub(crate) async fn tell(teller: &Teller, scene: &Scene) -> Result<()> {
    let merged = release::tell(teller, scene).await?;
    ignored::tell(teller, scene).await?;
    superseded::tell(teller, scene).await?;
    refused::tell(teller, scene).await?;
    ending::check(teller, scene, &merged).await
}
