//! How often something may happen: so many times at once, and so many a second in the long run.

use std::{
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A bucket of tokens that fills again at a steady rate, kept as the moment at which it is full
/// (the generic cell rate algorithm, ITU-T I.371 annex A).
#[derive(Debug)]
pub(super) struct Rate {
    /// How long a token takes to come back.
    each: Duration,
    /// How long an empty bucket takes to be full.
    all: Duration,
    full_at: Mutex<Option<Instant>>,
}

impl Rate {
    /// A full bucket.
    pub(super) fn new(per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        let each = Duration::from_secs(1) / per_second.get();
        Self { each, all: each.saturating_mul(burst.get()), full_at: Mutex::new(None) }
    }

    /// Takes a token.
    ///
    /// # Errors
    ///
    /// None is left; the time is how long until one is.
    pub(super) fn take(&self, now: Instant) -> Result<(), Duration> {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = full_at.map_or(Duration::ZERO, |full_at| full_at.saturating_duration_since(now)) + self.each;
        if missing > self.all {
            return Err(missing - self.all);
        }
        *full_at = Some(now + missing);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(per_second: u32, burst: u32) -> Rate {
        Rate::new(NonZeroU32::new(per_second).unwrap(), NonZeroU32::new(burst).unwrap())
    }

    #[test]
    fn a_burst_passes_and_then_one_whenever_a_token_has_come_back() {
        let (rate, start) = (rate(10, 3), Instant::now());
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        for _ in 0..3 {
            assert_eq!(rate.take(at(0)), Ok(()));
        }
        assert_eq!(rate.take(at(0)), Err(Duration::from_millis(100)));
        assert_eq!(rate.take(at(40)), Err(Duration::from_millis(60)), "being refused costs nothing");
        assert_eq!(rate.take(at(100)), Ok(()));
        assert_eq!(rate.take(at(100)), Err(Duration::from_millis(100)));
    }

    #[test]
    fn whoever_waits_as_long_as_told_is_let_in_and_a_long_silence_saves_up_one_burst() {
        let (rate, start) = (rate(3, 2), Instant::now());
        assert_eq!((rate.take(start), rate.take(start)), (Ok(()), Ok(())));
        let wait = rate.take(start).unwrap_err();
        assert_eq!(rate.take(start + wait), Ok(()));
        let later = start + Duration::from_secs(86_400);
        assert_eq!((rate.take(later), rate.take(later)), (Ok(()), Ok(())));
        assert!(rate.take(later).is_err());
    }

    #[test]
    fn a_clock_that_went_back_and_the_largest_numbers_do_no_harm() {
        let start = Instant::now();
        let usual = rate(1, 1);
        assert_eq!(usual.take(start + Duration::from_secs(5)), Ok(()));
        assert!(usual.take(start).is_err());
        let largest = rate(u32::MAX, u32::MAX);
        assert_eq!((largest.take(start), rate(1, u32::MAX).take(start)), (Ok(()), Ok(())));
    }
}
