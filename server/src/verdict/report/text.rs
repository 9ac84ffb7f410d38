//! A verdict as text.

use std::fmt::Write;

use crate::verdict::{Overall, Verdict};

/// The verdict as lines of text.
#[must_use]
pub fn text(verdict: &Verdict) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_text(&mut out, verdict);
    out
}

fn write_text(out: &mut String, verdict: &Verdict) -> std::fmt::Result {
    let word = match verdict.verdict {
        Overall::Pass => "PASS",
        Overall::Warn => "WARN",
        Overall::Fail => "FAIL",
    };
    writeln!(
        out,
        "{word}: {} requests in {} calls ({} attempts a call), {} connections, {} in flight at most",
        verdict.requests,
        verdict.calls.len(),
        verdict.amplification,
        verdict.connections,
        verdict.peak_concurrent
    )?;
    for finding in &verdict.findings {
        writeln!(out, "\n{} {}: {}", finding.severity.name(), finding.id.id(), finding.message)?;
        writeln!(out, "     the client {}; requests {:?}", finding.id.does(), finding.evidence)?;
        writeln!(out, "     {}", finding.link)?;
    }
    if verdict.incomplete {
        writeln!(
            out,
            "\nincomplete: {} requests are forgotten; findings that need them are left out",
            verdict.forgotten
        )?;
    }
    if !verdict.in_flight.is_empty() {
        writeln!(out, "\nstill in flight: {:?}", verdict.in_flight)?;
    }
    Ok(())
}
