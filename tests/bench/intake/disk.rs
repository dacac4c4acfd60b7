//! What the disk can do by itself.

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

/// How often a page more of a file is made durable in a second, one after the other.
pub(super) fn syncs_per_second(directory: &Path, time: Duration) -> Result<f64> {
    let path = directory.join("syncs");
    let mut file = File::create(&path).context("making a file")?;
    let (start, mut syncs) = (Instant::now(), 0_u32);
    while start.elapsed() < time {
        file.write_all(&[7; 4_096])?;
        file.sync_data()?;
        syncs += 1;
    }
    let rate = f64::from(syncs) / start.elapsed().as_secs_f64();
    std::fs::remove_file(path)?;
    Ok(rate)
}
