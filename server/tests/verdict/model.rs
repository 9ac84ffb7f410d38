//! A model of a good client, with whatever policy, and what its mutants do differently.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use fastrand::Rng;
use test_server::verdict::{Grouping, Row};

use crate::journal::ms;
use crate::plan::Plan;
use crate::world::{Connection, Got, Sent, World};

/// How a client says which requests are of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marking {
    Header,
    Key,
    Session,
    Nothing,
}

/// What keeps a client from retrying everything in an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protection {
    Nothing,
    Breaker { failures: u32, open: Duration },
    Budget,
}

#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) attempts: u32,
    pub(crate) min_wait: Duration,
    pub(crate) factor: f64,
    pub(crate) max_wait: Duration,
    /// By how much of it a wait differs, up or down.
    pub(crate) jitter: f64,
    pub(crate) timeout: Option<Duration>,
    pub(crate) marking: Marking,
    pub(crate) method: &'static str,
    pub(crate) hedge: Option<Duration>,
    pub(crate) protection: Protection,
    pub(crate) resends: bool,
    pub(crate) pools: bool,
    pub(crate) expect: bool,
    pub(crate) calls: usize,
    pub(crate) workers: usize,
    pub(crate) mutant: Option<Row>,
}

impl Client {
    pub(crate) fn random(rng: &mut Rng) -> Self {
        let marking =
            *rng.choice(&[Marking::Header, Marking::Key, Marking::Session, Marking::Nothing]).expect("four");
        let attempts = rng.u32(2..=5);
        let calls = if marking == Marking::Session { 1 } else { rng.usize(1..=60) };
        let breaker = Protection::Breaker { failures: rng.u32(5..=10), open: ms(rng.u64(5_000..30_000)) };
        // Without protection, 50 failed attempts in a row would be an outage that the client ignores.
        let harmless = attempts <= 3 && calls * attempts as usize * 2 < 50;
        let protection = match rng.u8(0..3) {
            0 if harmless => Protection::Nothing,
            1 => Protection::Budget,
            _ => breaker,
        };
        let method = match marking {
            Marking::Nothing => *rng.choice(&["GET", "PUT"]).expect("two"),
            _ => *rng.choice(&["GET", "PUT", "POST", "PATCH"]).expect("four"),
        };
        let idempotent = matches!(method, "GET" | "PUT");
        let min_wait = ms(rng.u64(60..1_000));
        Self {
            attempts,
            min_wait,
            factor: rng.f64() * 1.5 + 1.5,
            max_wait: min_wait * rng.u32(4..50),
            jitter: rng.f64() * 0.25 + 0.05,
            timeout: Some(ms(rng.u64(50..29_000))),
            marking,
            method,
            hedge: (idempotent && rng.u8(0..4) == 0).then(|| ms(rng.u64(50..500))),
            protection,
            resends: rng.bool(),
            pools: rng.u8(0..4) > 0,
            expect: rng.bool(),
            calls,
            workers: rng.usize(1..=4),
            mutant: None,
        }
    }

    /// What it may truly promise.
    pub(crate) fn policy(&self, rng: &mut Rng) -> String {
        let low = self.min_wait.as_secs_f64() * 1e3 * (1.0 - self.jitter);
        let high = self.max_wait.as_secs_f64() * 1e3 * (1.0 + self.jitter);
        let timeout = self.timeout.unwrap_or_default().as_millis();
        let all = [
            format!("\"max_attempts\": {}", self.attempts),
            format!("\"min_wait_ms\": {}", low.floor()),
            format!("\"max_wait_ms\": {}", high.ceil()),
            "\"jitter\": true".to_owned(),
            format!("\"timeout_ms\": {timeout}"),
        ];
        let some: Vec<String> = all.into_iter().filter(|_| rng.bool()).collect();
        format!("{{{}}}", some.join(", "))
    }

    pub(crate) fn grouping(&self) -> Grouping {
        if self.marking == Marking::Session { Grouping::OneCall } else { Grouping::ByRequest }
    }

    fn is(&self, row: Row) -> bool {
        self.mutant == Some(row)
    }

    fn retries_after(&self, status: Option<u16>) -> bool {
        match status {
            None | Some(408 | 425 | 429 | 500 | 502 | 503 | 504) => true,
            Some(status) => self.is(Row::RetriedPermanent) && status >= 400,
        }
    }
}

/// A call under way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Running {
    at: Reverse<Duration>,
    call: usize,
    made: u32,
    refreshed: bool,
}

/// One run of a client against a plan.
pub(crate) struct Run<'r> {
    pub(crate) client: Client,
    pub(crate) plan: Plan,
    pub(crate) world: World,
    pub(crate) rng: &'r mut Rng,
    /// How often the mutant has shown what it does.
    pub(crate) shown: usize,
    pool: Vec<(Duration, Connection)>,
    failures: u32,
    open_until: Duration,
    tokens: f64,
    begun: usize,
}

impl<'r> Run<'r> {
    pub(crate) fn new(client: Client, plan: Plan, rng: &'r mut Rng) -> Self {
        Self {
            client,
            plan,
            world: World::default(),
            rng,
            shown: 0,
            pool: Vec::new(),
            failures: 0,
            open_until: Duration::ZERO,
            tokens: 10.0,
            begun: 0,
        }
    }

    pub(crate) fn play(&mut self) {
        let mut queue: BinaryHeap<Running> = BinaryHeap::new();
        for _ in 0..self.client.workers {
            let at = ms(self.rng.u64(0..50));
            queue.extend(self.next_call(at));
        }
        while let Some(running) = queue.pop() {
            let next = self.step(running);
            queue.extend(next);
        }
    }

    fn next_call(&mut self, at: Duration) -> Option<Running> {
        let call = self.begun;
        self.begun += 1;
        self.tokens = (self.tokens + 0.1).min(10.0);
        (call < self.client.calls).then_some(Running { at: Reverse(at), call, made: 0, refreshed: false })
    }

    /// One attempt; returns what comes next.
    fn step(&mut self, mut running: Running) -> Option<Running> {
        let at = running.at.0;
        let gap = ms(self.rng.u64(1..300));
        if !self.is_permitted(at, running.made) {
            return self.next_call(at + gap);
        }
        running.made += 1;
        let got = self.attempt(&running, at);
        self.learn(got, at);
        if got.status == Some(401) && !running.refreshed {
            running.refreshed = true;
            running.at = Reverse(got.at + ms(1));
            running.made -= 1;
            return Some(running);
        }
        let again = self.client.retries_after(got.status);
        let resend = self.client.is(Row::ExecutedTwice) && got.status == Some(200) && running.made == 1;
        if resend {
            self.shown += 1;
            running.at = Reverse(got.at + ms(300));
            return Some(running);
        }
        let dictated = got.not_before.filter(|_| !self.client.is(Row::RetryAfterIgnored));
        let too_long = dictated.is_some_and(|until| until > got.at + ms(60_000));
        let exhausted = running.made >= self.client.attempts;
        if self.client.is(Row::NoRetry) && again && !too_long {
            self.shown += 1;
        }
        if !again || exhausted || too_long {
            return self.next_call(got.at + gap);
        }
        self.note_retry(got);
        let wait = got.at + self.wait(running.made);
        running.at = Reverse(dictated.map_or(wait, |until| wait.max(until)));
        Some(running)
    }

    fn note_retry(&mut self, got: Got) {
        let shows = match self.client.mutant {
            Some(Row::RetriedPermanent) => !matches!(got.status, None | Some(401 | 408 | 425 | 429 | 500..)),
            Some(Row::RetryAfterIgnored) => got.not_before.is_some(),
            Some(Row::KeyChanged | Row::KeyMissing | Row::BodyLost | Row::HeaderLost) => true,
            _ => false,
        };
        self.shown += usize::from(shows);
    }

    fn is_permitted(&mut self, at: Duration, made: u32) -> bool {
        match self.client.protection {
            Protection::Breaker { failures, open } if self.failures >= failures => {
                if at < self.open_until {
                    return false;
                }
                // One probe.
                self.open_until = at + open;
                true
            }
            Protection::Budget if made > 0 => {
                let granted = self.tokens >= 1.0;
                self.tokens -= if granted { 1.0 } else { 0.0 };
                granted
            }
            _ => true,
        }
    }

    fn learn(&mut self, got: Got, at: Duration) {
        if !matches!(got.status, None | Some(408 | 425 | 429 | 500..)) {
            self.failures = 0;
            return;
        }
        self.failures += 1;
        if let Protection::Breaker { failures, open } = self.client.protection
            && self.failures == failures
        {
            self.open_until = at + open;
        }
    }

    fn wait(&mut self, made: u32) -> Duration {
        let client = &self.client;
        let random = |rng: &mut Rng, jitter: f64| 1.0 + (rng.f64() * 2.0 - 1.0) * jitter;
        match client.mutant {
            Some(Row::NoBackoff) => ms(self.rng.u64(2..12)),
            Some(Row::FlatBackoff) => client.min_wait.mul_f64(random(self.rng, 0.04)),
            mutant => {
                let grown = client.min_wait.mul_f64(client.factor.powi(i32::try_from(made).unwrap_or(9) - 1));
                let jitter = if mutant == Some(Row::NoJitter) { 0.0 } else { client.jitter };
                grown.min(client.max_wait).mul_f64(random(self.rng, jitter))
            }
        }
    }

    fn request(&mut self, running: &Running) -> Sent {
        let (call, retry) = (running.call, running.made > 1 || running.refreshed);
        let client = &self.client;
        let mut headers = vec![("accept", "*/*".to_owned()), ("authorization", "old".to_owned())];
        if running.refreshed {
            headers[1].1 = "new".to_owned();
        }
        if client.is(Row::HeaderLost) && retry {
            headers.remove(0);
        }
        if client.expect && !retry {
            headers.push(("expect", "100-continue".to_owned()));
        }
        if client.marking == Marking::Header {
            headers.push(("x-test-call", format!("c{call}")));
        }
        let keyless = client.is(Row::ExecutedTwice) || (client.is(Row::KeyMissing) && retry);
        let keyed = client.marking == Marking::Key || !matches!(client.method, "GET" | "PUT");
        if keyed && !keyless {
            let key = match client.mutant {
                Some(Row::KeyChanged) => format!("k{call}-{}", self.rng.u64(..)),
                Some(Row::KeyReused) => "k".to_owned(),
                _ => format!("k{call}"),
            };
            headers.push(("idempotency-key", key));
        }
        let path = match client.is(Row::KeyReused) {
            true => format!("/echo/{call}"),
            false => "/echo/a".to_owned(),
        };
        let body = if client.is(Row::BodyLost) && running.made > 1 { 0 } else { 1 };
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Sent { method: client.method, path, headers, body, timeout: client.timeout }
    }

    /// An attempt with its redirects and its hedge.
    fn attempt(&mut self, running: &Running, at: Duration) -> Got {
        let mut sent = self.request(running);
        let got = self.exchange(&sent, at);
        let got = self.hedged(&sent, at, got);
        if !matches!(got.status, Some(303 | 307)) {
            return got;
        }
        "/echo/elsewhere".clone_into(&mut sent.path);
        if got.status == Some(303) {
            sent.method = "GET";
            sent.body = 9;
            sent.headers.retain(|(name, _)| name != "idempotency-key");
        }
        let followed = self.exchange(&sent, got.at + ms(1));
        // A second redirect is as good as an answer.
        Got { status: followed.status.map(|status| if status < 400 { 200 } else { status }), ..followed }
    }

    fn hedged(&mut self, sent: &Sent, at: Duration, first: Got) -> Got {
        let Some(second_at) = self.client.hedge.map(|after| at + after).filter(|second| *second < first.at)
        else {
            return first;
        };
        if matches!(first.status, Some(303 | 307)) {
            return first;
        }
        let second = self.exchange(sent, second_at);
        let (early, late) = if first.at <= second.at { (first, second) } else { (second, first) };
        let decides =
            early.status.is_some_and(|status| status < 300 || !self.client.retries_after(Some(status)));
        if decides {
            if !self.client.is(Row::OverlappingAttempts) {
                self.world.cancel(late.entry, early.at);
            }
            return early;
        }
        let not_before = early.not_before.max(late.not_before);
        // A redirect of the hedge is not followed: what it says is an answer.
        Got {
            not_before,
            status: late.status.map(|status| if matches!(status, 303 | 307) { 200 } else { status }),
            ..late
        }
    }

    /// A request, and what an HTTP library does on its own: it uses connections again, and repeats at once what ended
    /// before a byte on one that had been used.
    fn exchange(&mut self, sent: &Sent, at: Duration) -> Got {
        let idle = self.pool.iter().position(|(since, _)| *since <= at).filter(|_| self.client.pools);
        let connection = match idle {
            Some(index) => self.pool.swap_remove(index).1,
            None => self.world.connect(),
        };
        let reply = self.plan.reply(self.rng);
        let mut got = self.world.send(sent, at, connection, reply);
        if got.unanswered && self.client.resends {
            let connection = self.world.connect();
            let reply = self.plan.reply(self.rng);
            got = self.world.send(sent, got.at + ms(1), connection, reply);
        }
        let careless = self.client.is(Row::BrokenConnectionReused);
        if got.reuse[usize::from(careless)] {
            self.shown += usize::from(careless && !got.reuse[0]);
            self.pool.push((got.at, got.connection));
        }
        got
    }
}
