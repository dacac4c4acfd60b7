//! How much of what the Git host allows is spent on what.

use std::num::NonZeroU32;

use serde::Deserialize;

/// How much of what the Git host allows is spent on what, by each installation of the App.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpendingSettings {
    /// How much of every limit new proposals leave for merging, closing and looking; in percent, at most 90.
    pub kept_for_merging: u8,
    /// How many requests that change something are sent in a minute.
    pub changes_per_minute: NonZeroU32,
    /// The same in an hour.
    pub changes_per_hour: NonZeroU32,
}

impl Default for SpendingSettings {
    fn default() -> Self {
        let forge::Spending { kept_percent, changes_per_minute, changes_per_hour } = forge::Spending::default();
        let positive = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self {
            kept_for_merging: kept_percent,
            changes_per_minute: positive(changes_per_minute),
            changes_per_hour: positive(changes_per_hour),
        }
    }
}

impl From<SpendingSettings> for forge::Spending {
    fn from(settings: SpendingSettings) -> Self {
        Self {
            kept_percent: settings.kept_for_merging,
            changes_per_minute: settings.changes_per_minute.get(),
            changes_per_hour: settings.changes_per_hour.get(),
        }
    }
}
