//! What a server knows, over answers made by hand.

use redis::Value;

use super::*;

fn answer(parts: &[&str]) -> Answer {
    let value = |part: &&str| match *part {
        "-" => Value::Nil,
        part => Value::BulkString(part.as_bytes().to_vec()),
    };
    Answer::read(Value::Array(parts.iter().map(value).collect())).unwrap()
}

fn recorder() -> (Watcher, Arc<Mutex<Vec<Option<String>>>>) {
    let seen: Arc<Mutex<Vec<Option<String>>>> = Arc::default();
    let record = Arc::clone(&seen);
    let watcher: Watcher =
        Arc::new(move |value: Option<&str>| record.lock().unwrap().push(value.map(str::to_owned)));
    (watcher, seen)
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_lease_counts_from_when_it_was_asked_for() {
    let start = Instant::now();
    let knowledge = Knowledge::new(start);
    assert!(!knowledge.is_fresh(start));
    let renewal = answer(&["e", "1000", "1", "1"]);
    knowledge.learn(&Renewal(&renewal), start + SECOND, start + 3 * SECOND / 2, SECOND);
    assert!(knowledge.is_fresh(start + 3 * SECOND / 2));
    assert!(!knowledge.is_fresh(start + 2 * SECOND));
    let (epoch, time) = knowledge.clock(start + 2 * SECOND).unwrap();
    assert_eq!((&*epoch, time), ("e", 1_500), "the time of the store at the least");
}

#[test]
fn watchers_see_the_value_of_their_topic_and_every_change() {
    let start = Instant::now();
    let knowledge = Knowledge::new(start);
    let (watcher, seen) = recorder();
    knowledge.watch("a", &watcher);
    let learn = |parts: &[&str]| knowledge.learn(&Renewal(&answer(parts)), start, start, SECOND);
    assert!(learn(&["e", "0", "1", "1", "a", "1", "b", "2"]));
    assert!(!learn(&["e", "0", "1", "0"]), "nothing is new");
    assert!(learn(&["e", "0", "2", "0", "a", "-"]));
    let (late, seen_late) = recorder();
    knowledge.watch("b", &late);
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(*seen.lock().unwrap(), [None, text("1"), None]);
    assert_eq!(*seen_late.lock().unwrap(), [text("2")]);
    drop(late);
    assert!(learn(&["e", "0", "3", "0", "b", "3"]));
    assert_eq!(seen_late.lock().unwrap().len(), 1, "a watcher that is gone sees nothing");
}

#[test]
fn what_is_not_in_a_whole_answer_has_gone() {
    let start = Instant::now();
    let knowledge = Knowledge::new(start);
    let (watcher, seen) = recorder();
    knowledge.learn(&Renewal(&answer(&["e", "0", "5", "1", "a", "1"])), start, start, SECOND);
    knowledge.watch("a", &watcher);
    knowledge.doubt();
    assert!(!knowledge.is_fresh(start));
    assert_eq!(knowledge.position().1, None, "everything has to be learnt");
    assert!(knowledge.learn(&Renewal(&answer(&["f", "0", "5", "1"])), start, start, SECOND));
    assert_eq!(*seen.lock().unwrap(), [Some("1".to_owned()), None]);
}

#[tokio::test(start_paused = true)]
async fn an_order_waits_for_each_server_or_the_end_of_its_lease() {
    let start = Instant::now();
    let knowledge = Knowledge::new(start);
    knowledge.learn(&Renewal(&answer(&["e", "0", "5", "1"])), start, start, SECOND);
    let servers = || vec![("a".into(), SECOND), ("b".into(), 2 * SECOND)];
    knowledge.note("e", "a", 6);
    knowledge.note("old", "b", 6);
    knowledge.note("e", "b", 5);
    let begun = tokio::time::Instant::now();
    knowledge.known_by(6, servers()).await;
    assert_eq!(begun.elapsed(), 2 * SECOND, "b has not said that it knows");
    knowledge.note("e", "b", 7);
    let begun = tokio::time::Instant::now();
    knowledge.known_by(6, servers()).await;
    assert_eq!(begun.elapsed(), Duration::ZERO);
    // With another epoch, versions begin anew.
    knowledge.learn(&Renewal(&answer(&["f", "0", "1", "1"])), start, start, SECOND);
    let begun = tokio::time::Instant::now();
    knowledge.known_by(1, servers()).await;
    assert_eq!(begun.elapsed(), 2 * SECOND);
}

#[test]
fn a_listener_may_watch_what_it_hears_of() {
    let start = Instant::now();
    let knowledge = Arc::new(Knowledge::new(start));
    let (watcher, seen) = recorder();
    let (own, kept) = (Arc::clone(&knowledge), Arc::clone(&watcher));
    let listener: Listener = Arc::new(move |name: &str, _: Option<&str>| {
        own.watch(&format!("failure:{name}"), &kept);
    });
    knowledge.listen("session", &listener);
    let renewal = answer(&["e", "0", "1", "1", "session:a", "1"]);
    knowledge.learn(&Renewal(&renewal), start, start, SECOND);
    assert_eq!(*seen.lock().unwrap(), [None]);
    knowledge.learn(&Renewal(&answer(&["e", "0", "2", "0", "failure:a", "1"])), start, start, SECOND);
    assert_eq!(*seen.lock().unwrap(), [None, Some("1".to_owned())]);
}
