//! The rules by which requests fail. Pure: the time is passed in.
//!
//! There are two independent modes: a count of requests that are still to fail, and a time until which every request
//! fails. Setting one does not change the other.

use std::time::{Duration, Instant};

/// What is armed; nothing by [`Default`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FailurePlan {
    count: u32,
    until: Option<Instant>,
    /// Goes up whenever `count` is set, so that a failure that is given back late is not added to a later count.
    generation: u64,
}

/// Why a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The count was above zero, and has been reduced by one.
    Count {
        /// How many are left after this one.
        left: u32,
        /// The generation of the count; see [`FailurePlan::give_back`].
        generation: u64,
    },
    /// The duration has not run out, and the count was zero.
    Duration {
        /// How much of it is left.
        left: Duration,
    },
}

/// What is armed, for reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureStatus {
    /// How many of the following requests fail because of the count.
    pub count: u32,
    /// For how much longer every request fails; `None` when no duration is running.
    pub remaining: Option<Duration>,
}

/// A change of the plan.
#[derive(Clone, Copy)]
pub(super) enum Change {
    FailNext(u32),
    FailFor(Duration),
    Reset,
}

impl FailureStatus {
    /// Whether a request made now would fail.
    #[must_use]
    pub fn failing(&self) -> bool {
        self.count > 0 || self.remaining.is_some()
    }
}

impl FailurePlan {
    /// Makes a plan in which nothing is armed, of the generation after `last_generation`: failures that were taken from
    /// plans up to there cannot be given back to it.
    #[must_use]
    pub fn new(last_generation: u64) -> Self {
        Self { generation: last_generation + 1, ..Self::default() }
    }

    /// Returns the generation of the present count.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Arms the next `count` requests to fail, in place of the count that was left; zero ends this mode.
    pub fn fail_next(&mut self, count: u32) {
        self.count = count;
        self.generation += 1;
    }

    /// Arms every request to fail until `now + duration`, in place of an earlier duration; zero ends this mode.
    ///
    /// A duration of more than a century counts as a century, so that no sum can overflow.
    pub fn fail_for(&mut self, duration: Duration, now: Instant) {
        const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
        self.until = (!duration.is_zero()).then(|| now + duration.min(CENTURY));
    }

    /// Ends both modes.
    pub fn reset(&mut self) {
        self.fail_next(0);
        self.until = None;
    }

    /// Decides about one request: the reason why it must fail, or `None`. Takes one off a count above zero.
    pub fn decide(&mut self, now: Instant) -> Option<Reason> {
        let left = self.remaining(now);
        if left.is_none() {
            self.until = None;
        }
        if let Some(count) = self.count.checked_sub(1) {
            self.count = count;
            return Some(Reason::Count { left: count, generation: self.generation });
        }
        left.map(|left| Reason::Duration { left })
    }

    /// Takes back a failure that no client has seen, unless the count has been set since it was taken.
    pub fn give_back(&mut self, reason: Reason) {
        if let Reason::Count { generation, .. } = reason
            && generation == self.generation
        {
            self.count += 1;
        }
    }

    /// Returns what is armed at `now`.
    #[must_use]
    pub fn status(&self, now: Instant) -> FailureStatus {
        FailureStatus { count: self.count, remaining: self.remaining(now) }
    }

    fn remaining(&self, now: Instant) -> Option<Duration> {
        let left = self.until?.saturating_duration_since(now);
        (!left.is_zero()).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn fails(plan: &mut FailurePlan, now: Instant, requests: usize) -> Vec<bool> {
        (0..requests).map(|_| plan.decide(now).is_some()).collect()
    }

    #[test]
    fn no_request_fails_by_default() {
        assert_eq!(FailurePlan::default().decide(Instant::now()), None);
    }

    #[test]
    fn exactly_the_counted_requests_fail() {
        let mut plan = FailurePlan::default();
        plan.fail_next(2);
        assert_eq!(fails(&mut plan, Instant::now(), 4), [true, true, false, false]);
    }

    #[test]
    fn a_new_count_replaces_the_old_one_and_zero_ends_it() {
        let (mut plan, now) = (FailurePlan::default(), Instant::now());
        plan.fail_next(5);
        plan.fail_next(1);
        assert_eq!(fails(&mut plan, now, 2), [true, false]);
        plan.fail_next(5);
        plan.fail_next(0);
        assert_eq!(fails(&mut plan, now, 1), [false]);
    }

    #[test]
    fn a_duration_ends_at_its_last_instant() {
        let (mut plan, start) = (FailurePlan::default(), Instant::now());
        plan.fail_for(2 * SECOND, start);
        let just_before = start + 2 * SECOND - Duration::from_nanos(1);
        for (now, failing) in [(start, true), (just_before, true), (start + 2 * SECOND, false)] {
            assert_eq!(plan.status(now).failing(), failing);
            assert_eq!(plan.decide(now).is_some(), failing);
        }
    }

    #[test]
    fn the_modes_are_independent_and_a_duration_uses_up_the_count() {
        let (mut plan, start) = (FailurePlan::default(), Instant::now());
        plan.fail_next(1);
        plan.fail_for(SECOND, start);
        assert!(matches!(plan.decide(start), Some(Reason::Count { left: 0, .. })));
        assert_eq!(plan.decide(start), Some(Reason::Duration { left: SECOND }));
        plan.fail_next(1);
        assert_eq!(fails(&mut plan, start + SECOND, 2), [true, false], "a count outlives the duration");
    }

    #[test]
    fn a_reset_ends_both_modes() {
        let (mut plan, now) = (FailurePlan::default(), Instant::now());
        plan.fail_next(3);
        plan.fail_for(SECOND, now);
        plan.reset();
        assert_eq!(plan.status(now), FailureStatus { count: 0, remaining: None });
        assert_eq!(plan.decide(now), None);
    }

    #[test]
    fn a_failure_that_no_client_has_seen_is_due_again() {
        let (mut plan, now) = (FailurePlan::default(), Instant::now());
        plan.fail_next(1);
        let reason = plan.decide(now).unwrap();
        plan.give_back(reason);
        assert_eq!(fails(&mut plan, now, 2), [true, false]);
    }

    #[test]
    fn a_failure_given_back_after_a_reset_or_a_new_count_changes_nothing() {
        let (mut plan, now) = (FailurePlan::default(), Instant::now());
        plan.fail_next(1);
        let reason = plan.decide(now).unwrap();
        plan.reset();
        plan.give_back(reason);
        assert_eq!(plan.status(now).count, 0);
        plan.fail_next(7);
        plan.give_back(reason);
        assert_eq!(plan.status(now).count, 7);
    }
}
