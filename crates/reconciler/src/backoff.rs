//! When to try again after a failure: the one place that decides it.

use std::time::Duration;

use domain::fault::Fault;

/// The first wait after something that may pass by itself.
const FIRST: Duration = Duration::from_millis(250);

/// The longest wait after something that may pass by itself: an outage of minutes is noticed to be over soon.
const LONGEST: Duration = Duration::from_secs(60);

/// The first wait after something that a person has to change.
const FIRST_FOR_A_PERSON: Duration = Duration::from_secs(5);

/// The longest wait after something that a person has to change.
const LONGEST_FOR_A_PERSON: Duration = Duration::from_secs(600);

/// The first wait when we are asked to slow down and told for how long: not at all is what a clock that is ahead of
/// the other side's makes of it, and a second request at once is answered like the first.
const FIRST_LIMITED: Duration = Duration::from_secs(1);

/// The longest wait that we let somebody ask of us: twice the hour that is GitHub's longest.
const LONGEST_LIMITED: Duration = Duration::from_secs(2 * 60 * 60);

/// The shortest wait when we are asked to slow down without being told for how long
/// (<https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>: at least one minute).
const LIMITED: Duration = Duration::from_secs(60);

/// How long to wait after a failure that was the `attempts`th in a row before this one.
///
/// `jitter` is from 0 to 1 and lengthens the wait by up to a quarter, so that what failed together does not come
/// back together.
pub(crate) fn delay(fault: Fault, attempts: u32, jitter: f64) -> Duration {
    let base = match fault {
        Fault::Transient => doubled(FIRST, attempts, LONGEST),
        // Whoever says so makes it longer each time himself.
        Fault::Away { retry_after } => retry_after.clamp(FIRST, LONGEST_LIMITED),
        Fault::Stale => doubled(FIRST, attempts, LONGEST_FOR_A_PERSON),
        Fault::Permanent => doubled(FIRST_FOR_A_PERSON, attempts, LONGEST_FOR_A_PERSON),
        Fault::Limited { retry_after: Some(wait) } => {
            wait.max(doubled(FIRST_LIMITED, attempts, LONGEST_FOR_A_PERSON)).min(LONGEST_LIMITED)
        }
        Fault::Limited { retry_after: None } => doubled(LIMITED, attempts, LONGEST_FOR_A_PERSON),
    };
    base.saturating_add(base.mul_f64(jitter.clamp(0.0, 1.0) / 4.0))
}

fn doubled(first: Duration, attempts: u32, longest: Duration) -> Duration {
    let factor = 2_u32.checked_pow(attempts).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_bound() {
        let seconds = |fault, attempts| delay(fault, attempts, 0.0).as_secs_f64();
        assert!((seconds(Fault::Transient, 0) - 0.25).abs() < 1e-9);
        assert!((seconds(Fault::Transient, 3) - 2.0).abs() < 1e-9);
        assert!((seconds(Fault::Transient, u32::MAX) - 60.0).abs() < 1e-9);
        assert!((seconds(Fault::Permanent, 1) - 10.0).abs() < 1e-9);
        assert!((seconds(Fault::Permanent, 99) - 600.0).abs() < 1e-9);
    }

    #[test]
    fn a_wait_that_was_asked_for_is_kept_and_never_shortened() {
        let asked = Fault::Limited { retry_after: Some(Duration::from_secs(7)) };
        assert_eq!(delay(asked, 0, 0.0), Duration::from_secs(7));
        assert!(delay(asked, 5, 1.0) >= Duration::from_secs(7));
        assert_eq!(delay(Fault::Limited { retry_after: None }, 0, 0.0), Duration::from_secs(60));
    }

    #[test]
    fn somebody_who_does_not_answer_is_tried_again_when_it_is_time_however_often_that_was_so() {
        let away = |seconds| Fault::Away { retry_after: Duration::from_secs(seconds) };
        for attempts in [0, 9, u32::MAX] {
            assert_eq!(delay(away(15), attempts, 0.0), Duration::from_secs(15));
        }
        assert_eq!(delay(away(0), 0, 0.0), FIRST);
        assert_eq!(delay(away(u64::MAX), 0, 0.0), LONGEST_LIMITED);
        assert!(delay(away(15), 0, 1.0) > Duration::from_secs(15));
    }

    #[test]
    fn a_limit_that_asks_for_no_wait_is_waited_for_longer_each_time() {
        let asked = Fault::Limited { retry_after: Some(Duration::ZERO) };
        for (attempts, seconds) in [(0, 1), (1, 2), (5, 32), (99, 600)] {
            assert_eq!(delay(asked, attempts, 0.0), Duration::from_secs(seconds), "{attempts}");
        }
    }

    #[test]
    fn an_absurd_wait_is_not_kept() {
        for seconds in [7_201, 1_000_000_000, u64::MAX] {
            let asked = Fault::Limited { retry_after: Some(Duration::from_secs(seconds)) };
            assert_eq!(delay(asked, 0, 0.0), LONGEST_LIMITED, "{seconds}");
        }
    }

    #[test]
    fn jitter_lengthens_by_a_quarter_at_most() {
        assert_eq!(delay(Fault::Limited { retry_after: None }, 0, 1.0), Duration::from_secs(75));
        assert_eq!(delay(Fault::Limited { retry_after: None }, 0, 9.0), Duration::from_secs(75));
    }
}
