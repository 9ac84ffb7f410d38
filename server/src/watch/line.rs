//! A request and a finding as a line for people. \[pure\]

use std::fmt::Write;

use serde_json::Value;

use super::judging::Finding;

/// How many requests are named for a finding, and how many characters of a text from a client are shown.
const EVIDENCE: usize = 8;
const LONGEST: usize = 120;

/// What stands at the left: when it came, its number, how it ended, how long it took.
struct Columns<'a> {
    at: f64,
    seq: &'a Value,
    ending: String,
    took: f64,
}

/// The line of a request that has ended; `entry` is one of the journal.
pub(super) fn request(entry: &Value) -> String {
    let columns = Columns {
        at: entry["at_ms"].as_f64().unwrap_or_default() / 1e3,
        seq: &entry["seq"],
        ending: ending(entry),
        took: entry["duration_ms"].as_f64().unwrap_or_default(),
    };
    let Columns { at, seq, ending, took } = columns;
    let seq = format!("#{seq}");
    let mut line = format!("{at:>10.3} s  {seq:<6} {ending:<13} {:>9}  {}", duration(took), target(entry));
    let fault = &entry["fault"];
    let notes = [
        ("fault", &fault["short"]),
        ("rule", &fault["rule"]),
        ("key", &entry["key"]),
        ("call", &entry["headers"]["x-test-call"]),
    ];
    for (name, value) in notes {
        match value {
            Value::Null => {}
            Value::String(text) => drop(write!(line, "  {name} {}", visible(text))),
            other => drop(write!(line, "  {name} {other}")),
        }
    }
    if entry["execution"] == "replayed" {
        line.push_str("  replayed");
    }
    line
}

/// The line of a finding, which is explained below the address `explained`.
pub(super) fn finding(finding: &Finding, explained: &str) -> String {
    let Finding { id, severity, message, evidence } = finding;
    let mut numbers: Vec<String> = evidence.iter().take(EVIDENCE).map(|seq| format!("#{seq}")).collect();
    if evidence.len() > EVIDENCE {
        numbers.push(format!("and {} more", evidence.len() - EVIDENCE));
    }
    let severity = severity.to_uppercase();
    let (id, message) = (visible(id), visible(message));
    format!("{severity} {id}: {message} ({}); see {explained}#{id}", numbers.join(", "))
}

/// The line that says that events were missed.
pub(super) fn missed(data: &Value) -> String {
    format!(
        "{} events missed: they came faster than they were read",
        data["missed"].as_u64().unwrap_or_default()
    )
}

fn ending(entry: &Value) -> String {
    let status = entry["status"].as_u64();
    match (entry["ended"].as_str(), status) {
        (Some("answered"), Some(status)) => status.to_string(),
        (Some("timed_out"), Some(status)) => format!("{status} timed out"),
        (Some(other), _) => visible(&other.replace('_', " ")),
        (None, _) => "unknown".to_owned(),
    }
}

fn target(entry: &Value) -> String {
    let text = |name: &str| entry[name].as_str().unwrap_or_default();
    let query = match text("query") {
        "" => String::new(),
        query => format!("?{query}"),
    };
    visible(&format!("{} {}{query}", text("method"), text("path")))
}

fn duration(milliseconds: f64) -> String {
    match milliseconds {
        ..10.0 => format!("{milliseconds:.1} ms"),
        ..10_000.0 => format!("{milliseconds:.0} ms"),
        _ => format!("{:.1} s", milliseconds / 1e3),
    }
}

/// A text from a client on one line: cut, and with characters that control a terminal or turn the direction of writing
/// as escapes.
fn visible(text: &str) -> String {
    let is_invisible = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
    };
    let mut shown = String::new();
    for character in text.chars().take(LONGEST) {
        match is_invisible(character) {
            true => shown.extend(character.escape_unicode()),
            false => shown.push(character),
        }
    }
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(more: Value) -> Value {
        let mut entry = json!({
            "seq": 7, "at_ms": 1234.5, "method": "GET", "path": "/msg", "query": "", "key": null, "headers": {},
            "fault": null, "status": 200, "execution": "executed", "duration_ms": 0.84, "ended": "answered",
        });
        let Value::Object(more) = more else { panic!("an object") };
        entry.as_object_mut().unwrap().extend(more);
        entry
    }

    #[test]
    fn a_request_is_one_line_with_what_is_known_of_it() {
        let table = [
            (json!({}), "     1.234 s  #7     200              0.8 ms  GET /msg"),
            (
                json!({"query": "delay=5", "duration_ms": 15_000.0, "key": "k", "execution": "replayed"}),
                "     1.234 s  #7     200              15.0 s  GET /msg?delay=5  key k  replayed",
            ),
            (
                json!({"status": null, "ended": "client_left", "fault": {"short": "hang", "rule": 2}}),
                "     1.234 s  #7     client left      0.8 ms  GET /msg  fault hang  rule 2",
            ),
            (
                json!({"status": 408, "ended": "timed_out", "headers": {"x-test-call": "c"}}),
                "     1.234 s  #7     408 timed out    0.8 ms  GET /msg  call c",
            ),
        ];
        for (more, expected) in table {
            assert_eq!(request(&entry(more)), expected);
        }
    }

    #[test]
    fn what_a_client_sends_controls_no_terminal() {
        let hostile = "\u{1b}[2J\u{202e}\n\u{7}x";
        let entry = entry(json!({"path": hostile, "key": hostile, "headers": {"x-test-call": hostile}}));
        let found = Finding {
            id: hostile.to_owned(),
            severity: "fail".to_owned(),
            message: hostile.to_owned(),
            evidence: (1..=10).collect(),
        };
        for line in [request(&entry), finding(&found, "http://a/findings")] {
            assert!(!line.contains(['\u{1b}', '\u{202e}', '\n', '\u{7}']), "{line:?}");
            assert!(line.contains(r"\u{1b}[2J\u{202e}\u{a}\u{7}x"), "{line:?}");
        }
        assert!(finding(&found, "").contains("(#1, #2, #3, #4, #5, #6, #7, #8, and 2 more)"));
        assert_eq!(visible(&"é".repeat(121)), format!("{}…", "é".repeat(120)));
    }
}
