//! How often an order is repeated that the forge refuses with words that we do not know.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How often the same order is tried as it comes.
pub(crate) const MOST_TRIES: u32 = 5;

/// How long an order rests after that, unless something about its pull request changes: what was refused for reasons
/// that we do not see, as settings, is noticed to be mended within this.
const REST: Duration = Duration::from_secs(60 * 60);

/// More pull requests than are refused at a time; the oldest are forgotten, which costs a few tries.
const MOST_KEPT: usize = 1_000;

/// What was refused, by a name for what it is about. Kept in memory only: after a restart everything is tried anew.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    kept: Mutex<HashMap<String, Tries>>,
}

#[derive(Debug)]
struct Tries {
    /// What the order was, and what its pull request was like.
    of: String,
    count: u32,
    last: Instant,
    words: String,
}

impl Patience {
    /// Why an order is not to be tried now: the words with which it was refused.
    pub(crate) fn rests(&self, place: &str, of: &str, now: Instant) -> Option<String> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let tries = kept.get(place).filter(|tries| tries.of == of && tries.count >= MOST_TRIES)?;
        (now.saturating_duration_since(tries.last) < REST).then(|| tries.words.clone())
    }

    /// Notes a refusal; says whether the order rests from now on.
    pub(crate) fn note(&self, place: &str, (of, words): (&str, &str), now: Instant) -> bool {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST_KEPT && !kept.contains_key(place) {
            let oldest = kept.iter().min_by_key(|(_, tries)| tries.last).map(|(place, _)| place.clone());
            oldest.and_then(|place| kept.remove(&place));
        }
        let fresh = || Tries { of: of.to_owned(), count: 0, last: now, words: String::new() };
        let tries = kept.entry(place.to_owned()).or_insert_with(fresh);
        if tries.of != of {
            *tries = fresh();
        }
        tries.count = tries.count.saturating_add(1);
        tries.last = now;
        words.clone_into(&mut tries.words);
        tries.count >= MOST_TRIES
    }

    /// Forgets what was refused.
    pub(crate) fn forget(&self, place: &str) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "acme/trinity#1";

    #[test]
    fn what_is_refused_again_and_again_is_tried_once_an_hour() {
        let (patience, now) = (Patience::default(), Instant::now());
        for count in 1..=MOST_TRIES {
            assert_eq!(patience.rests(ONE, "a", now), None);
            assert_eq!(patience.note(ONE, ("a", "no"), now), count == MOST_TRIES);
        }
        assert_eq!(patience.rests(ONE, "a", now).as_deref(), Some("no"));
        assert_eq!(patience.rests("acme/trinity#2", "a", now), None);
        let later = now + REST;
        assert_eq!(patience.rests(ONE, "a", later), None);
        assert!(patience.note(ONE, ("a", "still no"), later));
        assert_eq!(patience.rests(ONE, "a", later).as_deref(), Some("still no"));
    }

    #[test]
    fn a_change_of_the_pull_request_has_it_tried_again() {
        let (patience, now) = (Patience::default(), Instant::now());
        for _ in 0..MOST_TRIES {
            patience.note(ONE, ("a", "no"), now);
        }
        assert_eq!(patience.rests(ONE, "b", now), None);
        assert!(!patience.note(ONE, ("b", "no"), now));
        patience.forget(ONE);
        assert_eq!(patience.rests(ONE, "a", now), None);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let (patience, now) = (Patience::default(), Instant::now());
        for number in 0..1_100 {
            patience.note(&number.to_string(), ("a", "no"), now + Duration::from_millis(number));
        }
        assert_eq!(patience.kept.lock().unwrap().len(), MOST_KEPT);
        assert!(!patience.kept.lock().unwrap().contains_key("0"));
    }
}
