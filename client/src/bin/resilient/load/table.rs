//! The results of a load as a table for people. Pure, except that colours depend on the terminal.

use std::fmt::Write;

use console::style;

use super::{
    Ended, Finished,
    report::Latency,
    tally::{Latencies, Tally},
};

/// Renders a summary, and then a row for each outcome.
pub(super) fn render(finished: &Finished) -> String {
    let mut text = summary(finished);
    let heading = format!(
        "{:<20}{:>12}{:>10}{:>12}{:>12}{:>12}{:>12}{:>12}",
        "latency in ms", "requests", "share", "p50", "p90", "p99", "p99.9", "max"
    );
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(text, "\n{}", style(heading).bold());
    let done = finished.tally.done();
    for (name, latencies) in finished.tally.outcomes() {
        let row = row(name, latencies, done);
        let row = if name == Tally::OK { style(row).green() } else { style(row).yellow() };
        let _ = writeln!(text, "{row}");
    }
    let _ = writeln!(text, "{}", row("all", &finished.tally.overall(), done));
    text
}

fn summary(finished: &Finished) -> String {
    let Finished { plan, tally, stats, elapsed, ended } = finished;
    let ended = match ended {
        Ended::Complete => "",
        Ended::Early => ", ended early",
    };
    let pace = plan.rate.map(|rate| format!(", {rate} started each second")).unwrap_or_default();
    let mut text = String::new();
    let mut line = |name: &str, what: String| {
        let _ = writeln!(text, "{name:<20}{what}");
    };
    let seconds = elapsed.as_secs_f64();
    line("requests", format!("{} of {} in {seconds:.3} s{ended}", tally.done(), plan.requests));
    line("at once", format!("{}{pace}", plan.concurrency));
    line("throughput", format!("{:.1} requests a second", finished.throughput()));
    line("retries", stats.retries.to_string());
    line("hedges", stats.hedges.to_string());
    let (opened, half_opened, closed) = (stats.opened, stats.half_opened, stats.closed);
    line("breaker", format!("opened {opened}, half-opened {half_opened}, closed {closed} times"));
    text
}

fn row(name: &str, latencies: &Latencies, done: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "requests are far fewer than 2^52")]
    let share = 100.0 * latencies.len() as f64 / done.max(1) as f64;
    let mut row = format!("{name:<20}{:>12}{:>10}", latencies.len(), format!("{share:.1} %"));
    if let Some(latency) = Latency::of(latencies) {
        for value in [latency.p50, latency.p90, latency.p99, latency.p99_9, latency.max] {
            let _ = write!(row, "{value:>12.3}");
        }
    }
    row
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use resilient_client::Stats;

    use super::{super::plan::Plan, *};

    #[test]
    fn the_table_has_every_figure() {
        console::set_colors_enabled(false);
        let mut tally = Tally::new();
        for ms in 1..=3 {
            tally.add("ok", Duration::from_millis(ms));
        }
        tally.add("server", Duration::from_millis(40));
        let stats = Stats {
            calls: 4,
            retries: 7,
            hedges: 8,
            opened: 1,
            half_opened: 2,
            closed: 3,
            in_flight: 0,
            available_slots: 50,
            slots: 50,
        };
        let plan = Plan { requests: 9, concurrency: 5, rate: Some(2.5) };
        let finished = Finished { plan, tally, stats, elapsed: Duration::from_secs(2), ended: Ended::Early };
        let expected = "\
requests            4 of 9 in 2.000 s, ended early
at once             5, 2.5 started each second
throughput          2.0 requests a second
retries             7
hedges              8
breaker             opened 1, half-opened 2, closed 3 times

latency in ms           requests     share         p50         p90         p99       p99.9         max
ok                             3    75.0 %       2.000       3.001       3.001       3.001       3.001
server                         1    25.0 %      40.031      40.031      40.031      40.031      40.031
all                            4   100.0 %       2.000      40.031      40.031      40.031      40.031
";
        assert_eq!(render(&finished), expected);
    }
}
