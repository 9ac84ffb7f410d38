//! The client beside bare awc, against the same bare server.

use std::process::Command;

use crate::process::{Server, free_port, on_processors};
use crate::table::{Bound, Pairs, absolute, heading, median, side_by_side};
use crate::{Options, Outcome, Programs};

const CONCURRENCY: &str = "32";
const CALLS: u32 = 100_000;
const REFUSALS: u32 = 1_000_000;
const REFUSED: &str = "a call refused by an open breaker";

/// The name of each comparison with bare awc, what is measured, and its bound.
const COMPARISONS: [(&str, &str, Bound); 3] = [
    ("bare awc, with a request id and the body, beside itself", "bare", Bound::Noise),
    ("client.get(), on its own arbiter, beside bare awc", "call", Bound::AtMost(1.15)),
    ("a Call message to the client's actor, beside bare awc", "message", Bound::AtMost(1.50)),
];

pub(crate) fn measure(options: &Options, programs: &Programs) -> Outcome<()> {
    let port = free_port()?;
    let mut server = on_processors("1", &programs.path("bare-server"));
    server.args([port.to_string(), "1".to_owned()]);
    let server = Server::start(server, port)?;

    let wanted = COMPARISONS.iter().filter(|(name, ..)| options.wants(name));
    let mut rows: Vec<_> = wanted.map(|comparison| (comparison, Pairs::default())).collect();
    let mut refused = Vec::new();
    let cost = |what, calls| one_run(programs, server.port(), what, calls);
    for round in 0..options.rounds {
        for ((_, subject, _), pairs) in &mut rows {
            let (subject, baseline) = side_by_side(round, || cost(subject, CALLS), || cost("bare", CALLS))?;
            pairs.push(subject, baseline);
        }
        if options.wants(REFUSED) {
            refused.push(cost("refused", REFUSALS)?);
        }
    }
    if !rows.is_empty() {
        println!("\n{}", heading("CPU per call"));
    }
    for ((name, _, bound), pairs) in &rows {
        println!("{}", pairs.row(name, "us", *bound));
    }
    if !refused.is_empty() {
        println!("\n{}", absolute(&format!("{REFUSED}, median"), median(refused), 1.0, "us"));
    }
    Ok(())
}

/// Measures `calls` calls of one kind: microseconds of processor time for each.
fn one_run(programs: &Programs, port: u16, what: &str, calls: u32) -> Outcome<f64> {
    let mut command: Command = on_processors("0", &programs.path("client-cost"));
    let url = format!("http://127.0.0.1:{port}/msg");
    let output = command
        .args([what, &url, &calls.to_string(), CONCURRENCY])
        .output()
        .map_err(|error| format!("client-cost cannot be run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let nanoseconds: Result<f64, _> = text.trim().parse();
    nanoseconds
        .map(|nanoseconds| nanoseconds / 1000.0)
        .map_err(|_| format!("client-cost {what}: {text}{}", String::from_utf8_lossy(&output.stderr)))
}
