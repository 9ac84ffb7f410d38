//! When the hedges of an attempt are due. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// The shortest time between two hedges, so that an attempt whose hedges are refused does not ask in a loop.
const SHORTEST: Duration = Duration::from_millis(1);

/// The times at which the hedges of an attempt are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turns {
    delay: Option<Duration>,
    next: Instant,
    left: u32,
}

/// What happens when a hedge is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// A hedge is sent, if a slot is free and the supervisor allows it.
    Hedge,
    /// None is sent: the server has asked to be left alone.
    Pass,
}

impl Turns {
    /// The turns of an attempt that begins now; without a delay it has none. The call may send `left` more hedges.
    pub(crate) fn new(delay: Option<Duration>, left: u32, now: Instant) -> Self {
        let delay = delay.map(|delay| delay.max(SHORTEST));
        Self { delay, next: now + delay.unwrap_or_default(), left }
    }

    /// When the next hedge is due; `None` when there will be none.
    pub(crate) fn due(&self) -> Option<Instant> {
        (self.left > 0 && self.delay.is_some()).then_some(self.next)
    }

    /// Takes the turn that is due. No hedge is sent before `quiet_until`.
    pub(crate) fn take(&mut self, now: Instant, quiet_until: Option<Instant>) -> Turn {
        self.next = now + self.delay.unwrap_or(SHORTEST);
        if quiet_until.is_some_and(|until| now < until) {
            return Turn::Pass;
        }
        self.left = self.left.saturating_sub(1);
        Turn::Hedge
    }

    /// Gives a hedge back that was not allowed.
    pub(crate) fn give_back(&mut self) {
        self.left += 1;
    }

    /// The hedges that the call may still send.
    pub(crate) fn left(&self) -> u32 {
        self.left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn hedges_are_due_one_delay_after_another_until_none_is_left() {
        let start = Instant::now();
        let mut turns = Turns::new(Some(millis(10)), 2, start);
        assert_eq!(turns.due(), Some(start + millis(10)));
        assert_eq!(turns.take(start + millis(12), None), Turn::Hedge);
        assert_eq!((turns.due(), turns.left()), (Some(start + millis(22)), 1));
        assert_eq!(turns.take(start + millis(22), None), Turn::Hedge);
        assert_eq!((turns.due(), turns.left()), (None, 0));
        turns.give_back();
        assert_eq!((turns.due(), turns.left()), (Some(start + millis(32)), 1));
    }

    #[test]
    fn an_attempt_without_a_delay_has_no_turn() {
        let start = Instant::now();
        assert_eq!(Turns::new(None, 5, start).due(), None);
        assert_eq!(Turns::new(Some(millis(1)), 0, start).due(), None);
        assert_eq!(Turns::new(Some(Duration::ZERO), 1, start).due(), Some(start + SHORTEST));
    }

    #[test]
    fn a_turn_passes_while_the_server_has_asked_to_wait_and_costs_no_hedge() {
        let start = Instant::now();
        let mut turns = Turns::new(Some(millis(10)), 1, start);
        let until = Some(start + millis(15));
        assert_eq!(turns.take(start + millis(10), until), Turn::Pass);
        assert_eq!((turns.due(), turns.left()), (Some(start + millis(20)), 1));
        assert_eq!(turns.take(start + millis(15), until), Turn::Hedge);
    }

    #[test]
    fn in_any_run_no_two_hedges_are_closer_than_the_delay_and_never_more_than_the_most() {
        let mut rng = crate::seed::rng();
        for _ in 0..2_000 {
            let (start, delay, most) = (Instant::now(), millis(rng.u64(0..50)), rng.u32(0..5));
            let mut turns = Turns::new(Some(delay), most, start);
            let (mut now, mut sent) = (start, Vec::new());
            let quiet = rng.bool().then(|| start + millis(rng.u64(0..200)));
            for _ in 0..20 {
                let Some(due) = turns.due() else { break };
                now = now.max(due) + millis(rng.u64(0..20));
                if turns.take(now, quiet) == Turn::Pass {
                    assert!(quiet.is_some_and(|until| now < until));
                    continue;
                }
                if rng.u8(0..4) == 0 {
                    turns.give_back();
                } else {
                    sent.push(now);
                }
            }
            assert!(sent.len() <= most as usize);
            assert!(sent.first().is_none_or(|first| *first >= start + delay.max(SHORTEST)));
            assert!(sent.windows(2).all(|pair| pair[1] - pair[0] >= delay.max(SHORTEST)));
            assert!(sent.iter().all(|at| quiet.is_none_or(|until| *at >= until)));
        }
    }
}
