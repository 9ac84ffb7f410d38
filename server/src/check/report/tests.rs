use super::*;
use crate::cases::Case;
use crate::verdict::{Finding, Row, Severity};

fn judged(case: &'static str, result: CaseResult, why: &str) -> Judged {
    Judged { case, result, why: why.to_owned(), exit: Some(0), seconds: 1.5, findings: Vec::new() }
}

fn four() -> Vec<Judged> {
    let mut all = vec![
        judged("steady", CaseResult::Pass, "1 request, exit 0"),
        judged("one-503", CaseResult::Warn, "no-retry: a | b"),
        judged("reset", CaseResult::Fail, "exit 0 <& \"so\"\n*on*"),
        judged("stale", CaseResult::NotApplicable, "it did not come back"),
    ];
    all[2].exit = None;
    all[2].findings = vec![Finding {
        id: Row::KeyMissing,
        severity: Severity::Fail,
        message: "1 < 2".to_owned(),
        evidence: vec![1, 2],
        link: "/findings#key-missing".to_owned(),
    }];
    all
}

#[test]
fn the_text_has_a_line_for_each_case_and_a_sum() {
    let all = [&four()[..2], &four()[3..]].concat();
    let expected = "steady   pass              1.50 s  1 request, exit 0\n\
                    one-503  warn              1.50 s  no-retry: a | b\n\
                    stale    not applicable    1.50 s  it did not come back\n\n\
                    1 pass, 1 warn, 0 fail, 1 not applicable\n";
    assert_eq!(report(&all, Format::Text, Strictness::Fails), expected);
}

#[test]
fn the_json_has_every_field_and_is_one_line() {
    let text = report(&four(), Format::Json, Strictness::Fails);
    assert!(!text.contains('\n'));
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["sum"], serde_json::json!({"pass": 1, "warn": 1, "fail": 1, "not_applicable": 1}));
    let expected = serde_json::json!({
        "case": "reset", "result": "fail", "why": "exit 0 <& \"so\"\n*on*", "exit": null, "seconds": 1.5,
        "findings": [{"id": "key-missing", "severity": "fail", "message": "1 < 2", "evidence": [1, 2],
            "link": "/findings#key-missing"}]
    });
    assert_eq!(json["cases"][2], expected);
    assert_eq!(json["cases"][3]["result"], "not_applicable");
}

#[test]
fn a_warning_is_a_failure_of_junit_only_where_it_is_asked_for() {
    let relaxed = report(&four(), Format::Junit, Strictness::Fails);
    let failure = "<testcase classname=\"check\" name=\"reset\" time=\"1.50\"><failure message=\"exit 0 &lt;&amp; \
                   &quot;so&quot;\n*on*\">fail key-missing: 1 &lt; 2, see /findings#key-missing&#10;</failure></testcase>";
    for expected in [
        "tests=\"4\" failures=\"1\" skipped=\"1\" time=\"6.00\"",
        "name=\"steady\" time=\"1.50\"><system-out>pass: 1 request, exit 0</system-out>",
        "name=\"one-503\" time=\"1.50\"><system-out>warn: no-retry: a | b</system-out>",
        "name=\"stale\" time=\"1.50\"><skipped message=\"it did not come back\"/>",
        failure,
    ] {
        assert!(relaxed.contains(expected), "{expected}\nis not in\n{relaxed}");
    }
    let strict = report(&four(), Format::Junit, Strictness::Warnings);
    assert!(strict.contains("failures=\"2\""), "{strict}");
    assert!(
        strict.contains("name=\"one-503\" time=\"1.50\"><failure message=\"no-retry: a | b\">"),
        "{strict}"
    );
}

#[test]
fn text_in_a_markdown_cell_is_no_markup_and_does_not_end_the_cell() {
    let text = report(&four(), Format::Markdown, Strictness::Fails);
    for expected in [
        "| `one-503` | warn | no-retry: a \\| b |\n",
        "| `reset` | fail | exit 0 &lt;&amp; \"so\" \\*on\\* |\n",
        "| `stale` | not applicable | it did not come back |\n",
        "\n1 pass, 1 warn, 1 fail, 1 not applicable\n",
    ] {
        assert!(text.contains(expected), "{expected}\nis not in\n{text}");
    }
}

#[test]
fn the_list_names_each_case_with_its_reason_and_its_source() {
    let cases: Vec<&Case> = ["steady", "rate-limit"].into_iter().filter_map(Case::named).collect();
    let expected = "steady      An ordinary request succeeds (RFC 9110, 15.3.1)\n\
                    rate-limit  Five clients at once respect a rate limit, and get through (RFC 6585, 4)\n";
    assert_eq!(list(&cases), expected);
}
