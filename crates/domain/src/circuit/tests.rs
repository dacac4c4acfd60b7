//! When a host is left alone, and by whom it is tried again.

use super::*;

const PATIENCE: Patience = Patience {
    failures: 3,
    first: Duration::from_secs(10),
    longest: Duration::from_secs(60),
    probe: Duration::from_secs(30),
};

/// So many milliseconds after the beginning.
fn at(milliseconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::milliseconds(milliseconds)
}

fn seconds(seconds: i64) -> DateTime<Utc> {
    at(seconds * 1000)
}

/// A question that is let through, and what becomes of it.
fn ask(circuit: &mut Circuit, report: Report, now: DateTime<Utc>) -> Option<Change> {
    let ticket = circuit.admit(now).unwrap();
    circuit.report(ticket, report, now)
}

/// A host that does not answer since second 0, and is left alone since second 2.
fn open() -> Circuit {
    let mut circuit = Circuit::new(PATIENCE);
    assert_eq!(ask(&mut circuit, Report::Failed, seconds(0)), None);
    assert_eq!(ask(&mut circuit, Report::Failed, seconds(1)), None);
    let opened = Change::Opened { since: seconds(0), wait: PATIENCE.first };
    assert_eq!(ask(&mut circuit, Report::Failed, seconds(2)), Some(opened));
    circuit
}

fn wait(circuit: &Circuit, now: DateTime<Utc>) -> Option<Duration> {
    circuit.refusal(now).map(|refused| refused.wait)
}

#[test]
fn a_host_that_fails_in_a_row_is_left_alone() {
    let mut circuit = open();
    let refused = Refused { since: seconds(0), wait: Duration::from_secs(7), until: seconds(12) };
    assert_eq!(circuit.admit(seconds(5)), Err(refused));
    assert!(!circuit.is_due(seconds(5)));
    assert!(circuit.is_due(seconds(12)));
}

#[test]
fn an_answer_in_between_begins_the_row_anew() {
    let mut circuit = Circuit::new(PATIENCE);
    for second in 0..20 {
        let report = if second % 3 == 2 { Report::Answered } else { Report::Failed };
        assert_eq!(ask(&mut circuit, report, seconds(second)), None);
    }
}

#[test]
fn what_is_not_known_counts_for_nothing() {
    let mut circuit = Circuit::new(PATIENCE);
    for second in 0..20 {
        assert_eq!(ask(&mut circuit, Report::Unknown, seconds(second)), None);
    }
    assert_eq!(ask(&mut circuit, Report::Failed, seconds(20)), None);
    assert_eq!(ask(&mut circuit, Report::Unknown, seconds(21)), None);
    assert_eq!(ask(&mut circuit, Report::Failed, seconds(22)), None);
    let opened = Change::Opened { since: seconds(20), wait: PATIENCE.first };
    assert_eq!(ask(&mut circuit, Report::Failed, seconds(23)), Some(opened));
}

#[test]
fn one_probe_goes_through_and_its_answer_lets_everybody_in() {
    let mut circuit = open();
    let probe = circuit.admit(seconds(12)).unwrap();
    for now in [seconds(12), seconds(20), at(41_500)] {
        let refused = circuit.admit(now).unwrap_err();
        assert!(refused.since == seconds(0) && refused.wait <= PROBING, "{refused:?}");
    }
    let closed = Change::Closed { since: seconds(0) };
    assert_eq!(circuit.report(probe, Report::Answered, seconds(21)), Some(closed));
    assert_eq!(ask(&mut circuit, Report::Failed, seconds(21)), None);
    assert_eq!(ask(&mut circuit, Report::Answered, seconds(21)), None);
}

#[test]
fn the_wait_doubles_with_each_probe_that_fails_up_to_a_bound() {
    let (mut circuit, mut now) = (open(), 2);
    for expected in [10, 20, 40, 60, 60] {
        assert_eq!(wait(&circuit, seconds(now)), Some(Duration::from_secs(expected)));
        now += i64::try_from(expected).unwrap();
        assert_eq!(ask(&mut circuit, Report::Failed, seconds(now)), None, "only the beginning is told");
    }
    now += 60;
    let closed = Change::Closed { since: seconds(0) };
    assert_eq!(ask(&mut circuit, Report::Answered, seconds(now)), Some(closed));
    for _ in 0..2 {
        assert_eq!(ask(&mut circuit, Report::Failed, seconds(now)), None);
    }
    let opened = Change::Opened { since: seconds(now), wait: PATIENCE.first };
    assert_eq!(ask(&mut circuit, Report::Failed, seconds(now)), Some(opened), "it begins with the first wait");
}

#[test]
fn a_probe_that_nobody_hears_of_is_forgotten() {
    let mut circuit = open();
    let lost = circuit.admit(seconds(12)).unwrap();
    assert!(circuit.admit(seconds(41)).is_err());
    let second = circuit.admit(seconds(42)).unwrap();
    assert_eq!(circuit.report(lost, Report::Failed, seconds(43)), None);
    assert!(wait(&circuit, seconds(43)).unwrap() <= PROBING, "the second one is still out");
    assert_eq!(circuit.report(second, Report::Failed, seconds(44)), None);
    assert_eq!(wait(&circuit, seconds(44)), Some(Duration::from_secs(20)));
}

#[test]
fn a_probe_that_was_not_asked_makes_room_for_another() {
    let mut circuit = open();
    let probe = circuit.admit(seconds(12)).unwrap();
    assert_eq!(circuit.report(probe, Report::Unknown, seconds(13)), None);
    assert!(circuit.is_due(seconds(13)));
    assert_eq!(ask(&mut circuit, Report::Failed, seconds(13)), None);
    assert_eq!(wait(&circuit, seconds(13)), Some(Duration::from_secs(20)));
}

#[test]
fn of_questions_from_before_an_answer_counts_and_a_failure_does_not() {
    let mut circuit = Circuit::new(PATIENCE);
    let early = [(); 2].map(|()| circuit.admit(seconds(0)).unwrap());
    for second in 0..3 {
        let _change = ask(&mut circuit, Report::Failed, seconds(second));
    }
    assert_eq!(circuit.report(early[0], Report::Failed, seconds(3)), None);
    assert_eq!(wait(&circuit, seconds(3)), Some(Duration::from_secs(9)));
    let probe = circuit.admit(seconds(12)).unwrap();
    assert_eq!(circuit.report(early[0], Report::Failed, seconds(12)), None);
    assert!(circuit.admit(seconds(12)).is_err(), "the probe is still out");
    let closed = Change::Closed { since: seconds(0) };
    assert_eq!(circuit.report(early[1], Report::Answered, seconds(13)), Some(closed));
    assert_eq!(circuit.report(probe, Report::Failed, seconds(14)), None);
    assert!(circuit.admit(seconds(14)).is_ok());
}

#[test]
fn nobody_waits_for_a_clock_that_was_set_back() {
    let circuit = open();
    assert!(circuit.is_due(seconds(-3600)));
    let mut circuit = open();
    let _probe = circuit.admit(seconds(12)).unwrap();
    assert!(circuit.is_due(seconds(11)));
}

/// A walk at random: a host that is well or not, questions that take their time, and a clock that goes on.
struct Walk {
    random: fastrand::Rng,
    circuit: Circuit,
    now: DateTime<Utc>,
    out: Vec<Ticket>,
    /// What may be known from outside.
    failures: u32,
    probe: Option<(Ticket, DateTime<Utc>)>,
    open_until: Option<DateTime<Utc>>,
}

impl Walk {
    fn step(&mut self) {
        self.now += TimeDelta::milliseconds(self.random.i64(0..8_000));
        if self.out.is_empty() || self.random.u8(..) < 140 { self.ask() } else { self.hear() }
    }

    fn ask(&mut self) {
        let (peeked, is_due) = (self.circuit.refusal(self.now), self.circuit.is_due(self.now));
        let admitted = self.circuit.admit(self.now);
        assert_eq!(admitted.err(), peeked);
        match admitted {
            Ok(ticket) => {
                assert_eq!((is_due, ticket.probe.is_some()), (self.open_until.is_some(), self.open_until.is_some()));
                assert!(self.open_until.is_none_or(|until| until <= self.now), "it is asked before its time");
                let is_forgotten = |began: DateTime<Utc>| self.now - began >= TimeDelta::seconds(30);
                assert!(self.probe.is_none_or(|(_, began)| is_forgotten(began)), "two probes are out");
                if is_due {
                    self.probe = Some((ticket, self.now));
                }
                self.out.push(ticket);
            }
            Err(refused) => {
                assert!(self.open_until.is_some(), "nobody may ask a host that answers");
                assert!(refused.wait <= PATIENCE.longest && !refused.wait.is_zero() && refused.until > self.now);
            }
        }
    }

    fn hear(&mut self) {
        let ticket = self.out.swap_remove(self.random.usize(..self.out.len()));
        let report = match self.random.u8(..) {
            0..40 => Report::Answered,
            40..230 => Report::Failed,
            230.. => Report::Unknown,
        };
        let is_probe = self.probe.take_if(|(probe, _)| *probe == ticket).is_some();
        let change = self.circuit.report(ticket, report, self.now);
        match report {
            Report::Answered => {
                assert_eq!(change.is_some(), self.open_until.is_some());
                (self.failures, self.open_until, self.probe) = (0, None, None);
            }
            Report::Failed if self.open_until.is_none() => {
                self.failures += 1;
                assert_eq!(change.is_some(), self.failures == PATIENCE.failures);
                if change.is_some() {
                    self.open_until = Some(self.now + TimeDelta::seconds(10));
                }
            }
            Report::Failed if is_probe => {
                let wait = self.circuit.refusal(self.now).unwrap().wait;
                assert!(change.is_none() && wait >= PATIENCE.first && wait <= PATIENCE.longest, "{wait:?}");
                self.open_until = Some(self.now + TimeDelta::from_std(wait).unwrap());
            }
            Report::Failed | Report::Unknown => assert_eq!(change, None),
        }
        assert!(self.circuit.refusal(self.now + TimeDelta::seconds(60)).is_none(), "it is never asked again");
    }
}

#[test]
fn whatever_happens_one_probe_at_a_time_asks_a_host_that_is_left_alone() {
    for seed in 0..300 {
        let walked = std::panic::catch_unwind(|| {
            let mut walk = Walk {
                random: fastrand::Rng::with_seed(seed),
                circuit: Circuit::new(PATIENCE),
                now: DateTime::UNIX_EPOCH,
                out: Vec::new(),
                failures: 0,
                probe: None,
                open_until: None,
            };
            for _ in 0..300 {
                walk.step();
            }
        });
        assert!(walked.is_ok(), "seed {seed}");
    }
}
