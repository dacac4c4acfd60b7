//! Who may do what with one object store at a time, and what was seen there.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{commit::Commit, forge::Branch};
use tokio::{
    sync::{Mutex as AsyncMutex, OwnedMutexGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock},
    time::{Instant, error::Elapsed, timeout_at},
};

/// The place of one object store.
///
/// Objects are added by many at once: Git names each by what is in it. Two fetches would write the same shallow boundary,
/// so there is one at a time; and nobody is there while the store is thrown away.
#[derive(Debug, Default)]
pub(super) struct Place {
    whole: Arc<RwLock<()>>,
    fetching: Arc<AsyncMutex<()>>,
    seen: Mutex<Seen>,
}

/// What was fetched into the store that is there.
#[derive(Debug, Default)]
struct Seen {
    tips: HashMap<Branch, (Instant, Commit)>,
    all: Option<Instant>,
}

/// How somebody is in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Beside everybody else.
    Beside,
    /// As the only one who fetches.
    Fetching,
}

/// Somebody is there, beside others.
pub(super) struct Turn {
    _whole: OwnedRwLockReadGuard<()>,
    _fetching: Option<OwnedMutexGuard<()>>,
}

/// Nobody else is there.
pub(super) struct Alone {
    _whole: OwnedRwLockWriteGuard<()>,
}

impl Place {
    /// Waits for a turn, but not past the deadline.
    pub(super) async fn turn(&self, way: Way, deadline: Instant) -> Result<Turn, Elapsed> {
        let fetching = match way {
            Way::Fetching => Some(timeout_at(deadline, Arc::clone(&self.fetching).lock_owned()).await?),
            Way::Beside => None,
        };
        let whole = timeout_at(deadline, Arc::clone(&self.whole).read_owned()).await?;
        Ok(Turn { _whole: whole, _fetching: fetching })
    }

    /// Waits until nobody else is there, but not past the deadline.
    pub(super) async fn alone(&self, deadline: Instant) -> Result<Alone, Elapsed> {
        Ok(Alone { _whole: timeout_at(deadline, Arc::clone(&self.whole).write_owned()).await? })
    }

    /// Where a branch was when somebody looked after that moment.
    pub(super) fn tip_since(&self, branch: &Branch, asked: Instant) -> Option<Commit> {
        self.seen().tips.get(branch).filter(|(began, _)| *began >= asked).map(|(_, tip)| *tip)
    }

    /// Notes where a branch is, for those who asked before the look began.
    pub(super) fn note_tip(&self, branch: &Branch, began: Instant, tip: Commit) {
        self.seen().tips.insert(branch.clone(), (began, tip));
    }

    /// When the last fetch of all branches that succeeded had begun.
    pub(super) fn fetched(&self) -> Option<Instant> {
        self.seen().all
    }

    /// Notes that all branches were fetched.
    pub(super) fn note_fetched(&self, began: Instant) {
        self.seen().all = Some(began);
    }

    /// Forgets what was seen: the store was thrown away.
    pub(super) fn forget(&self) {
        *self.seen() = Seen::default();
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn many_are_there_beside_one_that_fetches_and_nobody_beside_whoever_throws_the_store_away() {
        let place = Place::default();
        let soon = Instant::now;
        let one = place.turn(Way::Beside, soon()).await.unwrap();
        let two = place.turn(Way::Beside, soon()).await.unwrap();
        let fetching = place.turn(Way::Fetching, soon()).await.unwrap();
        assert!(place.turn(Way::Fetching, soon()).await.is_err());
        assert!(place.alone(soon()).await.is_err());
        drop((one, two, fetching));
        let alone = place.alone(soon()).await.unwrap();
        assert!(place.turn(Way::Beside, soon()).await.is_err() && place.turn(Way::Fetching, soon()).await.is_err());
        drop(alone);
        assert!(place.turn(Way::Fetching, soon()).await.is_ok());
    }

    #[tokio::test]
    async fn a_look_answers_those_alone_who_asked_before_it_began() {
        let (place, branch) = (Place::default(), "main".parse().unwrap());
        let began = Instant::now();
        let tip = Commit::from_bytes([1; 20]);
        place.note_tip(&branch, began, tip);
        assert_eq!(place.tip_since(&branch, began), Some(tip));
        assert_eq!(place.tip_since(&branch, began + Duration::from_millis(1)), None);
        assert_eq!(place.tip_since(&"other".parse().unwrap(), began), None);
        place.note_fetched(began);
        assert_eq!(place.fetched(), Some(began));
        place.forget();
        assert_eq!((place.tip_since(&branch, began), place.fetched()), (None, None));
    }
}
