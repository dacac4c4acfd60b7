//! How often it is looked for what nobody told us.

use std::time::Duration;

use serde::Deserialize;

use super::fields::duration_or_off;

/// How often it is looked for what nobody told us.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReconciliationSettings {
    /// The time between two looks at an application; `None` for no looks.
    #[serde(default = "usual_interval", deserialize_with = "duration_or_off")]
    pub interval: Option<Duration>,
}

impl Default for ReconciliationSettings {
    fn default() -> Self {
        Self { interval: usual_interval() }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "it is what the setting is when it is not given")]
const fn usual_interval() -> Option<Duration> {
    Some(Duration::from_secs(30 * 60))
}
