//! One piece of work, and replicas that claim it, pause, die and come back.

use stateright::{Model, Property};

/// How long a lease is, in steps of the clock.
pub(crate) const LEASE: u8 = 2;

/// How late work is due again that is handed back, in steps of the clock.
pub(crate) const LATER: u8 = 2;

/// What decides whether a claim still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The fence, as in the database.
    Fence,
    /// Whether the lease is over by the clock of the holder, who does not notice how long it was paused.
    OwnClock,
    /// The fence, and nobody remembers that the work was woken while it was claimed.
    Forgetful,
}

/// The model, with bounds that make it finite.
#[derive(Clone, Debug)]
pub(crate) struct Claims {
    pub(crate) replicas: usize,
    pub(crate) latest: u8,
    pub(crate) most_claims: u8,
    pub(crate) rule: Rule,
}

/// The row of the table of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    pub(crate) fence: u8,
    pub(crate) due: u8,
    pub(crate) lease: Option<u8>,
    pub(crate) woken: Option<u8>,
}

/// What a replica knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Replica {
    /// The fence of its claim, if it has one, and when it believes the lease to end.
    pub(crate) claim: Option<(u8, u8)>,
    /// The time when it was stopped, if it is.
    pub(crate) paused: Option<u8>,
    /// How far its clock is behind.
    behind: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is what a property asks about")]
pub(crate) struct State {
    pub(crate) clock: u8,
    /// `None` once it is settled.
    pub(crate) row: Option<Row>,
    pub(crate) replicas: Vec<Replica>,
    /// How often it was settled.
    settled: u8,
    /// Until when somebody who woke it expects another look.
    promised: Option<u8>,
    stale_record: bool,
    wake_lost: bool,
    refused: bool,
    passed_on: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Claim(usize),
    Renew(usize),
    Record(usize),
    HandBack(usize),
    Settle(usize),
    Pause(usize),
    Resume(usize),
    Die(usize),
    Wake,
    Tick,
}

impl State {
    pub(crate) fn first(replicas: usize) -> Self {
        Self {
            clock: 0,
            row: Some(Row { fence: 0, due: 0, lease: None, woken: None }),
            replicas: vec![Replica::default(); replicas],
            settled: 0,
            promised: None,
            stale_record: false,
            wake_lost: false,
            refused: false,
            passed_on: false,
        }
    }
}

impl Claims {
    /// Whether the row is there and the claim of a replica holds on it.
    fn holds(&self, state: &State, replica: &Replica) -> bool {
        let (Some((fence, end)), Some(row)) = (replica.claim, state.row) else { return false };
        match self.rule {
            Rule::Fence | Rule::Forgetful => row.fence == fence && row.lease.is_some(),
            Rule::OwnClock => state.clock.saturating_sub(replica.behind) < end,
        }
    }

    /// Takes a step; whether the database took it.
    pub(crate) fn take(&self, state: &mut State, step: Step) -> bool {
        match step {
            Step::Tick => state.clock += 1,
            Step::Wake => self.wake(state),
            Step::Claim(number) => return self.claim(state, number),
            Step::Pause(number) => state.replicas[number].paused = Some(state.clock),
            Step::Resume(number) => {
                let replica = &mut state.replicas[number];
                let since = replica.paused.take().unwrap_or(state.clock);
                replica.behind += state.clock - since;
            }
            Step::Die(number) => state.replicas[number] = Replica::default(),
            Step::Renew(number) | Step::Record(number) | Step::HandBack(number) | Step::Settle(number) => {
                return self.use_claim(state, number, step);
            }
        }
        true
    }

    fn wake(&self, state: &mut State) {
        let clock = state.clock;
        let Some(row) = &mut state.row else { return };
        row.due = row.due.min(clock);
        if row.lease.is_some() {
            state.promised = Some(state.promised.map_or(clock, |promised| promised.min(clock)));
            if self.rule != Rule::Forgetful {
                row.woken = Some(row.woken.map_or(clock, |woken| woken.min(clock)));
            }
        }
    }

    fn claim(&self, state: &mut State, number: usize) -> bool {
        let clock = state.clock;
        let Some(row) = &mut state.row else { return false };
        if row.due > clock || row.lease.is_some_and(|lease| lease > clock) {
            return false;
        }
        state.passed_on |= row.lease.is_some();
        *row = Row { fence: row.fence + 1, due: row.due, lease: Some(clock + LEASE), woken: None };
        let own = clock.saturating_sub(state.replicas[number].behind);
        state.replicas[number].claim = Some((row.fence, own + LEASE));
        // Whoever woke it is served by the look that begins now.
        state.promised = None;
        true
    }

    fn use_claim(&self, state: &mut State, number: usize, step: Step) -> bool {
        let replica = state.replicas[number];
        let is_held = self.holds(state, &replica);
        let is_newest = state.row.is_some_and(|row| replica.claim.is_some_and(|(fence, _)| fence == row.fence));
        state.refused |= !is_held && !is_newest && replica.claim.is_some();
        if !is_held {
            state.replicas[number].claim = None;
            return false;
        }
        state.stale_record |= !is_newest;
        let clock = state.clock;
        match step {
            Step::Renew(_) => {
                if let Some(row) = &mut state.row {
                    row.lease = Some(clock + LEASE);
                }
                let own = clock.saturating_sub(replica.behind);
                state.replicas[number].claim = replica.claim.map(|(fence, _)| (fence, own + LEASE));
            }
            Step::HandBack(_) => {
                if let Some(row) = &mut state.row {
                    let later = clock + LATER;
                    row.due = row.woken.filter(|woken| *woken < later).unwrap_or(later);
                    (row.lease, row.woken) = (None, None);
                    state.wake_lost |= state.promised.is_some_and(|promised| row.due > promised);
                }
                state.promised = None;
                state.replicas[number].claim = None;
            }
            Step::Settle(_) => {
                state.settled += 1;
                (state.row, state.promised) = (None, None);
                state.replicas[number].claim = None;
            }
            _ => {}
        }
        true
    }
}

impl Model for Claims {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State::first(self.replicas)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        if state.clock < self.latest {
            actions.push(Step::Tick);
        }
        actions.push(Step::Wake);
        let may_claim = state.row.is_some_and(|row| row.fence < self.most_claims);
        for (number, replica) in state.replicas.iter().enumerate() {
            // Whoever has no claim has nothing to lose.
            if replica.claim.is_some() {
                actions.push(Step::Die(number));
            }
            if replica.paused.is_some() {
                actions.push(Step::Resume(number));
                continue;
            }
            match replica.claim {
                None if may_claim => actions.push(Step::Claim(number)),
                None => {}
                Some(_) => {
                    let all = [Step::Pause, Step::Renew, Step::Record, Step::HandBack, Step::Settle];
                    actions.extend(all.map(|step| step(number)));
                }
            }
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        self.take(&mut next, step);
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("nothing is recorded by a claim that passed on", |_, state: &State| !state.stale_record),
            Property::always("it is settled once", |_, state: &State| state.settled <= 1),
            Property::always("no wake is lost", |_, state: &State| !state.wake_lost),
            Property::sometimes("a claim that passed on is refused", |_, state: &State| state.refused),
            Property::sometimes("a lease passes on", |_, state: &State| state.passed_on),
            Property::sometimes("it is settled after a lease passed on", |_, state: &State| {
                state.settled == 1 && state.passed_on
            }),
        ]
    }
}
