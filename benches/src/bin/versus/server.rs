//! The server beside a bare actix-web handler and nginx.

use std::fs;
use std::process::Command;

use crate::arrange::Arrangement;
use crate::load::{Load, Script};
use crate::process::{Server, free_port, on_processors};
use crate::table::{Bound, Pairs, absolute, heading, median, side_by_side};
use crate::{Options, Outcome, Programs, is_installed};

const CONNECTIONS: u32 = 32;
const NO_HEADERS: &[&str] = &[];
const CACHED: &[&str] = &["X-Request-ID: 6f9619ff-8b86-4011-b42d-00c04fc964ff"];

/// One program under one kind of load.
#[derive(Clone, Copy)]
struct Subject {
    program: Program,
    workers: usize,
    headers: &'static [&'static str],
    /// Asked for by every request.
    target: Target,
    arrangement: Arrangement,
    journal: Journal,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Program {
    Nginx,
    Bare,
    Ours,
}

/// What the load asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Target {
    /// `/msg`.
    Root,
    /// `/msg` in so many sessions, one after the other.
    Sessions(u32),
}

/// The journal of our server.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Journal {
    Off,
    /// As by default.
    On,
    /// Of so many requests.
    Of(u32),
}

const BARE: Subject = Subject {
    program: Program::Bare,
    workers: 1,
    headers: NO_HEADERS,
    target: Target::Root,
    arrangement: Arrangement::Fresh,
    journal: Journal::On,
};
const NGINX: Subject = Subject { program: Program::Nginx, ..BARE };
const OURS: Subject = Subject { program: Program::Ours, ..BARE };

const fn in_sessions(count: u32) -> Subject {
    Subject { target: Target::Sessions(count), arrangement: Arrangement::Sessions(count), ..OURS }
}

const fn with(arrangement: Arrangement) -> Subject {
    Subject { arrangement, ..OURS }
}

/// A program beside its baseline.
struct Comparison {
    name: &'static str,
    subject: Subject,
    baseline: Subject,
    bound: Bound,
}

const fn compare(name: &'static str, subject: Subject, baseline: Subject, bound: Bound) -> Comparison {
    Comparison { name, subject, baseline, bound }
}

const COMPARISONS: [Comparison; 16] = [
    compare("a bare actix-web handler beside itself", BARE, BARE, Bound::Noise),
    compare(
        "GET /msg, journal off, beside a bare handler",
        Subject { journal: Journal::Off, ..OURS },
        BARE,
        Bound::AtMost(1.10),
    ),
    compare("GET /msg beside a bare handler", OURS, BARE, Bound::AtMost(1.15)),
    compare("GET /msg beside nginx with a constant", OURS, NGINX, Bound::AtMost(1.15)),
    compare(
        "GET /msg, cached key, beside a bare handler",
        Subject { headers: CACHED, ..OURS },
        BARE,
        Bound::AtMost(1.30),
    ),
    compare("GET /msg in a session, beside a bare handler", in_sessions(1), BARE, Bound::AtMost(1.20)),
    compare("GET /msg in 100 sessions in turn", in_sessions(100), in_sessions(1), Bound::AtMost(1.10)),
    compare("GET /msg in 10,000 sessions in turn", in_sessions(10_000), in_sessions(1), Bound::AtMost(1.10)),
    compare(
        "GET /msg, 1 rule without a match, beside a bare handler",
        with(Arrangement::Rules(1)),
        BARE,
        Bound::AtMost(1.25),
    ),
    compare(
        "GET /msg, 100 rules without a match, beside a bare handler",
        with(Arrangement::Rules(100)),
        BARE,
        Bound::AtMost(1.50),
    ),
    compare(
        "GET /msg, a script of 1,000 steps, beside one of 1",
        with(Arrangement::Script(1000)),
        with(Arrangement::Script(1)),
        Bound::AtMost(1.10),
    ),
    compare(
        "GET /msg, a full journal of 1,000, beside one of 100",
        Subject { journal: Journal::Of(1000), ..OURS },
        Subject { journal: Journal::Of(100), ..OURS },
        Bound::AtMost(1.02),
    ),
    compare(
        "GET /msg, a full journal of 100,000, beside one of 100",
        Subject { journal: Journal::Of(100_000), ..OURS },
        Subject { journal: Journal::Of(100), ..OURS },
        Bound::AtMost(1.05),
    ),
    compare(
        "a bare handler beside itself, 2 workers",
        Subject { workers: 2, ..BARE },
        Subject { workers: 2, ..BARE },
        Bound::Noise,
    ),
    compare(
        "GET /msg beside a bare handler, 2 workers",
        Subject { workers: 2, ..OURS },
        Subject { workers: 2, ..BARE },
        Bound::None,
    ),
    compare(
        "GET /msg, cached key, beside a bare handler, 2 workers",
        Subject { headers: CACHED, workers: 2, ..OURS },
        Subject { workers: 2, ..BARE },
        Bound::AtMost(1.50),
    ),
];

impl Comparison {
    fn uses(&self, program: Program) -> bool {
        [self.subject.program, self.baseline.program].contains(&program)
    }
}

/// The measurements of one comparison.
#[derive(Default)]
struct Figures {
    cpu: Pairs,
    p99: Pairs,
}

/// What one run of one program measured.
struct Cost {
    /// Processor time for each request.
    microseconds: f64,
    /// Milliseconds.
    p99: f64,
}

pub(crate) fn measure(options: &Options, programs: &Programs) -> Outcome<()> {
    let has_nginx = is_installed("nginx");
    if !has_nginx {
        println!("nginx is missing: its row is left out\n");
    }
    let wanted = |comparison: &&Comparison| {
        (has_nginx || !comparison.uses(Program::Nginx)) && options.wants(comparison.name)
    };
    let mut rows: Vec<_> =
        COMPARISONS.iter().filter(wanted).map(|comparison| (comparison, Figures::default())).collect();
    for round in 0..options.rounds {
        for (comparison, figures) in &mut rows {
            let run = |subject: Subject| move || one_round(&subject, options.seconds, programs);
            let (subject, baseline) = side_by_side(round, run(comparison.subject), run(comparison.baseline))?;
            figures.cpu.push(subject.microseconds, baseline.microseconds);
            figures.p99.push(subject.p99, baseline.p99);
        }
    }
    if !rows.is_empty() {
        println!("{}", heading("CPU per request"));
        rows.iter().for_each(|(of, figures)| println!("{}", figures.cpu.row(of.name, "us", of.bound)));
        println!("\n{}", heading("p99 latency"));
        rows.iter().for_each(|(of, figures)| println!("{}", figures.p99.row(of.name, "ms", Bound::None)));
    }
    if options.only.is_none() {
        println!();
        sizes(programs)?;
    }
    Ok(())
}

/// Measures a fresh process after a second of warm-up, or more if a large journal is to be filled by it.
fn one_round(subject: &Subject, seconds: u32, programs: &Programs) -> Outcome<Cost> {
    let port = free_port()?;
    let server = Server::start(subject.command(programs, port)?, port)?;
    subject.arrangement.arrange(port)?;
    let script = subject.target.script()?;
    let load = |seconds| Load {
        path: "/msg",
        headers: subject.headers,
        script: script.as_ref().map(|script| script.path().display().to_string()),
        connections: CONNECTIONS,
        seconds,
        processors: "1",
    };
    let mut warm = 0;
    while warm < subject.journal.fills_after() {
        warm += load(1).run(port)?.requests.max(1);
    }
    let before = server.cpu();
    let report = load(seconds).run(port)?;
    let used = server.cpu().saturating_sub(before);
    if report.bad > 0 {
        return Err(format!("{:?}: {} requests have failed", subject.program, report.bad));
    }
    Ok(Cost { microseconds: used.as_secs_f64() * 1e6 / report.requests as f64, p99: report.p99 })
}

impl Target {
    /// What makes wrk ask for it; `None` if it does by itself.
    fn script(self) -> Outcome<Option<Script>> {
        let Self::Sessions(count) = self else { return Ok(None) };
        let text = format!(
            "local n, all = 0, {{}}\nfunction init() for i = 0, {count} - 1 do \
             all[i] = wrk.format('GET', '/s/' .. i .. '/msg') end end\n\
             function request() n = n + 1\n  return all[n % {count}] end\n"
        );
        Script::new(&text).map(Some)
    }
}

impl Journal {
    /// After how many requests it is full.
    fn fills_after(self) -> u64 {
        match self {
            Self::Off | Self::On => 1,
            Self::Of(size) => size.into(),
        }
    }

    fn arguments(self) -> Vec<String> {
        match self {
            Self::On => Vec::new(),
            Self::Off => vec!["--journal-size".to_owned(), "0".to_owned()],
            Self::Of(size) => vec!["--journal-size".to_owned(), size.to_string()],
        }
    }
}

impl Subject {
    fn command(&self, programs: &Programs, port: u16) -> Outcome<Command> {
        let mut command = self.program.command(programs, port, self.workers)?;
        if self.program == Program::Ours {
            command.args(self.journal.arguments());
        }
        if let Arrangement::Sessions(count) = self.arrangement {
            command.args(["--max-sessions", &count.to_string()]);
        }
        Ok(command)
    }
}

impl Program {
    /// On the first processor with one worker, on the first two with two; the load generator has the second.
    fn command(self, programs: &Programs, port: u16, workers: usize) -> Outcome<Command> {
        let processors = if workers == 1 { "0" } else { "0,1" };
        let (port, workers) = (port.to_string(), workers.to_string());
        Ok(match self {
            Self::Nginx => nginx(&port)?,
            Self::Bare => {
                let mut command = on_processors(processors, &programs.path("bare-server"));
                command.args([port, workers]);
                command
            }
            // As it comes: every layer, the default configuration, logs at INFO.
            Self::Ours => {
                let mut command = on_processors(processors, &programs.path("test-server"));
                command.args(["serve", "--host", "127.0.0.1", "--port", &port, "--workers", &workers]);
                command
            }
        })
    }
}

/// One process that returns a constant of the same size.
fn nginx(port: &str) -> Outcome<Command> {
    let folder = std::env::temp_dir().join(format!("versus-nginx-{}", std::process::id()));
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let file = folder.join("nginx.conf");
    let text = format!(
        "daemon off; master_process off; pid {0}/pid; error_log {0}/error.log; events {{ worker_connections 1024; }}
         http {{ access_log off; keepalive_requests 100000000; server {{ listen 127.0.0.1:{port};
           location / {{ default_type application/json;
             return 200 '{{\"message_id\":\"6f9619ff-8b86-4011-b42d-00c04fc964ff\"}}'; }} }} }}",
        folder.display()
    );
    fs::write(&file, text).map_err(|error| error.to_string())?;
    let mut command = on_processors("0", "nginx".as_ref());
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").arg("-c").arg(file);
    Ok(command)
}

/// Memory and time to start.
fn sizes(programs: &Programs) -> Outcome<()> {
    let start = |extra: &[&str]| -> Outcome<Server> {
        let port = free_port()?;
        let mut command = Program::Ours.command(programs, port, 2)?;
        command.args(extra);
        Server::start(command, port)
    };
    let starts: Outcome<Vec<Server>> = (0..5).map(|_| start(&[])).collect();
    let starts = starts?;
    let first_answers = starts.iter().map(|server| server.first_answer.as_secs_f64() * 1e3).collect();
    println!("{}", absolute("exec to first answer, median of 5", median(first_answers), 50.0, "ms"));
    let idle = starts.iter().map(|server| server.memory() as f64 / f64::from(1 << 20)).collect();
    println!("{}", absolute("idle memory, median of 5", median(idle), 8.0, "MiB"));
    drop(starts);

    let server = start(&["--cache-max-size", "1000000"])?;
    // 36 bytes a key, all different.
    let script = Script::new(
        "local n = 0\nfunction request() n = n + 1\n  return wrk.format('GET', '/msg', \
         {['X-Request-ID'] = string.format('%036d', n)}) end\n",
    )?;
    let unique = |seconds| Load {
        path: "/msg",
        headers: NO_HEADERS,
        script: Some(script.path().display().to_string()),
        connections: CONNECTIONS,
        seconds,
        processors: "1",
    };
    Load { script: None, ..unique(1) }.run(server.port())?;
    let before = server.memory();
    let stored = unique(6).run(server.port())?.requests;
    let bytes = server.memory().saturating_sub(before) as f64 / stored as f64;
    let what = format!("a cached entry with a key of 36 bytes, over {stored} entries");
    println!("{}", absolute(&what, bytes, 300.0, "bytes"));
    drop(server);

    let server = start(&["--max-concurrency", "10000"])?;
    let delayed = Load {
        path: "/msg?delay=1000",
        headers: NO_HEADERS,
        script: None,
        connections: 10_000,
        seconds: 5,
        processors: "1",
    };
    let report = delayed.run(server.port())?;
    let peak = server.peak_memory() as f64 / f64::from(1 << 20);
    let what = format!(
        "10,000 in flight with delay=1000: {} answered, {} failed; peak memory",
        report.requests, report.bad
    );
    println!("{}", absolute(&what, peak, 100.0, "MiB"));
    Ok(())
}
