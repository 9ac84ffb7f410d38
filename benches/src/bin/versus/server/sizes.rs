//! Memory, the time to start, and the size of the image.

use std::process::Command;

use super::CONNECTIONS;
use super::subject::Program;
use crate::load::{Load, Script};
use crate::process::{Server, free_port};
use crate::table::{Bound, Pairs, absolute, heading, median, side_by_side};
use crate::{Options, Outcome, Programs};

const START: &str = "exec to first answer, median of 5";
const IDLE: &str = "idle memory, median of 5";
const ENTRY: &str = "a cached entry with a key of 36 bytes";
const IN_FLIGHT: &str = "10,000 in flight for 1 s, beside a bare handler that sleeps";
const IMAGE: &str = "the image of the server";
const MIB: f64 = (1 << 20) as f64;

pub(super) fn measure(options: &Options, programs: &Programs) -> Outcome<()> {
    if options.wants(IN_FLIGHT) {
        println!("\n{}", heading("peak memory"));
        println!("{}", in_flight(options.rounds, programs)?.row(IN_FLIGHT, "MiB", Bound::AtMost(1.00)));
    }
    if options.wants(START) || options.wants(IDLE) {
        println!();
        starts(programs)?;
    }
    if options.wants(ENTRY) {
        entry(programs)?;
    }
    if options.wants(IMAGE) {
        match image() {
            Ok(bytes) => println!("{}", absolute(IMAGE, bytes / 1e6, 15.0, "MB")),
            Err(why) => println!("{IMAGE:<70} not measured: {why}"),
        }
    }
    Ok(())
}

fn start(program: Program, programs: &Programs, extra: &[&str]) -> Outcome<Server> {
    let port = free_port()?;
    let mut command = program.command(programs, port, 0, 2)?;
    command.args(extra);
    Server::start(command, port)
}

fn starts(programs: &Programs) -> Outcome<()> {
    let starts: Outcome<Vec<Server>> = (0..5).map(|_| start(Program::Ours, programs, &[])).collect();
    let starts = starts?;
    let first_answers = starts.iter().map(|server| server.first_answer.as_secs_f64() * 1e3).collect();
    println!("{}", absolute(START, median(first_answers), 20.0, "ms"));
    let idle = starts.iter().map(|server| server.memory() as f64 / MIB).collect();
    println!("{}", absolute(IDLE, median(idle), 8.0, "MiB"));
    Ok(())
}

fn entry(programs: &Programs) -> Outcome<()> {
    let server = start(Program::Ours, programs, &["--cache-max-size", "1000000"])?;
    // 36 bytes a key, all different.
    let script = Script::new(
        "local n = 0\nfunction request() n = n + 1\n  return wrk.format('GET', '/msg', \
         {['X-Request-ID'] = string.format('%036d', n)}) end\n",
    )?;
    let unique = |seconds| Load {
        path: "/msg",
        headers: &[],
        script: Some(script.path().display().to_string()),
        connections: CONNECTIONS,
        seconds,
        processors: "1",
    };
    Load { script: None, ..unique(1) }.run(server.port())?;
    let before = server.memory();
    let stored = unique(6).run(server.port())?.requests;
    let bytes = server.memory().saturating_sub(before) as f64 / stored as f64;
    println!("{}", absolute(&format!("{ENTRY}, over {stored} entries"), bytes, 300.0, "bytes"));
    Ok(())
}

/// The peak of memory, in MiB, while 10,000 requests wait at once.
fn in_flight(rounds: usize, programs: &Programs) -> Outcome<Pairs> {
    let peak = |program, path, extra: &[&str]| -> Outcome<f64> {
        let server = start(program, programs, extra)?;
        let load =
            Load { path, headers: &[], script: None, connections: 10_000, seconds: 5, processors: "1" };
        let report = load.run(server.port())?;
        if report.bad > 0 || report.requests < 10_000 {
            let Load { path, .. } = load;
            return Err(format!("{program:?} {path}: {} answered, {} failed", report.requests, report.bad));
        }
        Ok(server.peak_memory() as f64 / MIB)
    };
    let mut pairs = Pairs::default();
    for round in 0..rounds {
        let (subject, baseline) = side_by_side(
            round,
            || peak(Program::Ours, "/msg?delay=1000", &["--max-concurrency", "10000"]),
            || peak(Program::Bare, "/delayed", &[]),
        )?;
        pairs.push(subject, baseline);
    }
    Ok(pairs)
}

/// The size of the image in bytes, as the engine knows it that `DOCKER` names (`docker` unless set).
fn image() -> Outcome<f64> {
    let engine = std::env::var("DOCKER").unwrap_or_else(|_| "docker".to_owned());
    let mut words = engine.split_whitespace();
    let program = words.next().ok_or("DOCKER is empty")?;
    let inspect = ["image", "inspect", "--format", "{{.Size}}", "actix-test-server"];
    let output = Command::new(program).args(words).args(inspect).output();
    let output = output.map_err(|error| format!("{program} cannot be run: {error}"))?;
    let size = String::from_utf8_lossy(&output.stdout).trim().parse();
    size.map_err(|_| format!("{engine} has no image actix-test-server; make docker-build builds it"))
}
