//! A journal shared by several servers, over a real store.

use super::super::ByteBudget;
use super::super::handle::{JournalHandle, shared};
use super::super::log::tests::Named;
use super::*;
use crate::clock::now;
use crate::store::testing::RedisServer;

fn write(record: &Named) -> String {
    record.1.to_owned()
}

fn read(text: &str) -> Option<Named> {
    ["first", "second", "third", "a"].into_iter().find(|name| *name == text).map(|name| Named(0, name))
}

struct Server {
    journal: JournalHandle<Named>,
    budget: ByteBudget,
}

async fn join(redis: &RedisServer, max_size: usize, max_bytes: u64, last_id: u64) -> Server {
    let budget = ByteBudget::new(1 << 30);
    let settings = SharedSettings { max_size, max_bytes, last_id, write, read };
    let (journal, appends) = shared(redis.place().await, &settings, &budget);
    appends.start();
    Server { journal, budget }
}

async fn three(redis: &RedisServer, max_size: usize, max_bytes: u64) -> [Server; 3] {
    let join = async |n: u64| join(redis, max_size, max_bytes, n << 32).await;
    [join(1).await, join(2).await, join(3).await]
}

fn record(server: &Server, name: &'static str, count: usize) {
    for _ in 0..count {
        let (open, record) = server.journal.begin(Named(0, name));
        open.end(record, now());
    }
}

async fn kept(server: &Server) -> (Vec<u64>, u64) {
    let page = server.journal.read(0, usize::MAX, |_| true).await.unwrap();
    (page.records.iter().map(Named::seq).collect(), page.forgotten)
}

#[actix_rt::test]
async fn what_has_ended_on_any_server_is_read_at_once_and_numbered_without_gaps() {
    let Some(redis) = RedisServer::start() else { return };
    let servers = three(&redis, 10_000, 1 << 30).await;
    for round in 1..=10 {
        for server in &servers {
            record(server, "a", 30);
        }
        let expected: Vec<u64> = (1..=round * 90).collect();
        assert_eq!(kept(&servers[0]).await, (expected, 0), "round {round}");
    }
    assert!(servers.iter().all(|server| server.budget.used() == 0), "nothing waits here any more");
}

#[actix_rt::test]
async fn records_of_one_server_keep_their_order_and_ids_are_unique() {
    let Some(redis) = RedisServer::start() else { return };
    let [first, second, third] = three(&redis, 10_000, 1 << 30).await;
    let ids = [&first, &second].map(|server| server.journal.begin(Named(0, "a")).1.0);
    assert_eq!(ids, [(1 << 32) + 1, (2 << 32) + 1]);
    for name in ["first", "second", "third"] {
        record(&first, name, 1);
    }
    let page = third.journal.read(0, 2, |_| true).await.unwrap();
    assert_eq!((page.records, page.next), (vec![Named(1, "first"), Named(2, "second")], 2));
    let page = third.journal.read(2, 2, |_| true).await.unwrap();
    assert_eq!((page.records, page.next), (vec![Named(3, "third")], 3));
    let wanted = second.journal.read(0, 1, |record| record.1 == "second").await.unwrap();
    assert_eq!((wanted.records, wanted.next), (vec![Named(2, "second")], 3));
}

#[actix_rt::test]
async fn no_more_records_and_bytes_are_kept_than_there_may_be() {
    let Some(redis) = RedisServer::start() else { return };
    let [first, second, _] = three(&redis, 100, 1 << 30).await;
    record(&first, "a", 70);
    record(&second, "a", 700);
    assert_eq!(kept(&first).await, ((671..=770).collect(), 670));

    let [small, ..] = three(&redis, 100, 300).await;
    record(&small, "a", 50);
    assert_eq!(kept(&small).await, ((791..=820).collect(), 790), "30 records of 10 bytes");
    assert_eq!(redis.run::<u64>("GET t:1:0:journal-bytes"), 300);
}

#[actix_rt::test]
async fn a_server_that_does_not_answer_is_not_waited_for() {
    let Some(redis) = RedisServer::start() else { return };
    let [first, second, _] = three(&redis, 100, 1 << 30).await;
    redis.run::<()>("ZADD t:1:0:live 99999999999999 stopped");
    record(&second, "a", 3);
    assert_eq!(kept(&first).await.0, [1, 2, 3]);
}

#[actix_rt::test]
async fn every_key_is_below_the_prefix_and_expires() {
    let Some(redis) = RedisServer::start() else { return };
    let [first, ..] = three(&redis, 100, 1 << 30).await;
    record(&first, "a", 3);
    kept(&first).await;
    for key in redis.run::<Vec<String>>("KEYS *") {
        assert!(key.starts_with("t:1:0:"), "{key}");
        assert!(redis.run::<i64>(&format!("PTTL {key}")) > 0, "{key}");
    }
}
