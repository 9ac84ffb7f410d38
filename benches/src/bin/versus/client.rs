//! The client beside bare awc, against the same bare server.

use std::collections::BTreeMap;
use std::process::Command;

use crate::process::{Server, free_port, on_processors};
use crate::table::{median, ratio, verdict};
use crate::{Options, Outcome, Programs};

const CONCURRENCY: &str = "32";
const REFUSED: &str = "refused";

pub(crate) fn measure(options: &Options, programs: &Programs) -> Outcome<()> {
    let port = free_port()?;
    let mut server = on_processors("1", &programs.path("bare-server"));
    server.args([port.to_string(), "1".to_owned()]);
    let server = Server::start(server, port)?;

    let mut nanoseconds: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for _ in 0..options.rounds {
        for (what, calls) in
            [("bare", 100_000), ("call", 100_000), ("message", 100_000), (REFUSED, 1_000_000)]
        {
            nanoseconds.entry(what).or_default().push(one_run(programs, server.port(), what, calls)?);
        }
    }

    println!("\n{:<40} {:>16}", "client", "CPU per call");
    for (what, name) in [
        ("bare", "bare awc, with a request id and the body"),
        ("call", "client.get(), on its own arbiter"),
        ("message", "a Call message to the client's actor"),
        (REFUSED, "a call refused by an open breaker"),
    ] {
        println!("{name:<40} {:>13.2} us", median(nanoseconds[what].clone()) / 1000.0);
    }
    println!();
    verdict("client.get() / bare awc", ratio(&nanoseconds["call"], &nanoseconds["bare"]), 1.15, "");
    verdict("a Call message / bare awc", ratio(&nanoseconds["message"], &nanoseconds["bare"]), 1.50, "");
    verdict("a call refused by an open breaker", median(nanoseconds[REFUSED].clone()) / 1000.0, 1.0, "us");
    Ok(())
}

fn one_run(programs: &Programs, port: u16, what: &str, calls: u32) -> Outcome<f64> {
    let mut command: Command = on_processors("0", &programs.path("client-cost"));
    let url = format!("http://127.0.0.1:{port}/msg");
    let output = command
        .args([what, &url, &calls.to_string(), CONCURRENCY])
        .output()
        .map_err(|error| format!("client-cost cannot be run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim()
        .parse()
        .map_err(|_| format!("client-cost {what}: {text}{}", String::from_utf8_lossy(&output.stderr)))
}
