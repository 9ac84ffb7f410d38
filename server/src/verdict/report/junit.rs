//! A verdict as `JUnit` XML: a test case for each row.

use std::fmt::Write;

use crate::verdict::{Finding, Row, Severity, Verdict};

/// The verdict as `JUnit` XML.
#[must_use]
pub fn junit(verdict: &Verdict) -> String {
    let failures = verdict.findings.iter().filter(|finding| finding.severity == Severity::Fail).count();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string does not fail.
    let _ =
        writeln!(out, "<testsuite name=\"verdict\" tests=\"{}\" failures=\"{failures}\">", Row::ALL.len());
    for row in Row::ALL {
        let finding = verdict.findings.iter().find(|finding| finding.id == row);
        let _ = write_case(&mut out, row, finding);
    }
    out.push_str("</testsuite>\n");
    out
}

fn write_case(out: &mut String, row: Row, finding: Option<&Finding>) -> std::fmt::Result {
    let id = row.id();
    let Some(finding) = finding else {
        return writeln!(out, "  <testcase classname=\"verdict\" name=\"{id}\"/>");
    };
    let message = escaped(&finding.message);
    let details = format!("requests {:?}, see {}", finding.evidence, escaped(&finding.link));
    writeln!(out, "  <testcase classname=\"verdict\" name=\"{id}\">")?;
    match finding.severity {
        Severity::Fail => writeln!(out, "    <failure message=\"{message}\">{details}</failure>")?,
        severity => {
            writeln!(out, "    <system-out>{}: {message}; {details}</system-out>", severity.name())?;
        }
    }
    writeln!(out, "  </testcase>")
}

/// Text that can stand in XML, also in an attribute; what XML cannot hold is replaced.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => {
                out.push(character);
            }
            _ => out.push('\u{fffd}'),
        }
    }
    out
}
