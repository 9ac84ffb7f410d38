//! The cache's rules, as tables.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::*;

const TTL: Duration = Duration::from_secs(60);

/// A caller by name, which has left if the name begins with "gone".
impl Follower for &'static str {
    fn has_left(&self) -> bool {
        self.starts_with("gone")
    }
}

type Cache = IdempotencyCache<u32, &'static str>;

fn cache(max_size: usize) -> (Cache, Instant) {
    let max_size = NonZeroUsize::new(max_size).unwrap();
    (Cache::new(CacheSettings { max_size, ttl: TTL }, 0), Instant::now())
}

fn key(name: &str) -> Key {
    Key::from(name)
}

fn lead(cache: &mut Cache, name: &str, now: Instant) -> ExecutionId {
    match cache.begin(&key(name), Fingerprint::default(), "leader", now) {
        Begun::Lead { execution, .. } => execution,
        other => panic!("{name} should be new, but {other:?}"),
    }
}

fn store(cache: &mut Cache, name: &str, value: u32, now: Instant) -> Completed<&'static str> {
    let execution = lead(cache, name, now);
    cache.complete(&key(name), execution, value, now).unwrap()
}

/// The stored value, as a caller who must not lead sees it.
fn stored(cache: &mut Cache, name: &str, now: Instant) -> Option<u32> {
    match cache.begin(&key(name), Fingerprint::default(), "reader", now) {
        Begun::Replay { value, .. } => Some(value),
        Begun::Lead { execution, .. } => {
            cache.abandon(&key(name), execution);
            None
        }
        Begun::Follow => panic!("{name} is in execution"),
        Begun::Conflict { .. } => panic!("{name} is used for something else"),
    }
}

#[test]
fn an_answer_is_replayed_until_it_is_as_old_as_the_ttl() {
    let (mut cache, start) = cache(10);
    store(&mut cache, "a", 1, start);
    let just_before = start + TTL - Duration::from_nanos(1);
    for (now, expected) in [(start, Some(1)), (just_before, Some(1)), (start + TTL, None)] {
        assert_eq!(stored(&mut cache, "a", now), expected);
    }
}

#[test]
fn reading_an_answer_does_not_extend_its_time() {
    let (mut cache, start) = cache(10);
    store(&mut cache, "a", 1, start);
    for second in 0..60 {
        assert_eq!(stored(&mut cache, "a", start + Duration::from_secs(second)), Some(1));
    }
    assert!(matches!(
        cache.begin(&key("a"), Fingerprint::default(), "late", start + TTL),
        Begun::Lead { expired: true, .. }
    ));
}

#[test]
fn the_least_recently_used_answer_is_evicted() {
    let (mut cache, now) = cache(2);
    store(&mut cache, "a", 1, now);
    store(&mut cache, "b", 2, now);
    assert_eq!(stored(&mut cache, "a", now), Some(1));
    assert_eq!(store(&mut cache, "c", 3, now).evicted.as_deref(), Some("b"));
    let left = ["a", "b", "c"].map(|name| stored(&mut cache, name, now));
    assert_eq!(left, [Some(1), None, Some(3)]);
}

#[test]
fn callers_that_come_during_an_execution_follow_in_order() {
    let (mut cache, now) = cache(10);
    let execution = lead(&mut cache, "a", now);
    assert_eq!(cache.begin(&key("a"), Fingerprint::default(), "second", now), Begun::Follow);
    assert_eq!(cache.begin(&key("a"), Fingerprint::default(), "third", now), Begun::Follow);
    let completed = cache.complete(&key("a"), execution, 7, now).unwrap();
    assert_eq!(completed.followers, ["second", "third"]);
    assert_eq!(cache.stats(), CacheStats { stored: 1, in_flight: 0 });
}

#[test]
fn the_first_follower_takes_over_an_execution_that_is_abandoned() {
    let (mut cache, now) = cache(10);
    let first = lead(&mut cache, "a", now);
    cache.begin(&key("a"), Fingerprint::default(), "second", now);
    cache.begin(&key("a"), Fingerprint::default(), "third", now);
    let (second, successor) = cache.abandon(&key("a"), first).unwrap();
    assert_eq!(successor, "second");
    assert_eq!(cache.complete(&key("a"), second, 7, now).unwrap().followers, ["third"]);
}

#[test]
fn an_execution_that_is_abandoned_without_followers_leaves_nothing() {
    let (mut cache, now) = cache(10);
    let execution = lead(&mut cache, "a", now);
    assert_eq!(cache.abandon(&key("a"), execution), None);
    assert_eq!(cache.stats(), CacheStats { stored: 0, in_flight: 0 });
}

#[test]
fn a_report_of_an_ended_execution_changes_nothing() {
    let (mut cache, now) = cache(10);
    let first = lead(&mut cache, "a", now);
    cache.begin(&key("a"), Fingerprint::default(), "second", now);
    let (second, _) = cache.abandon(&key("a"), first).unwrap();
    assert_eq!(cache.complete(&key("a"), first, 1, now), None);
    assert_eq!(cache.abandon(&key("a"), first), None);
    assert!(cache.complete(&key("a"), second, 2, now).is_some());
    assert_eq!(cache.abandon(&key("a"), second), None);
    assert_eq!(stored(&mut cache, "a", now), Some(2));
}

#[test]
fn an_entry_in_flight_is_never_evicted() {
    let (mut cache, now) = cache(1);
    let execution = lead(&mut cache, "slow", now);
    for name in ["a", "b", "c"] {
        store(&mut cache, name, 1, now);
    }
    assert_eq!(cache.begin(&key("slow"), Fingerprint::default(), "second", now), Begun::Follow);
    assert!(cache.complete(&key("slow"), execution, 2, now).is_some());
}

#[test]
fn a_sweep_removes_exactly_the_expired_answers_and_stops_at_its_limit() {
    let (mut cache, start) = cache(10);
    for (second, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
        store(&mut cache, name, 1, start + Duration::from_secs(second as u64));
    }
    stored(&mut cache, "a", start + Duration::from_secs(5));
    let mut removed = Vec::new();
    let three_have_expired = start + TTL + Duration::from_secs(2);
    assert!(cache.sweep(three_have_expired, 2, |key| removed.push(key.to_owned())));
    assert!(!cache.sweep(three_have_expired, 2, |key| removed.push(key.to_owned())));
    assert_eq!(removed, ["a", "b", "c"]);
    assert_eq!(cache.stats().stored, 1);
}

#[test]
fn followers_that_left_are_removed_while_others_keep_coming() {
    let (mut cache, now) = cache(10);
    let execution = lead(&mut cache, "a", now);
    cache.begin(&key("a"), Fingerprint::default(), "stays", now);
    for _ in 0..10_000 {
        cache.begin(&key("a"), Fingerprint::default(), "gone", now);
    }
    let followers = cache.complete(&key("a"), execution, 1, now).unwrap().followers;
    assert!(followers.len() < 16, "{} are kept", followers.len());
    assert_eq!(followers.front(), Some(&"stays"));
}

#[test]
fn a_key_that_is_used_for_something_else_conflicts_until_its_answer_expires() {
    let (mut cache, start) = cache(10);
    let (one, other) = (Fingerprint([1; 32]), Fingerprint([2; 32]));
    let Begun::Lead { execution, .. } = cache.begin(&key("a"), one, "leader", start) else {
        panic!("it is new")
    };
    assert_eq!(
        cache.begin(&key("a"), other, "other", start),
        Begun::Conflict { caller: "other" },
        "in flight"
    );
    assert_eq!(cache.begin(&key("a"), one, "follower", start), Begun::Follow);
    let (execution, _) = cache.abandon(&key("a"), execution).expect("a follower takes over");
    assert_eq!(
        cache.begin(&key("a"), other, "other", start),
        Begun::Conflict { caller: "other" },
        "taken over"
    );
    cache.complete(&key("a"), execution, 7, start);
    assert_eq!(cache.begin(&key("a"), other, "other", start), Begun::Conflict { caller: "other" }, "stored");
    assert!(matches!(cache.begin(&key("a"), one, "same", start), Begun::Replay { value: 7, .. }));
    assert!(matches!(cache.begin(&key("a"), other, "late", start + TTL), Begun::Lead { expired: true, .. }));
}
