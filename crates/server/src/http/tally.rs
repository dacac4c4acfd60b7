//! What was not taken at a door, in numbers, and how often the log says so.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long the log says nothing more about a door after a line: whoever knocks without end fills no disk.
const SILENCE: Duration = Duration::from_secs(60);

/// What came to one door and was not taken, since the process began.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<Kept>);

/// The numbers of a tally.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// How often somebody was not let in, or what they brought could not be taken.
    pub(crate) refused: u64,
    /// How many things were understood and not wanted.
    pub(crate) unwanted: u64,
}

#[derive(Debug, Default)]
struct Kept {
    counts: Counts,
    /// How many refusals the log knows of, and when it was last told.
    told: u64,
    told_at: Option<Instant>,
}

impl Tally {
    /// The numbers as they are now.
    pub(crate) fn counts(&self) -> Counts {
        self.with(|kept| kept.counts)
    }

    /// Counts a refusal. When it is time for a line in the log, gives how many it is to tell of, this one included.
    pub(crate) fn refuse(&self, now: Instant) -> Option<u64> {
        self.with(|kept| {
            kept.counts.refused = kept.counts.refused.saturating_add(1);
            if kept.told_at.is_some_and(|then| now.saturating_duration_since(then) < SILENCE) {
                return None;
            }
            let untold = kept.counts.refused.saturating_sub(kept.told);
            (kept.told, kept.told_at) = (kept.counts.refused, Some(now));
            Some(untold)
        })
    }

    /// Counts what was understood and not wanted.
    pub(crate) fn pass_over(&self, unwanted: usize) {
        let unwanted = u64::try_from(unwanted).unwrap_or(u64::MAX);
        self.with(|kept| kept.counts.unwanted = kept.counts.unwanted.saturating_add(unwanted));
    }

    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_has_one_line_a_minute_that_tells_how_many_were_refused() {
        let (tally, start) = (Tally::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(tally.refuse(at(0)), Some(1));
        for second in 1..60 {
            assert_eq!(tally.refuse(at(second)), None, "{second}");
        }
        assert_eq!(tally.refuse(at(60)), Some(60));
        assert_eq!(tally.refuse(at(61)), None);
        assert_eq!(tally.refuse(at(1_000)), Some(2));
        assert_eq!(tally.counts(), Counts { refused: 63, unwanted: 0 });
    }

    #[test]
    fn what_is_not_wanted_is_counted_and_no_refusal() {
        let tally = Tally::default();
        tally.pass_over(2);
        tally.pass_over(1);
        assert_eq!(tally.counts(), Counts { refused: 0, unwanted: 3 });
    }
}
