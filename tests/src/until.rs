//! Waiting for what must come, with a deadline.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How long anything may take in a test before it counts as missing.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How long to wait between two looks.
const PACE: Duration = Duration::from_millis(20);

/// Looks again and again until `probe` finds what it looks for.
///
/// # Errors
///
/// It did not come within a minute, or looking failed.
pub async fn until<T>(what: &str, mut probe: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = probe().await? {
            return Ok(found);
        }
        if start.elapsed() > PATIENCE {
            bail!("{what} did not come within {} seconds", PATIENCE.as_secs());
        }
        tokio::time::sleep(PACE).await;
    }
}
