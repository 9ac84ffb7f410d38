//! What a simulated server does to a simulated client.

use fastrand::Rng;

/// What one request gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    Ok,
    Status(u16),
    /// A status with `Retry-After` in seconds.
    After(u16, u64),
    /// A 503 with `Retry-After` as a date, so many seconds from now.
    Date(u64),
    /// Broken without an answer, by this fault.
    Silent(&'static str),
    /// A broken answer after which the connection is closed.
    Truncate,
    /// A broken answer on a connection that stays open.
    Mangled(&'static str),
    /// A good answer and bytes behind it.
    Extra,
    /// An early 503; the body is not read.
    Early,
    Http10,
    /// No answer for so many milliseconds.
    Hang(u64),
    /// A redirect to another path.
    Redirect(u16),
    /// A good answer on a connection that then goes stale.
    Stale,
    /// Executed, and the answer lost.
    Lost,
    /// Every slot is taken: 408 after 30 s.
    Full,
}

/// How often which reply comes.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// How many of a hundred requests fail.
    percent: u8,
    choice: Vec<Reply>,
    /// Replies to the first requests.
    pub(crate) script: Vec<Reply>,
    /// What every request gets from here on.
    pub(crate) then: Option<Reply>,
}

const ALL: [Reply; 29] = [
    Reply::Status(500),
    Reply::Status(502),
    Reply::Status(503),
    Reply::Status(504),
    Reply::Status(429),
    Reply::Status(408),
    Reply::Status(401),
    Reply::Status(401),
    Reply::Status(404),
    Reply::Status(400),
    Reply::After(429, 1),
    Reply::After(503, 5),
    Reply::After(503, 61),
    Reply::Date(7),
    Reply::Silent("reset"),
    Reply::Silent("close"),
    Reply::Truncate,
    Reply::Mangled("malformed_chunk"),
    Reply::Mangled("garbage"),
    Reply::Extra,
    Reply::Early,
    Reply::Http10,
    Reply::Hang(2_000),
    Reply::Hang(40_000),
    Reply::Redirect(307),
    Reply::Redirect(303),
    Reply::Stale,
    Reply::Lost,
    Reply::Full,
];

impl Plan {
    /// Some of all replies, in a random share of requests.
    pub(crate) fn random(rng: &mut Rng, without: &[Reply]) -> Self {
        let mut choice: Vec<Reply> = ALL.into_iter().filter(|reply| !without.contains(reply)).collect();
        rng.shuffle(&mut choice);
        choice.truncate(rng.usize(1..=choice.len()));
        Self { percent: rng.u8(0..=100), choice, script: Vec::new(), then: None }
    }

    pub(crate) fn reply(&mut self, rng: &mut Rng) -> Reply {
        if !self.script.is_empty() {
            return self.script.remove(0);
        }
        match self.then {
            Some(reply) => reply,
            None if rng.u8(0..100) < self.percent => rng.choice(&self.choice).copied().unwrap_or(Reply::Ok),
            None => Reply::Ok,
        }
    }
}
