//! Sessions and fault plans under load: exact counts, isolation, and nothing left behind.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use fastrand::Rng;
use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;
use workspace_tests::{RawConnection, Session, TestServer, answer, seed};

const CONNECTIONS: usize = 64;
const EACH: usize = 25;

async fn four_workers() -> TestServer {
    TestServer::builder().flag("--workers", 4).start().await
}

/// Sends `requests` GETs on each of [`CONNECTIONS`] connections at once, in bursts of pipelined requests, and returns
/// the statuses by connection. `headers` are those of the n-th request of a connection.
async fn statuses(
    server: &TestServer,
    path: &str,
    rng: &mut Rng,
    headers: impl Fn(usize, usize) -> String,
) -> Vec<Vec<u16>> {
    let mut connections = Vec::new();
    for number in 0..CONNECTIONS {
        connections.push((number, server.connect().await, rng.fork()));
    }
    let run = |(number, mut connection, mut rng): (usize, RawConnection, Rng)| {
        let headers = &headers;
        async move {
            let mut seen = Vec::new();
            while seen.len() < EACH {
                let burst = rng.usize(1..=4).min(EACH - seen.len());
                for n in seen.len()..seen.len() + burst {
                    connection.request("GET", path, &headers(number, n)).await;
                }
                for _ in 0..burst {
                    seen.push(connection.response().await.status);
                }
            }
            seen
        }
    };
    join_all(connections.into_iter().map(run)).await
}

/// How often each status was seen.
fn histogram<'a>(statuses: impl IntoIterator<Item = &'a u16>) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for status in statuses {
        *counts.entry(*status).or_default() += 1;
    }
    counts
}

fn script(steps: usize) -> (Vec<u16>, Value) {
    let steps: Vec<u16> = (0..steps).map(|n| 400 + u16::try_from(n % 190).expect("it is small")).collect();
    let script = json!(steps);
    (steps, script)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_of_a_script_is_injected_once_whatever_the_interleaving() {
    let mut rng = seed::rng();
    let server = four_workers().await;
    let (steps, script) = script(1000);
    let plan = json!({ "rules": [{ "script": script }] });
    let session = Session::with_plan(&server, plan).await;
    let seen = statuses(&server, &format!("/s/{}/msg", session.id), &mut rng, |_, _| String::new()).await;
    let mut expected = histogram(&steps);
    expected.insert(200, CONNECTIONS * EACH - 1000);
    assert_eq!(histogram(seen.iter().flatten()), expected);
    // What one connection sees in turn comes in the order of the script.
    let rising = |seen: &Vec<u16>| {
        let mut rest = steps.iter();
        seen.iter().take_while(|status| **status != 200).all(|status| rest.any(|step| step == status))
    };
    assert!(seen.iter().all(rising));
    let shown = session.plan().await;
    assert_eq!(shown["rules"][0], json!({"name": null, "matched": CONNECTIONS * EACH, "injected": 1000}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_connection_gets_its_own_steps_in_order() {
    let mut rng = seed::rng();
    let server = four_workers().await;
    let (steps, script) = script(20);
    let plan = json!({ "rules": [{ "per": "connection", "script": script }] });
    let session = Session::with_plan(&server, plan).await;
    let seen = statuses(&server, &format!("/s/{}/echo", session.id), &mut rng, |_, _| String::new()).await;
    let expected = [steps, vec![200; EACH - 20]].concat();
    assert!(seen.iter().all(|seen| *seen == expected), "{seen:?}");
    let shown = session.plan().await["rules"][0].clone();
    assert_eq!(
        (&shown["matched"], &shown["injected"]),
        (&json!(CONNECTIONS * EACH), &json!(CONNECTIONS * 20))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_gets_its_own_steps_also_from_many_connections_at_once() {
    let mut rng = seed::rng();
    let server = four_workers().await;
    let (steps, script) = script(90);
    let plan = json!({ "rules": [{ "per": "key", "script": script }] });
    let session = Session::with_plan(&server, plan).await;
    // Sixteen keys, each on four connections: a hundred requests a key.
    let key = |connection: usize, _| format!("Idempotency-Key: k{}\r\n", connection % 16);
    let seen = statuses(&server, &format!("/s/{}/msg", session.id), &mut rng, key).await;
    let mut expected = histogram(&steps);
    expected.insert(200, 10);
    for number in 0..16 {
        let of_key = seen.iter().enumerate().filter(|(connection, _)| connection % 16 == number);
        assert_eq!(histogram(of_key.flat_map(|(_, seen)| seen)), expected, "key {number}");
    }
    let shown = session.plan().await["rules"][0].clone();
    assert_eq!((&shown["matched"], &shown["injected"]), (&json!(CONNECTIONS * EACH), &json!(16 * 90)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_seed_gives_the_same_faults_on_one_worker_and_on_four_and_the_preview_tells_them() {
    let mut rng = seed::rng();
    let plan = json!({ "seed": rng.u64(..1 << 53), "rules": [
        { "probability": 0.2, "fault": 503 }, { "probability": 0.3, "fault": 429 }, { "per": "key", "probability": 0.5, "fault": 418 },
    ] });
    let mut outcomes = Vec::new();
    for workers in [1, 4] {
        let server = TestServer::builder().flag("--workers", workers).start().await;
        for _ in 0..2 {
            let session = Session::with_plan(&server, plan.clone()).await;
            let ask = json!({ "requests": CONNECTIONS * EACH, "method": "GET", "path": "/msg" });
            let previewed = answer(session.post("/faults/preview").json(&ask)).await;
            let fault = |previewed: &Value| {
                previewed["fault"].as_str().map_or(200, |short| short.parse().expect("a status"))
            };
            let previewed: Vec<u16> =
                previewed.body["requests"].as_array().expect("a list").iter().map(fault).collect();
            let path = format!("/s/{}/msg", session.id);
            let seen = statuses(&server, &path, &mut rng, |_, _| String::new()).await;
            let counts = histogram(seen.iter().flatten());
            assert_eq!(counts, histogram(&previewed), "the preview said so");
            assert!(counts.keys().eq([200, 429, 503].iter()), "each outcome occurs: {counts:?}");
            // The same key meets the same faults whatever happens between.
            let mut of_key = Vec::new();
            for _ in 0..10 {
                let asked =
                    answer(session.get("/msg").header("Idempotency-Key", "k").header("X-Fault", "ok"));
                assert_eq!(asked.await.status, 200, "the header takes no step");
            }
            for key in ["a", "b"] {
                for _ in 0..10 {
                    of_key.push(answer(session.get("/echo").header("Idempotency-Key", key)).await.status);
                }
            }
            outcomes.push((previewed, counts, of_key));
        }
    }
    assert!(outcomes.windows(2).all(|pair| pair[0] == pair[1]), "{outcomes:?}");
}

/// What one session of many does, and what it must see.
async fn use_alone(session: Session, number: usize) -> Vec<Uuid> {
    let failures = number % 4;
    assert_eq!(answer(session.post(&format!("/fail/count/{failures}"))).await.status, 200);
    let step = 400 + number % 100;
    let mut expected = vec![500; failures];
    // The plan's step comes next, then a delay that takes the only slot, then nothing more.
    expected.extend([u16::try_from(step).expect("a status"), 200, 200]);
    let put = session.put_plan(&json!({ "rules": [{ "script": [step, "delay:50"] }] })).await;
    assert_eq!(put.status, 200);
    assert_eq!(session.statuses("/msg", expected.len()).await, expected, "session {number}");
    let keyed = || answer(session.get("/msg").header("Idempotency-Key", "same-key-everywhere"));
    let (first, second) = (keyed().await, keyed().await);
    assert!(!first.is_replayed() && second.is_replayed(), "session {number}");
    assert_eq!(first.message_id(), second.message_id());
    let other = answer(session.get("/echo").header("Idempotency-Key", "same-key-everywhere")).await;
    assert_eq!(other.status, 422);
    assert_eq!(session.plan().await["rules"][0]["matched"], 6, "session {number}");
    vec![first.message_id()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_sessions_at_once_see_nothing_of_each_other() {
    let server = four_workers().await;
    let mut sessions = Vec::new();
    for _ in 0..1000 {
        sessions.push(Session::open(&server, json!({ "max_concurrency": 1 })).await);
    }
    // One client for all of them keeps the number of connections small, and 64 at a time keep them busy.
    let used = futures::StreamExt::buffer_unordered(
        futures::stream::iter(sessions.into_iter().enumerate().map(|(n, session)| use_alone(session, n))),
        64,
    );
    let ids: Vec<Vec<Uuid>> = futures::StreamExt::collect(used).await;
    let distinct: HashSet<Uuid> = ids.into_iter().flatten().collect();
    assert_eq!(distinct.len(), 1000, "each session has executed its key itself");
    let root = answer(server.get("/sessions/default")).await;
    assert_eq!(root.body["requests"], 0);
}

#[tokio::test]
async fn a_session_whose_slots_are_all_taken_holds_up_no_other() {
    let server = TestServer::verbose().flag("--max-concurrency", 1).start().await;
    let full = Session::open(&server, json!({ "max_concurrency": 1 })).await;
    let other = Session::open(&server, json!({})).await;
    let mut running = server.connect().await;
    running.request("GET", &format!("/s/{}/msg?delay=25000", full.id), "").await;
    server.delayed("delay=25000").await;
    assert_eq!(other.statuses("/msg", 3).await, [200; 3]);
    assert_eq!(answer(server.get("/msg")).await.status, 200);
    assert_eq!(answer(full.get("/fail/status")).await.status, 200, "the control plane needs no slot");
}

/// Makes and ends `count` sessions, 32 at a time, each used once.
async fn churn(server: &TestServer, count: usize) {
    let client = workspace_tests::http::client();
    let one = |_| {
        let client = client.clone();
        async move {
            let created = answer(client.post(server.url("/sessions"))).await;
            assert_eq!(created.status, 201, "{created:#?}");
            let id = created.body["id"].as_str().expect("an id").to_owned();
            let used = answer(client.get(server.url(&format!("/s/{id}/msg"))).header("Idempotency-Key", "k"));
            assert_eq!(used.await.status, 200);
            let deleted = answer(client.delete(server.url(&format!("/sessions/{id}")))).await;
            assert_eq!(deleted.status, 204);
        }
    };
    let all = futures::StreamExt::buffer_unordered(futures::stream::iter((0..count).map(one)), 32);
    futures::StreamExt::for_each(all, |()| async {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_sessions_made_and_deleted_leave_memory_and_descriptors_where_they_were() {
    let server = TestServer::builder().flag("--workers", 2).start().await;
    churn(&server, 2_000).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = server.footprint();
    churn(&server, 10_000).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let after = server.footprint();
    println!("before {before:?}, after {after:?}");
    assert!(after.resident < before.resident + (4 << 20), "before {before:?}, after {after:?}");
    assert!(after.descriptors <= before.descriptors + 32, "before {before:?}, after {after:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_session_takes_at_most_16_kibibytes() {
    let server = TestServer::builder().flag("--max-sessions", 5000).start().await;
    churn(&server, 200).await;
    let before = server.footprint();
    for _ in 0..2_000 {
        assert_eq!(answer(server.post("/sessions")).await.status, 201);
    }
    let each = (server.footprint().resident.saturating_sub(before.resident)) / 2_000;
    println!("{each} bytes a session");
    assert!((500..16_384).contains(&each), "{each} bytes a session");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_expires_between_two_requests_and_never_during_one() {
    let server = four_workers().await;
    let mut rng = seed::rng();
    let run = |pauses: Vec<u64>| {
        let server = &server;
        async move {
            let session = Session::open(server, json!({ "ttl_seconds": 1 })).await;
            let mut connection = server.connect().await;
            let mut has_ended = false;
            for pause in pauses {
                tokio::time::sleep(Duration::from_millis(pause)).await;
                // The second request begins at the end of the first, whatever the load.
                connection.request("GET", &format!("/s/{}/msg?delay=1100", session.id), "").await;
                connection.request("GET", &format!("/s/{}/msg", session.id), "").await;
                let found = [connection.response().await.status, connection.response().await.status];
                let expected: &[[u16; 2]] = if has_ended { &[[404; 2]] } else { &[[200; 2], [404; 2]] };
                assert!(expected.contains(&found), "{found:?}");
                has_ended |= found == [404; 2];
            }
        }
    };
    let pauses: Vec<Vec<u64>> = (0..100).map(|_| (0..4).map(|_| rng.u64(900..1100)).collect()).collect();
    join_all(pauses.into_iter().map(run)).await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let list = answer(server.get("/sessions")).await;
    assert_eq!(list.body["sessions"].as_array().map(Vec::len), Some(1), "{list:#?}");
}
