//! Answers that never change, kept for whoever asks again.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

/// How many answers are kept. One with fifty commits takes some ten thousand bytes, most have a few.
const MOST: usize = 1024;

/// Answers by what was asked. When there are too many all are forgotten, which costs a request each.
#[derive(Debug)]
pub(crate) struct Kept<Q, A>(Mutex<HashMap<Q, Arc<A>>>);

impl<Q, A> Default for Kept<Q, A> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<Q: Eq + Hash, A> Kept<Q, A> {
    /// The answer, if it is known.
    pub(crate) fn get(&self, question: &Q) -> Option<Arc<A>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(question).map(Arc::clone)
    }

    /// Keeps an answer.
    pub(crate) fn put(&self, question: Q, answer: A) -> Arc<A> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        let answer = Arc::new(answer);
        known.insert(question, Arc::clone(&answer));
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded() {
        let kept = Kept::default();
        for question in 0..=MOST {
            kept.put(question, question);
            assert_eq!(kept.get(&question).as_deref(), Some(&question));
        }
        assert_eq!(kept.get(&0), None);
    }
}
