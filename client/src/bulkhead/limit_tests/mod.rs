//! The adaptive limit: its rules as tables, and its behaviour against a simulated server.

mod simulation;

use super::*;

const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A window of attempts with this latency, and so many that are overloaded, when so many are in progress.
fn window(limit: &mut AdaptiveLimit, latency: Duration, overloaded: usize, peak: u32) -> u32 {
    let tickets: Vec<_> = (0..limit.wanted()).map(|_| limit.began(peak)).collect();
    for (n, ticket) in tickets.into_iter().enumerate() {
        let signal = if n < overloaded { Signal::Overloaded } else { Signal::Served(latency) };
        limit.ended(ticket, Some(signal));
    }
    limit.get()
}

/// A limit from 2 to 100 that has measured a baseline of 10 ms and stands at 20.
fn measured() -> AdaptiveLimit {
    let mut limit = AdaptiveLimit::new(2, 100);
    assert_eq!(limit.get(), 10, "it begins with a probe");
    assert_eq!(window(&mut limit, millis(10), 0, 10), 20);
    limit
}

#[test]
fn each_window_moves_the_limit_by_its_latency_its_failures_and_whether_it_was_reached() {
    for (case, latency, overloaded, peak, expected) in [
        ("no queue, reached", millis(10), 0, 20, 25),
        ("no queue, not reached", millis(10), 0, 19, 20),
        ("a short queue, reached", millis(13), 0, 20, 22),
        ("as much as is tolerated", millis(15), 0, 20, 22),
        ("twice what is tolerated", millis(30), 0, 20, 10),
        ("not reached, but slow", millis(20), 0, 5, 15),
        ("far too slow", millis(10_000), 0, 20, 10),
        ("a few failures", millis(10), 4, 20, 25),
        ("a tenth fails", millis(10), 5, 20, 15),
        ("all fail", millis(10), 48, 20, 15),
    ] {
        assert_eq!(window(&mut measured(), latency, overloaded, peak), expected, "{case}");
    }
}

#[test]
fn the_limit_stays_between_its_floor_and_its_ceiling() {
    let mut limit = AdaptiveLimit::new(3, 30);
    for _ in 0..100 {
        window(&mut limit, millis(10), 48, 30);
        assert!((3..=30).contains(&limit.get()));
    }
    assert_eq!(limit.get(), 3);
    let mut limit = AdaptiveLimit::new(3, 30);
    let mut highest = 0;
    for _ in 0..100 {
        let now = limit.get();
        highest = highest.max(window(&mut limit, millis(10), 0, now));
        assert!((3..=30).contains(&limit.get()));
    }
    assert_eq!(highest, 30);
    for fixed in [1, 7, 500] {
        let mut limit = AdaptiveLimit::new(fixed, fixed);
        for n in 0..100 {
            assert_eq!(window(&mut limit, millis(n * 10), 0, fixed), fixed);
        }
    }
}

#[test]
fn an_attempt_of_another_window_says_nothing_and_one_that_was_dropped_makes_room_for_another() {
    let mut limit = AdaptiveLimit::new(2, 100);
    let old = limit.began(1);
    limit.ended(old, None);
    assert_eq!(window(&mut limit, millis(10), 0, 10), 20);
    let members: Vec<_> = (0..limit.wanted()).map(|_| limit.began(20)).collect();
    let later = limit.began(20);
    for _ in 0..1_000 {
        for ticket in [old, later] {
            limit.ended(ticket, Some(Signal::Overloaded));
            limit.ended(ticket, None);
        }
    }
    limit.ended(members[0], None);
    for ticket in &members[1..] {
        limit.ended(*ticket, Some(Signal::Served(millis(10))));
    }
    assert_eq!(limit.get(), 20, "one is missing");
    let last = limit.began(20);
    limit.ended(last, Some(Signal::Served(millis(10))));
    assert_eq!(limit.get(), 25);
}

#[test]
fn a_window_is_judged_before_its_last_tenth_has_ended_and_those_count_as_slow() {
    let mut limit = measured();
    let tickets: Vec<_> = (0..48).map(|_| limit.began(20)).collect();
    // 20 of 48 are fast, 24 slow, and 4 have not ended: the median is slow.
    for (n, ticket) in tickets.iter().take(44).enumerate() {
        assert_eq!(limit.get(), 20);
        limit.ended(*ticket, Some(Signal::Served(millis(if n < 20 { 10 } else { 20 }))));
    }
    assert_eq!(limit.get(), 15);
}

#[test]
fn the_baseline_is_measured_again_after_sixteen_windows() {
    let mut limit = measured();
    for n in 0..16 {
        assert_eq!(window(&mut limit, millis(10), 0, 1), 20, "window {n}");
    }
    assert_eq!(window(&mut limit, millis(10), 0, 1), 10, "the probe");
    assert_eq!(window(&mut limit, millis(20), 0, 10), 20, "it goes on where it was");
    // The server is slower now, and that is no queue: half of that is believed at once.
    assert!((limit.baseline.unwrap() - 0.015).abs() < 1e-9);
    assert_eq!(window(&mut limit, millis(20), 0, 20), 22);
}

#[test]
fn a_limit_that_shrinks_without_effect_goes_back_and_measures_the_baseline_again() {
    let mut limit = measured();
    // The server needs 18 ms now, whatever the limit.
    assert_eq!(window(&mut limit, millis(18), 0, 20), 16);
    assert_eq!(window(&mut limit, millis(18), 0, 16), 13);
    assert_eq!(window(&mut limit, millis(18), 0, 13), 6, "a probe");
    assert_eq!(window(&mut limit, millis(18), 0, 6), 20, "where it began to shrink");
    assert_eq!(window(&mut limit, millis(18), 0, 20), 22);
    // A queue becomes shorter with the limit.
    let mut limit = measured();
    for (median, expected) in [(30, 10), (15, 11)] {
        let now = limit.get();
        assert_eq!(window(&mut limit, millis(median), 0, now), expected);
    }
}

#[test]
fn an_overloaded_probe_is_made_again() {
    let mut limit = AdaptiveLimit::new(2, 100);
    assert_eq!(window(&mut limit, millis(10), 48, 10), 15);
    assert_eq!(window(&mut limit, millis(10), 0, 15), 7, "no baseline yet");
    assert_eq!(window(&mut limit, millis(10), 0, 7), 15);
    assert_eq!(window(&mut limit, millis(10), 0, 15), 19);
}

#[test]
fn latencies_of_zero_are_a_baseline_too() {
    let mut limit = AdaptiveLimit::new(2, 100);
    assert_eq!(window(&mut limit, Duration::ZERO, 0, 10), 20);
    assert_eq!(window(&mut limit, Duration::ZERO, 0, 20), 22);
    assert_eq!(window(&mut limit, millis(1), 0, 22), 11);
}

#[test]
fn memory_is_bounded_and_no_input_breaks_the_range() {
    let mut rng = crate::seed::rng();
    for _ in 0..200 {
        let floor = rng.u32(1..100);
        let ceiling = rng.u32(floor..=1_000);
        let mut limit = AdaptiveLimit::new(floor, ceiling);
        let mut open = Vec::new();
        for _ in 0..3_000 {
            open.push(limit.began(rng.u32(..2_000)));
            if rng.bool() || open.len() > 200 {
                let ticket = open.swap_remove(rng.usize(..open.len()));
                limit.ended(
                    ticket,
                    match rng.u8(..9) {
                        0 => None,
                        1 => Some(Signal::Overloaded),
                        2 => Some(Signal::Served(Duration::MAX)),
                        3 => Some(Signal::Served(Duration::ZERO)),
                        _ => Some(Signal::Served(Duration::from_micros(rng.u64(..1_000_000)))),
                    },
                );
            }
            assert!((floor..=ceiling).contains(&limit.get()));
            assert!(limit.window.served.len() + limit.window.overloaded <= MOST);
            assert!(limit.window.members <= MOST);
        }
    }
}
