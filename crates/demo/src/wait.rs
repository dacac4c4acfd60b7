//! Looking again until something is there, with a deadline.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How long anything in the story may take. Each thing takes about a second; a machine that builds is slower.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long to wait between two looks: an error of the times that are told, and small beside them.
const PACE: Duration = Duration::from_millis(10);

/// Looks again and again until `look` finds what it looks for.
///
/// # Errors
///
/// It did not come within a minute, or looking failed.
pub(crate) async fn until<T>(what: &str, look: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    within(PATIENCE, what, look).await
}

async fn within<T>(patience: Duration, what: &str, mut look: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        if start.elapsed() >= patience {
            bail!("{what} did not come within {} seconds", patience.as_secs());
        }
        tokio::time::sleep(PACE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_looks_again_until_something_is_there() {
        let mut looks = 0;
        let found = until("the third look", async || {
            looks += 1;
            Ok((looks == 3).then_some(looks))
        });
        assert_eq!(found.await.unwrap(), 3);
    }

    #[tokio::test]
    async fn what_does_not_come_is_named() {
        let missing = within(Duration::ZERO, "the pull request", async || Ok(None::<()>)).await;
        assert_eq!(missing.unwrap_err().to_string(), "the pull request did not come within 0 seconds");
    }
}
