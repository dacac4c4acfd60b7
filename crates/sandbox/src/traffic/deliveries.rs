//! The webhooks that were sent, or were to be.

use std::collections::{VecDeque, vec_deque};

use crate::webhook::{Attempt, Delivery};

/// The last attempts to deliver a webhook, the first one first.
#[derive(Debug, Default)]
pub(crate) struct Deliveries(VecDeque<Attempt>);

/// How many attempts are remembered; a payload has some ten thousand bytes, and a sandbox that stays up for days shall
/// not grow by them. GitHub forgets them after three days
/// (<https://docs.github.com/webhooks/testing-and-troubleshooting-webhooks/viewing-webhook-deliveries>).
const MOST_REMEMBERED: usize = 1_000;

impl Deliveries {
    /// Remembers an attempt, and forgets the oldest of too many.
    pub(crate) fn push(&mut self, attempt: Attempt) {
        self.0.push_back(attempt);
        if self.0.len() > MOST_REMEMBERED {
            self.0.pop_front();
        }
    }

    /// All that are remembered, the first one first.
    pub(crate) fn iter(&self) -> vec_deque::Iter<'_, Attempt> {
        self.0.iter()
    }

    /// The attempt of this number; one that was repeated has the same.
    pub(crate) fn find(&self, id: u64) -> Option<&Attempt> {
        self.iter().find(|attempt| attempt.delivery.id == id)
    }

    /// What was sent by this number, to be sent once more.
    pub(crate) fn again(&self, id: u64) -> Option<Delivery> {
        self.find(id).map(|attempt| Delivery { redelivery: true, ..attempt.delivery.clone() })
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;

    use super::*;
    use crate::webhook::Target;

    fn attempt(id: u64) -> Attempt {
        let delivery = Delivery {
            id,
            guid: String::new(),
            event: "push".to_owned(),
            action: None,
            repository: "acme/trinity".parse().unwrap(),
            repository_id: 1,
            app: 1,
            installation: None,
            body: Bytes::from_static(b"{}"),
            delivered_at: chrono::DateTime::UNIX_EPOCH,
            target: Target::default(),
            redelivery: false,
        };
        Attempt { delivery, outcome: Ok(202), duration_ms: 0 }
    }

    #[test]
    fn the_oldest_of_very_many_are_forgotten() {
        let mut deliveries = Deliveries::default();
        for id in 0..2_500 {
            deliveries.push(attempt(id));
        }
        assert_eq!(deliveries.iter().len(), MOST_REMEMBERED);
        assert!(deliveries.find(1_499).is_none());
        assert_eq!(deliveries.iter().next().map(|first| first.delivery.id), Some(1_500));
        assert!(deliveries.again(2_499).is_some_and(|last| last.redelivery));
    }
}
