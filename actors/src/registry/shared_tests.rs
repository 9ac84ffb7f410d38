//! Members shared by several servers, over a real store.

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use super::*;
use crate::store::prepare;
use crate::store::testing::{LIVES, RedisServer, available, eventually};

/// A room that remembers its states, and how many requests have come.
#[derive(Default)]
struct Room {
    settings: String,
    states: Mutex<Vec<u64>>,
    ended: AtomicBool,
    requests: AtomicU64,
}

impl Room {
    fn state(&self) -> Option<u64> {
        self.states.lock().unwrap().last().copied()
    }
}

impl Member for Room {
    fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }
}

impl SharedMember for Room {
    fn enter(&self, state: u64) {
        let mut states = self.states.lock().unwrap();
        if states.last() != Some(&state) {
            states.push(state);
        }
    }

    fn take_requests(&self) -> u64 {
        self.requests.swap(0, Ordering::SeqCst)
    }
}

fn make(_: &Id, state: u64, settings: &str) -> Option<Room> {
    let room = Room { settings: settings.to_owned(), ..Room::default() };
    room.enter(state);
    (settings != "unreadable").then_some(room)
}

async fn join(redis: &RedisServer, capacity: usize) -> SharedMembers<Room> {
    let (store, actor) = prepare(redis.address("t"), "test");
    actor.start();
    let settings = SharedSettings {
        permanent: ("default".into(), Room::default()),
        settings: "of the default".to_owned(),
        lives: LIVES,
        capacity,
        make: Box::new(make),
        log_target: "test",
    };
    let (members, actor) = shared(store.clone(), settings);
    actor.start();
    available(&store).await;
    eventually(async || members.registry.permanent().member.state().is_some()).await;
    members
}

async fn three(redis: &RedisServer) -> [SharedMembers<Room>; 3] {
    [join(redis, 10).await, join(redis, 10).await, join(redis, 10).await]
}

async fn create(members: &SharedMembers<Room>, id: &str) -> Arc<Entry<Room>> {
    members.create(id, LIVES, format!("of {id}")).await.unwrap().unwrap()
}

#[actix_rt::test]
async fn a_member_that_was_made_ended_or_reset_is_so_on_all_servers() {
    let Some(redis) = RedisServer::start() else { return };
    let servers = three(&redis).await;
    for n in 0..30 {
        let [here, there, elsewhere] = [n % 3, (n + 1) % 3, (n + 2) % 3].map(|n: usize| &servers[n]);
        let id = format!("room-{n}");
        assert!(there.registry.find(&id).is_none());
        let made = create(here, &id).await;
        let found = there.registry.find(&id).expect("it is known at once");
        assert_eq!(
            (&found.member.settings, found.member.state()),
            (&format!("of {id}"), made.member.state())
        );
        assert_eq!(elsewhere.create(&id, LIVES, String::new()).await.unwrap().err(), Some(Refused::Taken));

        assert!(elsewhere.reset(&id).await.unwrap());
        let states = found.member.states.lock().unwrap().clone();
        assert!(states.len() == 2 && states[0] < states[1], "{states:?}");
        assert_eq!(found.member.state(), made.member.state());

        assert!(there.remove(&id).await.unwrap());
        assert!(made.member.ended.load(Ordering::SeqCst) && here.registry.find(&id).is_none());
        assert!(!here.remove(&id).await.unwrap() && !here.reset(&id).await.unwrap());
    }
}

#[actix_rt::test]
async fn the_permanent_member_has_one_state_on_all_servers_and_a_reset_replaces_it() {
    let Some(redis) = RedisServer::start() else { return };
    let servers = three(&redis).await;
    let states = || servers.each_ref().map(|server| server.registry.permanent().member.state().unwrap());
    let [first, ..] = states();
    assert_eq!(states(), [first; 3]);
    assert!(servers[1].reset("default").await.unwrap());
    let [second, ..] = states();
    assert!(second > first);
    assert_eq!(states(), [second; 3]);
}

#[actix_rt::test]
async fn a_step_of_a_state_that_was_replaced_changes_nothing() {
    let Some(redis) = RedisServer::start() else { return };
    let [first, second, _] = three(&redis).await;
    let made = create(&first, "a").await;
    let place = StorePlace::new(first.shared.store.clone(), "a", LIVES);
    let of_state = |state: Option<u64>| crate::failure::shared(place.of_state(state.unwrap()));
    let before = of_state(made.member.state());
    before.fail_next(3).await.unwrap();
    let late = before.decide().await.unwrap();
    second.reset("a").await.unwrap();
    let after = of_state(made.member.state());
    assert!(!after.status().await.unwrap().failing(), "nothing is armed after a reset");
    assert_eq!(before.fail_next(1).await, Err(ActorError::Unavailable));
    drop(late);
    after.fail_next(5).await.unwrap();
    assert_eq!(after.status().await.unwrap().count, 5);
    second.remove("a").await.unwrap();
    assert!(after.status().await.is_err());
    let left: Vec<String> = redis.run("KEYS t:1:0:s:a:*");
    assert!(left.is_empty(), "{left:?}");
}

#[actix_rt::test]
async fn there_are_no_more_members_than_there_may_be_over_all_servers() {
    let Some(redis) = RedisServer::start() else { return };
    let servers = [join(&redis, 5).await, join(&redis, 5).await];
    let ids: Vec<String> = (0..20).map(|n| format!("room-{n}")).collect();
    let asked = ids.iter().enumerate().map(|(n, id)| servers[n % 2].create(id, LIVES, String::new()));
    let created = futures::future::join_all(asked).await;
    let (made, refused): (Vec<_>, Vec<_>) = created.into_iter().map(Result::unwrap).partition(Result::is_ok);
    assert_eq!((made.len(), refused.len()), (5, 15));
    for refused in refused {
        let Some(Refused::Full(Full { next_end: Some(next_end) })) = refused.err() else {
            panic!("it is full")
        };
        assert!(next_end <= LIVES && next_end > LIVES / 2, "{next_end:?}");
    }
}

#[actix_rt::test]
async fn a_member_that_is_not_used_ends_and_leaves_no_key_and_one_in_use_stays() {
    let Some(redis) = RedisServer::start() else { return };
    let [first, second, _] = three(&redis).await;
    let brief = Duration::from_millis(900);
    let made = first.create("used", brief, String::new()).await.unwrap().unwrap();
    // In use on one server, and never on the other.
    let in_use = second.registry.use_member("used", now()).unwrap();
    let unused = first.create("unused", brief, String::new()).await.unwrap().unwrap();
    let place = StorePlace::new(first.shared.store.clone(), "unused", brief);
    crate::failure::shared(place.of_state(unused.member.state().unwrap())).fail_next(1).await.unwrap();
    eventually(async || unused.member.ended.load(Ordering::SeqCst)).await;
    eventually(async || first.registry.find("unused").is_none() && second.registry.find("unused").is_none())
        .await;
    let left: Vec<String> = redis.run("KEYS t:1:0:s:unused:*");
    assert!(left.is_empty(), "{left:?}");
    assert!(!made.member.ended.load(Ordering::SeqCst));
    drop(in_use);
    eventually(async || first.registry.find("used").is_none()).await;
}

#[actix_rt::test]
async fn uses_and_requests_are_counted_over_all_servers() {
    let Some(redis) = RedisServer::start() else { return };
    let [first, second, third] = three(&redis).await;
    create(&first, "a").await;
    let read = async || third.read(vec!["a".to_owned(), "none".to_owned()]).await.unwrap();
    let before = read().await;
    assert_eq!(before.len(), 1, "{before:?}");
    for server in [&first, &second] {
        let in_use = server.registry.use_member("a", now()).unwrap();
        in_use.member.requests.fetch_add(2, Ordering::SeqCst);
    }
    eventually(async || read().await[0].requests >= 4).await;
    let after = read().await.remove(0);
    assert!(after.used > before[0].used && after.created == before[0].created);
    assert!(after.ends_in.unwrap() > LIVES / 2);
    assert_eq!(third.read(vec!["default".to_owned()]).await.unwrap()[0].ends_in, None);
}

#[actix_rt::test]
async fn a_store_that_lost_its_data_has_no_members_but_a_new_permanent_one() {
    let Some(mut redis) = RedisServer::start() else { return };
    let [first, second, _] = three(&redis).await;
    let made = create(&first, "a").await;
    redis.stop();
    redis.restart();
    eventually(async || second.registry.find("a").is_none() && first.registry.find("a").is_none()).await;
    assert!(made.member.ended.load(Ordering::SeqCst));
    eventually(async || redis.run::<usize>("EXISTS t:1:0:s:default:session") == 1).await;
    second.freshen().await.unwrap();
    create(&second, "a").await;
    assert!(first.registry.find("a").is_some());
}

#[actix_rt::test]
async fn every_key_is_below_the_prefix_and_expires() {
    let Some(redis) = RedisServer::start() else { return };
    let [first, ..] = three(&redis).await;
    create(&first, "a").await;
    for key in redis.run::<Vec<String>>("KEYS *") {
        assert!(key.starts_with("t:1:0:"), "{key}");
        assert!(redis.run::<i64>(&format!("PTTL {key}")) > 0, "{key}");
    }
}
