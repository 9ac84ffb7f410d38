//! The client beside bare awc, reqwest and tower, against the same bare server.

use crate::process::{Server, free_port, on_processors};
use crate::table::{Bound, Pairs, absolute, heading, median, side_by_side};
use crate::{Options, Outcome, Programs};

const CONCURRENCY: u32 = 32;
const CALLS: u32 = 100_000;
const REFUSALS: u32 = 1_000_000;
const REFUSED: &str = "a call refused by an open breaker";
/// Within the 1024 files that a process may have open.
const CONNECTIONS: u32 = 500;

/// A client, as its program calls it.
#[derive(Clone, Copy)]
enum Client {
    /// Of `client-cost`.
    Ours(&'static str),
    /// Of `others-cost`, which is not part of the workspace.
    Others(&'static str),
}

use Client::{Others, Ours};

/// A client beside its baseline.
struct Comparison {
    name: &'static str,
    subject: Client,
    baseline: Client,
    bound: Bound,
}

const fn compare(name: &'static str, subject: Client, baseline: Client, bound: Bound) -> Comparison {
    Comparison { name, subject, baseline, bound }
}

const BARE: Client = Ours("bare");
const CALL: Client = Ours("call");
const REQWEST: Client = Others("reqwest");
const TOWER: Client = Others("tower");

/// Processor time of calls.
const CPU: [Comparison; 7] = [
    compare("bare awc, with a request id and the body, beside itself", BARE, BARE, Bound::Noise),
    compare("client.get(), on its own arbiter, beside bare awc", CALL, BARE, Bound::AtMost(1.10)),
    compare(
        "a Call message to the client's actor, beside bare awc",
        Ours("message"),
        BARE,
        Bound::AtMost(1.20),
    ),
    compare("client.get(), every feature on, beside bare awc", Ours("everything"), BARE, Bound::AtMost(1.40)),
    compare(
        "client.get(), hedging that is not needed, beside without",
        Ours("hedged"),
        CALL,
        Bound::AtMost(1.15),
    ),
    compare("client.get() beside reqwest with reqwest-retry", CALL, REQWEST, Bound::AtMost(0.75)),
    compare("client.get() beside tower's layers over hyper-util", CALL, TOWER, Bound::None),
];

/// Memory of idle connections.
const IDLE: [Comparison; 4] = [
    compare("an idle connection of bare awc, beside itself", BARE, BARE, Bound::Noise),
    compare("an idle connection, beside bare awc", CALL, BARE, Bound::None),
    compare("an idle connection, beside reqwest with reqwest-retry", CALL, REQWEST, Bound::None),
    compare("an idle connection, beside tower's layers over hyper-util", CALL, TOWER, Bound::None),
];

impl Comparison {
    fn has_others(&self) -> bool {
        [self.subject, self.baseline].iter().any(|client| matches!(client, Others(_)))
    }
}

/// Whether a wanted row needs the clients of others.
pub(crate) fn needs_others(options: &Options) -> bool {
    CPU.iter().chain(&IDLE).any(|comparison| comparison.has_others() && options.wants(comparison.name))
}

pub(crate) fn measure(options: &Options, programs: &Programs) -> Outcome<()> {
    let port = free_port()?;
    let mut server = on_processors("1", &programs.path("bare-server"));
    server.args([port.to_string(), "1".to_owned()]);
    let server = Server::start(server, port)?;
    let run = |client, path, arguments: &[u32]| {
        one_run(programs, client, &format!("http://127.0.0.1:{}{path}", server.port()), arguments)
    };

    let cpu = |client| Ok(run(client, "/msg", &[CALLS, CONCURRENCY])? / 1000.0);
    table(options, programs, "CPU per call", "us", &CPU, cpu)?;
    let idle = |client| Ok(run(client, "/delayed", &[0, CONNECTIONS])? / 1024.0);
    table(options, programs, "memory per idle connection", "KiB", &IDLE, idle)?;
    if options.wants(REFUSED) {
        let refusals: Outcome<Vec<f64>> = (0..options.rounds)
            .map(|_| Ok(run(Ours("refused"), "/msg", &[REFUSALS, CONCURRENCY])? / 1000.0))
            .collect();
        println!("\n{}", absolute(&format!("{REFUSED}, median"), median(refusals?), 0.5, "us"));
    }
    Ok(())
}

/// Measures the wanted rows of a table, and prints it.
fn table(
    options: &Options,
    programs: &Programs,
    what: &str,
    unit: &str,
    comparisons: &'static [Comparison],
    cost: impl Fn(Client) -> Outcome<f64>,
) -> Outcome<()> {
    let wanted = |comparison: &&Comparison| {
        options.wants(comparison.name) && (programs.has_others() || !comparison.has_others())
    };
    let mut rows: Vec<_> =
        comparisons.iter().filter(wanted).map(|comparison| (comparison, Pairs::default())).collect();
    for round in 0..options.rounds {
        for (comparison, pairs) in &mut rows {
            let (subject, baseline) =
                side_by_side(round, || cost(comparison.subject), || cost(comparison.baseline))?;
            pairs.push(subject, baseline);
        }
    }
    if !rows.is_empty() {
        println!("\n{}", heading(what));
    }
    rows.iter().for_each(|(of, pairs)| println!("{}", pairs.row(of.name, unit, of.bound)));
    Ok(())
}

/// Runs a client's program, and returns the number that it prints: nanoseconds a call; without calls, bytes an idle
/// connection.
fn one_run(programs: &Programs, client: Client, url: &str, arguments: &[u32]) -> Outcome<f64> {
    let (program, what) = match client {
        Ours(what) => (programs.path("client-cost"), what),
        Others(what) => (programs.others("others-cost")?, what),
    };
    let mut command = on_processors("0", &program);
    command.args([what, url]).args(arguments.iter().map(u32::to_string));
    if arguments.first() == Some(&0) {
        command.arg("--idle");
    }
    let output = command.output().map_err(|error| format!("{} cannot be run: {error}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let failed =
        |_| format!("{} {what}: {text}{}", program.display(), String::from_utf8_lossy(&output.stderr));
    text.trim().parse().map_err(failed)
}
