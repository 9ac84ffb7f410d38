//! When the first request with a key dies, one of those that wait for it takes over, and none hangs.
//! A dead request's delay is half a minute; a witness that sleeps as long must never be overtaken by it.

use std::collections::HashSet;
use std::time::Duration;

use futures::future::join_all;
use workspace_tests::{Answer, RawConnection, TestServer, answer};

/// How the first request dies.
#[derive(Clone, Copy, Debug)]
enum Death {
    Reset,
    Closed,
}

impl Death {
    fn strike(self, connection: RawConnection) {
        match self {
            Death::Reset => connection.abort(),
            Death::Closed => connection.close(),
        }
    }
}

/// Sends the first request with `key`, which would take half a minute, and returns once it has been received.
async fn leader(server: &TestServer, key: &str) -> RawConnection {
    let mut connection = server.connect().await;
    connection.request("GET", "/msg?delay=30000", &format!("X-Request-ID: {key}\r\n")).await;
    server.wait_for_log("a miss", |line| line.logger() == "server.cache" && line.mentions(key)).await;
    connection
}

/// Answers of `count` followers, of which the leader dies once all have been received.
async fn followers_of_the_dead(server: &TestServer, count: usize, death: Death) -> Vec<Answer> {
    let leader = leader(server, "k").await;
    let followers = join_all((0..count).map(|_| answer(server.get_keyed("/msg?delay=50", "k"))));
    let strike = async {
        let received = || {
            let lines = server.logs();
            lines.iter().filter(|line| line.logger() == "server.request" && line.mentions("k")).count()
        };
        while received() < count + 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        death.strike(leader);
    };
    // Polled together, and nothing else: the server alone decides who is answered.
    futures::join!(followers, strike).0
}

async fn assert_taken_over(death: Death) {
    let server = TestServer::verbose().flag("--workers", 2).flag("--request-timeout", 300).start().await;
    let witness = answer(server.get("/msg?delay=30000"));
    let answers = tokio::select! {
        biased;
        answers = followers_of_the_dead(&server, 10, death) => answers,
        _ = witness => panic!("the followers waited for the dead one's delay"),
    };
    let ids: HashSet<_> = answers.iter().map(Answer::message_id).collect();
    assert_eq!(ids.len(), 1, "{death:?}");
    assert_eq!(answers.iter().filter(|answer| !answer.is_replayed()).count(), 1, "{death:?}: one took over");
    assert!(answer(server.get_keyed("/msg", "k")).await.is_replayed());
}

#[tokio::test]
async fn after_a_reset_of_the_first_connection_one_takes_over() {
    assert_taken_over(Death::Reset).await;
}

#[tokio::test]
async fn after_the_first_client_has_closed_one_takes_over() {
    assert_taken_over(Death::Closed).await;
}

#[tokio::test]
async fn a_dead_request_with_no_one_waiting_leaves_nothing() {
    let server = TestServer::verbose().flag("--request-timeout", 300).start().await;
    for death in [Death::Reset, Death::Closed] {
        leader(&server, &format!("{death:?}")).await.abort();
        // Whether it is noticed before or after this one arrives, this one must not wait half a minute.
        let fresh = answer(server.get_keyed("/msg", &format!("{death:?}"))).await;
        fresh.message_id();
        assert!(!fresh.is_replayed());
    }
}

#[tokio::test]
async fn when_one_after_another_dies_the_next_takes_over() {
    let server = TestServer::verbose().flag("--request-timeout", 300).start().await;
    let witness = answer(server.get("/msg?delay=30000"));
    let chain = async {
        let first = leader(&server, "k").await;
        let mut heirs = Vec::new();
        for _ in 0..5 {
            let mut heir = server.connect().await;
            heir.request("GET", "/msg?delay=30000", "X-Request-ID: k\r\n").await;
            heirs.push(heir);
        }
        let last = tokio::spawn(answer(server.get_keyed("/msg", "k")));
        first.abort();
        for (n, heir) in heirs.into_iter().enumerate() {
            if n % 2 == 0 { heir.abort() } else { heir.close() }
        }
        last.await.expect("an answer")
    };
    tokio::select! {
        biased;
        last = chain => assert!(!last.is_replayed() && last.message_id().get_version_num() == 4),
        _ = witness => panic!("the last one waited for a dead one's delay"),
    }
}

#[tokio::test]
async fn after_the_first_has_timed_out_another_takes_over() {
    let server = TestServer::builder().flag("--request-timeout", 1).flag("--workers", 2).start().await;
    let leader = answer(server.get_keyed("/msg?delay=30000", "k"));
    let followers = (1..=15_u64).map(|n| {
        let server = &server;
        async move {
            tokio::time::sleep(Duration::from_millis(100 * n)).await;
            answer(server.get_keyed("/msg", "k")).await
        }
    });
    let (leader, followers) = futures::join!(leader, join_all(followers));
    assert_eq!(leader.status, 408);
    // One that arrived while the leader lived waits no longer than its own timeout.
    assert!(followers.iter().all(|answer| [200, 408].contains(&answer.status)), "{followers:#?}");
    let successes: Vec<_> = followers.iter().filter(|answer| answer.status == 200).collect();
    assert!(!successes.is_empty());
    assert_eq!(successes.iter().map(|answer| answer.message_id()).collect::<HashSet<_>>().len(), 1);
    assert_eq!(successes.iter().filter(|answer| !answer.is_replayed()).count(), 1);
}

#[tokio::test]
async fn a_follower_that_times_out_leaves_the_first_alone() {
    let server = TestServer::verbose().flag("--request-timeout", 2).start().await;
    let leader = leader(&server, "k").await;
    // The follower's timeout begins later than the leader's: both end in a 408, and a third is fresh.
    let follower = answer(server.get_keyed("/msg?delay=30000", "k")).await;
    assert_eq!(follower.status, 408);
    drop(leader);
    let fresh = answer(server.get_keyed("/msg", "k")).await;
    assert!(!fresh.is_replayed());
    fresh.message_id();
}

#[tokio::test]
async fn a_follower_that_leaves_takes_nothing_from_the_others() {
    let server = TestServer::verbose().start().await;
    let leader = answer(server.get_keyed("/msg?delay=1500", "k"));
    let followers = async {
        server.received("k").await;
        let mut leaving = server.connect().await;
        leaving.request("GET", "/msg", "X-Request-ID: k\r\n").await;
        let staying = tokio::spawn(answer(server.get_keyed("/msg", "k")));
        leaving.abort();
        staying.await.expect("an answer")
    };
    let (leader, follower) = futures::join!(leader, followers);
    assert_eq!(leader.message_id(), follower.message_id());
    assert!(follower.is_replayed());
}
