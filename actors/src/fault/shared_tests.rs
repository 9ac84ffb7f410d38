//! Plans shared by several servers, over a real store. Decisions are held against those of the plan in memory.

use std::sync::Mutex;
use std::time::Instant;

use futures::future::join_all;

use super::super::handle::{FaultHandle, shared};
use super::super::matcher::tests::Sent;
use super::super::plan::FaultPlan;
use super::super::{Delay, Glob, KeyBudget, Matcher, RateLimit, Rule, Step, Then, Window};
use super::*;
use crate::store::testing::RedisServer;

/// The plans of these tests: as it was written, a plan is its place here.
static PLANS: Mutex<Vec<Rules<u32>>> = Mutex::new(Vec::new());

fn read(source: &str, seed: u64) -> Option<Rules<u32>> {
    let plan = PLANS.lock().unwrap().get(source.parse::<usize>().ok()?)?.clone();
    Some(Rules { seed, source: source.into(), ..plan })
}

fn rules(seed: u64, rules: Vec<Rule<u32>>) -> Arc<Rules<u32>> {
    let mut plans = PLANS.lock().unwrap();
    let written = Rules { seed, source: plans.len().to_string().into(), rules };
    plans.push(written.clone());
    Arc::new(written)
}

async fn three(redis: &RedisServer) -> [FaultHandle<u32>; 3] {
    let join = async || shared(redis.place().await, read, "test");
    [join().await, join().await, join().await]
}

fn fault(number: u32) -> Step<u32> {
    Step { delay: None, fault: Some(number) }
}

fn rule(action: Action<u32>) -> Rule<u32> {
    Rule { name: None, matcher: Matcher::default(), action, window: None, times: None }
}

fn script(per: Per, steps: &[Step<u32>], then: Then) -> Rule<u32> {
    rule(Action::Script { per, steps: steps.to_vec(), then })
}

async fn next(faults: &FaultHandle<u32>, request: &Sent) -> Option<u32> {
    faults.decide(request, 0).await.unwrap()?.fault().copied()
}

#[actix_rt::test]
async fn a_script_is_followed_step_by_step_over_three_servers() {
    let Some(redis) = RedisServer::start() else { return };
    let servers = three(&redis).await;
    let steps: Vec<Step<u32>> = (0..100).map(fault).collect();
    servers[0].replace(rules(1, vec![script(Per::Session, &steps, Then::Pass)])).await.unwrap();
    for n in 0..50_u32 {
        assert_eq!(next(&servers[n as usize % 3], &Sent::default()).await, Some(n));
    }
    let requests = (0..60).map(async |n: usize| next(&servers[n % 3], &Sent::default()).await);
    let mut rest: Vec<u32> = join_all(requests).await.into_iter().flatten().collect();
    rest.sort_unstable();
    assert_eq!(rest, (50..100).collect::<Vec<u32>>(), "each step once");
    let report = servers[2].report().await.unwrap().unwrap();
    assert_eq!(report.status.rules, [RuleStatus { matched: 110, injected: 100 }]);
}

#[actix_rt::test]
async fn a_plan_that_is_put_or_ended_is_known_to_all_servers() {
    let Some(redis) = RedisServer::start() else { return };
    let servers = three(&redis).await;
    let plan = |number| rules(1, vec![script(Per::Session, &[fault(number)], Then::Last)]);
    for n in 0..60_u32 {
        let [here, there] = [n as usize % 3, (n as usize + 1) % 3];
        servers[here].replace(plan(n)).await.unwrap();
        assert_eq!(next(&servers[there], &Sent::default()).await, Some(n));
        if n % 5 == 0 {
            servers[there].clear().await.unwrap();
            assert_eq!(next(&servers[here], &Sent::default()).await, None);
            assert!(servers[here].report().await.unwrap().is_none());
        }
    }
}

#[actix_rt::test]
async fn what_a_plan_makes_hang_ends_with_it_on_all_servers() {
    let Some(redis) = RedisServer::start() else { return };
    let servers = three(&redis).await;
    servers[0].replace(rules(1, vec![script(Per::Session, &[fault(7)], Then::Last)])).await.unwrap();
    let hanging = servers[1].decide(&Sent::default(), 0).await.unwrap().unwrap();
    servers[2].clear().await.unwrap();
    hanging.plan_ended().await;
}

#[actix_rt::test]
async fn a_request_that_no_rule_matches_and_one_without_a_plan_take_no_step() {
    let Some(redis) = RedisServer::start() else { return };
    let servers = three(&redis).await;
    assert_eq!(next(&servers[0], &Sent::default()).await, None);
    let matcher = Matcher { path: Some(Glob::new("/other")), ..Matcher::default() };
    let other = Rule { matcher, ..script(Per::Session, &[fault(1)], Then::Last) };
    servers[0].replace(rules(1, vec![other])).await.unwrap();
    assert_eq!(next(&servers[1], &Sent { path: "/msg", ..Sent::default() }).await, None);
    assert_eq!(servers[2].report().await.unwrap().unwrap().status.rules, [RuleStatus::default()]);
    assert_eq!(next(&servers[2], &Sent { path: "/other", ..Sent::default() }).await, Some(1));
}

#[actix_rt::test]
async fn a_rate_holds_over_all_servers_and_a_refusal_says_when_one_is_admitted() {
    let Some(redis) = RedisServer::start() else { return };
    let servers = three(&redis).await;
    let limit = RateLimit { per_second: 0.1, burst: 5 };
    servers[0].replace(rules(1, vec![rule(Action::RateLimit(limit))])).await.unwrap();
    let request = Sent::default();
    let asked = join_all((0..30).map(|n| servers[n % 3].decide(&request, 0))).await;
    let effects: Vec<Effect> =
        asked.into_iter().map(|asked| asked.unwrap().unwrap().decision.effect).collect();
    let refused: Vec<Duration> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Refuse { retry_after } => Some(*retry_after),
            Effect::Pass | Effect::Inject => None,
        })
        .collect();
    assert_eq!(refused.len(), 25);
    let ten = Duration::from_secs(10);
    assert!(refused.iter().all(|after| *after <= ten), "{refused:?}");
}

#[actix_rt::test]
async fn a_window_opens_and_closes_by_the_time_of_the_store() {
    let Some(redis) = RedisServer::start() else { return };
    let servers = three(&redis).await;
    let seconds = |after, lasts| Window { after: Duration::from_secs(after), lasts };
    let windowed =
        |window, number| Rule { window: Some(window), ..script(Per::Session, &[fault(number)], Then::Last) };
    let later = windowed(seconds(3_000, None), 1);
    let brief = windowed(seconds(0, Some(Duration::from_millis(300))), 2);
    let begun = Instant::now();
    servers[0].replace(rules(1, vec![later, brief])).await.unwrap();
    let mut seen = 0;
    while next(&servers[1], &Sent::default()).await == Some(2) {
        seen += 1;
    }
    assert!(begun.elapsed() >= Duration::from_millis(290), "it closed after {seen} requests");
}

/// A plan of some rules as `random` draws them; no time matters in them.
fn any_plan(random: &mut fastrand::Rng) -> Vec<Rule<u32>> {
    let step = |random: &mut fastrand::Rng| Step {
        delay: random.bool().then(|| match random.u8(0..3) {
            0 => Delay::Fixed(f64::from(random.u32(0..50))),
            1 => Delay::Uniform { min: 1.0, max: 900.0 },
            _ => Delay::LogNormal { median: 50.0, sigma: 0.5 },
        }),
        fault: random.bool().then(|| random.u32(..)),
    };
    let any_rule = |random: &mut fastrand::Rng| {
        let per = [Per::Session, Per::Key, Per::Connection][random.usize(0..3)];
        let action = if random.bool() {
            let steps = (0..random.usize(1..5)).map(|_| step(random)).collect();
            let then = [Then::Pass, Then::Last, Then::Repeat][random.usize(0..3)];
            Action::Script { per, steps, then }
        } else {
            let probability = [0.0, 0.1, 0.5, 0.9, 1.0][random.usize(0..5)];
            Action::Fault { per, step: step(random), probability }
        };
        Rule { times: random.bool().then(|| random.u64(0..6)), ..rule(action) }
    };
    (0..random.usize(1..5)).map(|_| any_rule(random)).collect()
}

#[actix_rt::test]
async fn random_plans_decide_over_three_servers_as_they_do_in_memory() {
    let Some(redis) = RedisServer::start() else { return };
    let servers = three(&redis).await;
    let mut random = fastrand::Rng::with_seed(crate::seed::seed());
    for _ in 0..30 {
        let plan = rules(random.u64(0..1 << 53), any_plan(&mut random));
        servers[0].replace(Arc::clone(&plan)).await.unwrap();
        let mut memory = FaultPlan::new(Arc::clone(&plan), KeyBudget::new(1_000), now());
        let all: Vec<usize> = (0..plan.rules.len()).collect();
        for n in 0..40 {
            let server = random.usize(0..3);
            let (key, connection) = ([None, Some("a"), Some("b")][random.usize(0..3)], random.u64(0..2));
            let sent = Sent { key, ..Sent::default() };
            // In memory, connections of all servers are told apart by their numbers.
            let caller = Caller { key, connection: server as u64 * 10 + connection };
            let previewed = servers[server].preview(&sent, connection, 3).await.unwrap().unwrap().1;
            assert_eq!(previewed, memory.preview(&all, caller, now(), 3), "request {n} of {plan:?}");
            let decided = memory.decide(&all, caller, now());
            memory.commit(&decided);
            let injection = servers[server].decide(&sent, connection).await.unwrap().unwrap();
            assert_eq!(injection.decision, decided.decision, "request {n} of {plan:?}");
        }
        assert_eq!(servers[1].report().await.unwrap().unwrap().status, memory.status());
    }
}

#[actix_rt::test]
async fn every_key_is_below_the_prefix_and_expires() {
    let Some(redis) = RedisServer::start() else { return };
    let [server, ..] = three(&redis).await;
    let per_key = |per| script(per, &[fault(1)], Then::Last);
    server.replace(rules(1, vec![per_key(Per::Key)])).await.unwrap();
    assert_eq!(next(&server, &Sent { key: Some("k"), ..Sent::default() }).await, Some(1));
    let keys: Vec<String> = redis.run("KEYS *");
    assert!(keys.iter().any(|key| key.ends_with(":groups")), "{keys:?}");
    for key in keys {
        assert!(key.starts_with("t:1:0:"), "{key}");
        assert!(redis.run::<i64>(&format!("PTTL {key}")) > 0, "{key}");
    }
}
