//! No false alarm for the model, and exactly its row for each mutant.

use std::collections::BTreeMap;

use fastrand::Rng;
use test_server::journal::Entry;
use test_server::verdict::{Row, Severity, Verdict};

use crate::journal::{found, judge_as, ms, serious};
use crate::model::{Client, Marking, Protection, Run};
use crate::plan::{Plan, Reply};

/// How many plans the model is run with, and each mutant, unless `PLANS` says otherwise. The tests of a release take
/// 10,000.
const PLANS: u64 = 500;
/// For so many plans of the model each mutant gets one.
const MODELS_A_MUTANT: u64 = 20;

fn plans() -> u64 {
    std::env::var("PLANS").map_or(PLANS, |text| text.parse().expect("PLANS: a number"))
}

/// The seed in `SEED`, or a new one; printed.
fn seed() -> u64 {
    let seed = std::env::var("SEED")
        .map_or_else(|_| fastrand::u64(..), |text| text.parse().expect("SEED: a number"));
    println!("to repeat this run: SEED={seed}");
    seed
}

/// A client, its plan and its policy, and what came of them.
struct Played {
    verdict: Verdict,
    entries: Vec<Entry>,
    shown: String,
}

impl Played {
    fn new(client: Client, plan: Plan, policy: &str, rng: &mut Rng) -> Self {
        let shown = format!("{client:?}\n{plan:?}\npolicy {policy}");
        let mut run = Run::new(client, plan, rng);
        run.play();
        let (entries, grouping) = (std::mem::take(&mut run.world.entries), run.client.grouping());
        Self { verdict: judge_as(entries.clone(), policy, grouping, 0), entries, shown }
    }

    /// A finding, and the requests that it names.
    fn explain(&self, id: &str) -> String {
        let finding = self.verdict.findings.iter().find(|finding| finding.id.id() == id);
        let mut lines = vec![self.shown.clone(), format!("{finding:?}")];
        let mut entries = self.entries.clone();
        entries.sort_by_key(|entry| (entry.at + entry.duration, entry.id));
        let named = |seq: u64| finding.is_some_and(|finding| finding.evidence.contains(&seq));
        let few = entries.len() <= 12;
        for (seq, entry) in (1..).zip(&entries).filter(|(seq, _)| few || named(*seq)).take(24) {
            lines.push(shown(seq, entry));
        }
        lines.join("\n")
    }
}

fn shown(seq: u64, entry: &Entry) -> String {
    let headers: Vec<_> =
        entry.headers().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value))).collect();
    format!(
        "  {seq}: {:?} for {:?} on {}/{} {} {} {headers:?} body {:?}: {:?} {:?} {:?} {:?}",
        entry.at,
        entry.duration,
        entry.connection,
        entry.request_on_connection,
        entry.method(),
        entry.path(),
        entry.body.map(|body| body.sha256[0]),
        entry.fault.as_ref().map(|fault| &fault.short),
        entry.status,
        entry.ended,
        entry.execution,
    )
}

#[test]
fn a_good_client_is_never_blamed() {
    let mut rng = Rng::with_seed(seed());
    let plans = plans();
    let (mut requests, mut calls) = (0, 0);
    let mut alarms: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    for number in 0..plans {
        let client = Client::random(&mut rng);
        let mut plan = Plan::random(&mut rng, &[]);
        if rng.u8(0..5) == 0 {
            plan.then = Some(Reply::Status(503));
        }
        let policy = client.policy(&mut rng);
        let played = Played::new(client, plan, &policy, &mut rng);
        requests += played.verdict.requests;
        calls += played.verdict.calls.len();
        for row in serious(&played.verdict) {
            let first = || (0, format!("run {number}: {}", played.explain(row)));
            alarms.entry(row).or_insert_with(first).0 += 1;
        }
    }
    let counts: BTreeMap<_, _> = alarms.iter().map(|(row, (count, _))| (row, count)).collect();
    println!("{plans} plans and policies, {calls} calls, {requests} requests: false alarms {counts:?}");
    let firsts: Vec<_> = alarms.values().map(|(_, first)| first.as_str()).collect();
    assert!(alarms.is_empty(), "{counts:?}\n{}", firsts.join("\n\n"));
}

/// The client that has one fault, and a plan in which it shows.
fn mutant(row: Row, rng: &mut Rng) -> (Client, Plan) {
    let mut client = Client::random(rng);
    client.mutant = Some(row);
    client.marking = Marking::Header;
    (client.calls, client.workers, client.hedge) = (5, 1, None);
    (client.attempts, client.protection) = (3, Protection::Nothing);
    let mut plan = Plan::random(rng, &[]);
    plan.script = vec![Reply::Status(503), Reply::Ok];
    match row {
        Row::NoRetry => {
            (client.attempts, client.method) = (1, "GET");
            // Five failures in a row may open a breaker, and end the calls that wait.
            client.calls = 4;
            plan = Plan::random(rng, &[Reply::Status(401)]);
            plan.script = vec![Reply::Status(503)];
            client.resends = false;
        }
        Row::RetriedPermanent => plan.script = vec![Reply::Status(404), Reply::Ok],
        Row::RetryAfterIgnored => {
            (client.min_wait, client.max_wait) = (ms(100), ms(1_000));
            plan.script = vec![Reply::After(503, 5), Reply::Ok];
        }
        Row::NoBackoff | Row::FlatBackoff => {
            client.attempts = 5;
            client.calls = 2;
            plan.then = Some(Reply::Status(503));
            plan.script = Vec::new();
        }
        Row::NoJitter => {
            client.calls = 12;
            client.min_wait = ms(rng.u64(100..500));
            plan.script = [Reply::Status(503), Reply::Ok].repeat(12);
        }
        Row::TooManyAttempts => {
            (client.attempts, client.calls) = (12, 1);
            plan.then = Some(Reply::Status(503));
            plan.script = Vec::new();
        }
        Row::RetryStorm | Row::OutageIgnored => {
            client.attempts = if row == Row::RetryStorm { 5 } else { 3 };
            client.calls = 40;
            plan.then = Some(Reply::Status(503));
            plan.script = Vec::new();
        }
        Row::KeyChanged | Row::KeyMissing | Row::ExecutedTwice => client.method = "POST",
        Row::KeyReused => (client.method, client.marking) = ("POST", Marking::Key),
        Row::NoTimeout => {
            client.timeout = None;
            plan.script = vec![Reply::Hang(31_000)];
        }
        Row::BrokenConnectionReused => {
            client.pools = true;
            plan.script = vec![Reply::Extra, Reply::Ok];
        }
        Row::OverlappingAttempts => {
            client.hedge = Some(ms(100));
            (client.timeout, client.method) = (Some(ms(1_000)), "GET");
            plan.script = vec![Reply::Hang(2_000), Reply::Ok];
        }
        Row::ConnectionChurn => {
            (client.pools, client.calls) = (false, 25);
            plan.then = Some(Reply::Ok);
        }
        Row::SlowRetry => (client.min_wait, client.max_wait) = (ms(500), ms(5_000)),
        Row::BodyLost | Row::HeaderLost => {}
    }
    if row == Row::ExecutedTwice {
        plan.script = vec![Reply::Ok, Reply::Ok];
        plan.then = Some(Reply::Ok);
    }
    if matches!(row, Row::BodyLost | Row::HeaderLost) {
        client.method = "PUT";
    }
    (client, plan)
}

/// The policy that a mutant of this row breaks, or promises nothing of.
fn policy(row: Row, client: &Client) -> String {
    match row {
        Row::SlowRetry => {
            let high = client.min_wait.mul_f64(0.5).as_millis();
            format!("{{\"max_wait_ms\": {high}}}")
        }
        _ => "{}".to_owned(),
    }
}

#[test]
fn each_mutant_gets_exactly_its_row() {
    let mut rng = Rng::with_seed(seed());
    let runs = plans().div_ceil(MODELS_A_MUTANT);
    let mut wrong: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    for row in Row::ALL {
        for _ in 0..runs {
            let (client, plan) = mutant(row, &mut rng);
            let policy = policy(row, &client);
            let played = Played::new(client, plan, &policy, &mut rng);
            let expected = if row.severity() == Severity::Note { vec![] } else { vec![row.id()] };
            if serious(&played.verdict) != expected || !found(&played.verdict).contains_key(row.id()) {
                let first = || {
                    let found = found(&played.verdict);
                    let all: Vec<_> = found.keys().map(|id| played.explain(id)).collect();
                    (0, format!("{}: {found:?}\n{}\n{}", row.id(), played.shown, all.join("\n")))
                };
                wrong.entry(row.id()).or_insert_with(first).0 += 1;
            }
        }
    }
    let counts: BTreeMap<_, _> = wrong.iter().map(|(row, (count, _))| (row, count)).collect();
    println!("{} mutants, {runs} plans each: wrong {counts:?}", Row::ALL.len());
    let firsts: Vec<_> = wrong.values().map(|(_, first)| first.as_str()).collect();
    assert!(wrong.is_empty(), "{counts:?}\n{}", firsts.join("\n\n"));
}
