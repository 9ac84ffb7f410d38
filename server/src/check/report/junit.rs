//! The report as `JUnit` XML: a test case for each case.

use std::fmt::Write;

use super::{Strictness, Sum};
use crate::check::judge::{CaseResult, Judged};
use crate::verdict::report::escaped;

/// The report as `JUnit` XML.
pub(super) fn junit(judged: &[Judged], strictness: Strictness) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ = write_junit(&mut out, judged, strictness);
    out
}

fn write_junit(out: &mut String, judged: &[Judged], strictness: Strictness) -> std::fmt::Result {
    let failures = judged.iter().filter(|judged| strictness.fails(judged.result)).count();
    let seconds: f64 = judged.iter().map(|judged| judged.seconds).sum();
    let (tests, skipped) = (judged.len(), Sum::of(judged).not_applicable);
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuite name=\"test-server check\" tests=\"{tests}\" failures=\"{failures}\" skipped=\"{skipped}\" \
         time=\"{seconds:.2}\">"
    )?;
    for judged in judged {
        write_case(out, judged, strictness)?;
    }
    writeln!(out, "</testsuite>")
}

fn write_case(out: &mut String, judged: &Judged, strictness: Strictness) -> std::fmt::Result {
    let Judged { case, result, why, seconds, findings, .. } = judged;
    let why = escaped(why);
    write!(out, "  <testcase classname=\"check\" name=\"{case}\" time=\"{seconds:.2}\">")?;
    if strictness.fails(*result) {
        write!(out, "<failure message=\"{why}\">")?;
        for finding in findings {
            let (severity, id) = (finding.severity.name(), finding.id.id());
            write!(
                out,
                "{severity} {id}: {}, see {}&#10;",
                escaped(&finding.message),
                escaped(&finding.link)
            )?;
        }
        write!(out, "</failure>")?;
    } else if *result == CaseResult::NotApplicable {
        write!(out, "<skipped message=\"{why}\"/>")?;
    } else {
        write!(out, "<system-out>{}: {why}</system-out>", result.name())?;
    }
    writeln!(out, "</testcase>")
}
