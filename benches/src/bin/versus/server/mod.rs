//! The server beside a bare actix-web handler and nginx.
//!
//! * `rows`: what is measured beside what. `subject`: a program under a kind of load.
//! * `sizes`: memory, the time to start, the image.

mod rows;
mod sizes;
mod subject;

use self::rows::{COMPARISONS, Comparison};
use self::subject::Subject;
use crate::load::Load;
use crate::table::{Bound, Pairs, heading, side_by_side};
use crate::{Options, Outcome, Programs, is_installed};

const CONNECTIONS: u32 = 32;

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
        println!("nginx is missing: its rows are left out\n");
    }
    let wanted =
        |comparison: &&Comparison| (has_nginx || !comparison.has_nginx()) && options.wants(comparison.name);
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
    sizes::measure(options, programs)
}

/// Measures a fresh process after a second of warm-up, or more if a large journal or cache is to be filled by it.
fn one_round(subject: &Subject, seconds: u32, programs: &Programs) -> Outcome<Cost> {
    let running = subject.start(programs)?;
    let (server, port) = (&running.server, running.server.port());
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
    while warm < subject.warm_after() {
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
