//! What one account has left.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::{Denied, Priority, Purpose, Resource};
use crate::{Spending, limit::Window};

/// The first pause when the forge does not say how long: GitHub asks for a minute at least.
const FIRST_PAUSE: Duration = Duration::from_secs(60);

/// The longest pause when the forge does not say how long.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// The shortest pause, whatever a forge asks for: its clock may be behind ours.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause that is kept to without asking again: twice the hour that is GitHub's longest.
const LONGEST_ASKED: Duration = Duration::from_secs(2 * 60 * 60);

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// What one account has left.
#[derive(Debug, Default)]
pub(super) struct Purse {
    windows: HashMap<Resource, Window>,
    /// Secondary limits are common to both interfaces.
    interfaces: Pause,
    git: Pause,
    /// When something was changed in the last hour, the first one first.
    changes: VecDeque<DateTime<Utc>>,
}

/// A pause that the forge asked for.
#[derive(Debug, Default)]
struct Pause {
    until: Option<DateTime<Utc>>,
    /// How many in a row the forge left open how long.
    open_ended: u32,
}

impl Purse {
    /// Whether a request may be sent.
    pub(super) fn check(&mut self, purpose: Purpose, spending: &Spending, now: DateTime<Utc>) -> Result<(), Denied> {
        if let Some(until) = self.pause(purpose.resource).until.filter(|until| *until > now) {
            return Err(Denied::Spent(between(now, until)));
        }
        let proposes = purpose.priority == Priority::Propose;
        if let Some(window) = self.windows.get(&purpose.resource).filter(|window| window.resets_at > now) {
            let wait = between(now, window.resets_at);
            if window.remaining == 0 {
                return Err(Denied::Spent(wait));
            }
            if proposes && window.remaining <= spending.kept_of(window.limit) {
                return Err(Denied::Kept(wait));
            }
        }
        if !purpose.changes {
            return Ok(());
        }
        self.changes.retain(|at| between(*at, now) < HOUR);
        for (most, span) in [(spending.changes_per_minute, MINUTE), (spending.changes_per_hour, HOUR)] {
            if let Some(wait) = self.wait_for_change(most, span, now) {
                return Err(Denied::Spent(wait));
            }
            let most = most.saturating_sub(u32::try_from(spending.kept_of(u64::from(most))).unwrap_or(most)).max(1);
            if let Some(wait) = self.wait_for_change(most, span, now).filter(|_| proposes) {
                return Err(Denied::Kept(wait));
            }
        }
        Ok(())
    }

    /// Counts a request that changes something.
    pub(super) fn count_change(&mut self, now: DateTime<Utc>) {
        self.changes.push_back(now);
    }

    /// Learns what is left of a resource.
    ///
    /// Answers overtake each other: within one window, the least that was seen counts.
    pub(super) fn see(&mut self, resource: Resource, seen: Window) {
        let known = self.windows.entry(resource).or_insert(seen);
        if known.resets_at == seen.resets_at {
            known.remaining = known.remaining.min(seen.remaining);
            known.limit = seen.limit;
        } else if known.resets_at < seen.resets_at {
            *known = seen;
        }
    }

    /// Learns that a request was answered well.
    pub(super) fn went_well(&mut self, resource: Resource, now: DateTime<Utc>) {
        let pause = self.pause_mut(resource);
        if pause.until.is_none_or(|until| until <= now) {
            *pause = Pause::default();
        }
    }

    /// Notes that the forge asked for a pause. Gives how long it is from now.
    ///
    /// When it is only the hour's requests that are spent, nothing else has to pause.
    pub(super) fn slow_down(&mut self, resource: Resource, asked: Option<Duration>, now: DateTime<Utc>) -> Duration {
        let window = self.windows.get(&resource);
        if let Some(window) = window.filter(|window| window.remaining == 0 && window.resets_at > now) {
            return between(now, window.resets_at);
        }
        let pause = self.pause_mut(resource);
        let running = pause.until.filter(|until| *until > now);
        let wait = match (asked, running) {
            (Some(asked), _) => asked.clamp(SHORTEST_PAUSE, LONGEST_ASKED),
            // What was sent before the pause began is answered like the rest.
            (None, Some(until)) => between(now, until),
            (None, None) => {
                let factor = 2_u32.checked_pow(pause.open_ended).unwrap_or(u32::MAX);
                pause.open_ended = pause.open_ended.saturating_add(1);
                FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE)
            }
        };
        let until = TimeDelta::from_std(wait).ok().and_then(|wait| now.checked_add_signed(wait));
        pause.until = until.max(running);
        pause.until.map_or(wait, |until| between(now, until))
    }

    /// How long it is until there are fewer than `most` changes in the last `span`; `None` when there are.
    fn wait_for_change(&self, most: u32, span: Duration, now: DateTime<Utc>) -> Option<Duration> {
        let nth = usize::try_from(most).ok()?.checked_sub(1)?;
        let oldest = self.changes.iter().rev().nth(nth)?;
        span.checked_sub(between(*oldest, now)).filter(|wait| !wait.is_zero())
    }

    const fn pause(&self, resource: Resource) -> &Pause {
        match resource {
            Resource::Core | Resource::GraphQl => &self.interfaces,
            Resource::Git => &self.git,
        }
    }

    const fn pause_mut(&mut self, resource: Resource) -> &mut Pause {
        match resource {
            Resource::Core | Resource::GraphQl => &mut self.interfaces,
            Resource::Git => &mut self.git,
        }
    }
}

impl Spending {
    /// How much of a limit is kept from new proposals, rounded up.
    fn kept_of(&self, limit: u64) -> u64 {
        limit.saturating_mul(u64::from(self.kept_percent)).div_ceil(100)
    }
}

/// How long it is from one to the other; nothing when it is past.
fn between(from: DateTime<Utc>, to: DateTime<Utc>) -> Duration {
    (to - from).to_std().unwrap_or_default()
}
