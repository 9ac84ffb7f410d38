//! The server beside a bare actix-web handler and nginx.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use crate::load::{Load, Report};
use crate::process::{Server, free_port, on_processors};
use crate::table::{median, ratio, verdict};
use crate::{Options, Outcome, Programs, is_installed};

const CONNECTIONS: u32 = 32;
const NO_HEADERS: &[&str] = &[];
const CACHED: &[&str] = &["X-Request-ID: 6f9619ff-8b86-4011-b42d-00c04fc964ff"];

/// One program under one kind of load.
struct Subject {
    name: &'static str,
    program: Program,
    workers: usize,
    headers: &'static [&'static str],
}

#[derive(Clone, Copy, PartialEq)]
enum Program {
    Nginx,
    Bare,
    Ours,
}

const SUBJECTS: [Subject; 6] = [
    Subject { name: "nginx, a constant", program: Program::Nginx, workers: 1, headers: NO_HEADERS },
    Subject { name: "bare handler, 1 worker", program: Program::Bare, workers: 1, headers: NO_HEADERS },
    Subject { name: "test-server, 1 worker", program: Program::Ours, workers: 1, headers: NO_HEADERS },
    Subject {
        name: "test-server, 1 worker, cached key",
        program: Program::Ours,
        workers: 1,
        headers: CACHED,
    },
    Subject { name: "bare handler, 2 workers", program: Program::Bare, workers: 2, headers: NO_HEADERS },
    Subject {
        name: "test-server, 2 workers, cached key",
        program: Program::Ours,
        workers: 2,
        headers: CACHED,
    },
];

/// Processor time per request and latency, a value a round.
#[derive(Default)]
struct Figures {
    microseconds: Vec<f64>,
    p99: Vec<f64>,
}

pub(crate) fn measure(options: &Options, programs: &Programs) -> Outcome<()> {
    let mut figures: BTreeMap<&str, Figures> = BTreeMap::new();
    let has_nginx = is_installed("nginx");
    if !has_nginx {
        println!("nginx is missing: its row is left out\n");
    }
    let wanted = |subject: &&Subject| {
        (has_nginx || subject.program != Program::Nginx)
            && options.only.as_ref().is_none_or(|part| subject.name.contains(part.as_str()))
    };
    let subjects: Vec<&Subject> = SUBJECTS.iter().filter(wanted).collect();
    for _ in 0..options.rounds {
        for subject in &subjects {
            let (cpu, report) = one_round(subject, options.seconds, programs)?;
            let figures = figures.entry(subject.name).or_default();
            figures.microseconds.push(cpu / report.requests as f64);
            figures.p99.push(report.p99);
        }
    }
    println!("{:<40} {:>16} {:>12}", "server", "CPU per request", "p99");
    for subject in &subjects {
        let Figures { microseconds, p99 } = &figures[subject.name];
        println!(
            "{:<40} {:>13.2} us {:>9.2} ms",
            subject.name,
            median(microseconds.clone()),
            median(p99.clone())
        );
    }
    println!();
    for (of, to, bound) in [
        ("test-server, 1 worker", "bare handler, 1 worker", 1.10),
        ("test-server, 1 worker", "nginx, a constant", 1.10),
        ("test-server, 1 worker, cached key", "bare handler, 1 worker", 1.30),
        ("test-server, 2 workers, cached key", "bare handler, 2 workers", 1.50),
    ] {
        if let (Some(a), Some(b)) = (figures.get(of), figures.get(to)) {
            verdict(&format!("{of} / {to}"), ratio(&a.microseconds, &b.microseconds), bound, "");
        }
    }
    if options.only.is_none() {
        println!();
        sizes(programs)?;
    }
    Ok(())
}

/// A fresh process, a second of warm-up, then the measurement. Microseconds of processor time, and the report.
fn one_round(subject: &Subject, seconds: u32, programs: &Programs) -> Outcome<(f64, Report)> {
    let port = free_port()?;
    let server = Server::start(subject.program.command(programs, port, subject.workers)?, port)?;
    let load = |seconds| Load {
        path: "/msg",
        headers: subject.headers,
        script: None,
        connections: CONNECTIONS,
        seconds,
        processors: "1",
    };
    load(1).run(port)?;
    let before = server.cpu();
    let report = load(seconds).run(port)?;
    let used = server.cpu().saturating_sub(before);
    if report.bad > 0 {
        return Err(format!("{}: {} requests have failed", subject.name, report.bad));
    }
    Ok((used.as_secs_f64() * 1e6, report))
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
    verdict("exec to first answer", median(first_answers), 50.0, "ms");
    let idle = starts.iter().map(|server| server.memory() as f64 / f64::from(1 << 20)).collect();
    verdict("idle memory", median(idle), 8.0, "MiB");
    drop(starts);

    let server = start(&["--cache-max-size", "1000000"])?;
    let script = std::env::temp_dir().join(format!("versus-{}.lua", std::process::id()));
    // 36 bytes a key, all different.
    let text = "local n = 0\nfunction request() n = n + 1\n  return wrk.format('GET', '/msg', \
                {['X-Request-ID'] = string.format('%036d', n)}) end\n";
    fs::write(&script, text).map_err(|error| error.to_string())?;
    let unique = |seconds| Load {
        path: "/msg",
        headers: NO_HEADERS,
        script: Some(script.display().to_string()),
        connections: CONNECTIONS,
        seconds,
        processors: "1",
    };
    Load { script: None, ..unique(1) }.run(server.port())?;
    let before = server.memory();
    let stored = unique(6).run(server.port())?.requests;
    let bytes = server.memory().saturating_sub(before) as f64 / stored as f64;
    verdict(&format!("a cached entry with a key of 36 bytes, over {stored} entries"), bytes, 300.0, "bytes");
    let _ = fs::remove_file(script);
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
    verdict(
        &format!(
            "10,000 in flight with delay=1000: {} answered, {} failed; peak memory",
            report.requests, report.bad
        ),
        peak,
        100.0,
        "MiB",
    );
    Ok(())
}
