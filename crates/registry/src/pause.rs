//! How long a registry wants to be left alone.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long it is left alone where it does not say how long.
const USUAL: Duration = Duration::from_secs(60);

/// The longest that it is left alone at once, whatever it says: a day's limit may be lifted by a person.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// A time before which a registry is not asked.
#[derive(Debug, Default)]
pub(crate) struct Pause(Mutex<Option<Instant>>);

impl Pause {
    /// How long it still lasts.
    pub(crate) fn left(&self, now: Instant) -> Option<Duration> {
        let until = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        Some(until.saturating_duration_since(now)).filter(|left| !left.is_zero())
    }

    /// Begins one, or makes it longer; gives how long it lasts.
    pub(crate) fn begin(&self, asked: Option<Duration>, now: Instant) -> Duration {
        let length = asked.unwrap_or(USUAL).min(LONGEST);
        let until = now + length;
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *place = Some(place.map_or(until, |known| known.max(until)));
        length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_as_long_as_asked_for_within_reason() {
        let (pause, now, seconds) = (Pause::default(), Instant::now(), Duration::from_secs);
        assert_eq!(pause.left(now), None);
        assert_eq!(pause.begin(Some(seconds(7)), now), seconds(7));
        assert_eq!(pause.begin(Some(seconds(3)), now), seconds(3));
        assert_eq!(pause.left(now), Some(seconds(7)), "a shorter one ends no longer one");
        assert_eq!(pause.left(now + seconds(7)), None);
        assert_eq!(pause.begin(Some(seconds(100_000)), now), LONGEST);
        assert_eq!(pause.begin(None, now), USUAL);
    }
}
