//! The cases as data, in the order in which they are reported.

use super::Concerns::{All, Posting, Reusing};
use super::Exit::{AsAnswered, AwaitsAnswer, MayRefuse};
use super::Runs::{Alike, AtOnce, Once};
use super::{Case, Concerns, Exit, Runs};

/// A case that is run once and concerns every client.
const fn once(name: &'static str, why: &'static str, source: &'static str, rules: &'static str) -> Case {
    case(name, why, source, rules, Once, All, AsAnswered)
}

/// A case.
const fn case(
    name: &'static str,
    why: &'static str,
    source: &'static str,
    rules: &'static str,
    runs: Runs,
    concerns: Concerns,
    exit: Exit,
) -> Case {
    Case { name, why, source, rules, runs, concerns, exit }
}

/// Every case.
pub const CASES: [Case; 30] = [
    once("steady", "An ordinary request succeeds", "RFC 9110, 15.3.1", r#"{"rules":[]}"#),
    once(
        "one-503",
        "A temporary failure is retried",
        "RFC 9110, 15.6.4",
        r#"{"rules":[{"script":["503"]}]}"#,
    ),
    once(
        "two-503",
        "A second failure in a row is retried too, after a pause",
        "Amazon Builders' Library: Timeouts, retries, and backoff with jitter",
        r#"{"rules":[{"script":["503","503"]}]}"#,
    ),
    once(
        "500",
        "An internal server error is retried, and is never reported as a success",
        "RFC 9110, 15.6.1",
        r#"{"rules":[{"script":["500"]}]}"#,
    ),
    once("408", "A request timeout is retried", "RFC 9110, 15.5.9", r#"{"rules":[{"script":["408"]}]}"#),
    once(
        "429-seconds",
        "Retry-After in seconds is obeyed",
        "RFC 6585, 4; RFC 9110, 10.2.3",
        r#"{"rules":[{"script":[{"status":429,"retry_after":{"seconds":2}}]}]}"#,
    ),
    once(
        "429-date",
        "Retry-After as a date is obeyed",
        "RFC 9110, 10.2.3 and 5.6.7",
        r#"{"rules":[{"script":[{"status":429,"retry_after":{"date_in_ms":3000}}]}]}"#,
    ),
    once(
        "503-retry-after",
        "Retry-After of a 503 is obeyed too",
        "RFC 9110, 15.6.4 and 10.2.3",
        r#"{"rules":[{"script":[{"status":503,"retry_after":{"seconds":2}}]}]}"#,
    ),
    once(
        "404",
        "A resource that does not exist is not requested again",
        "RFC 9110, 15.5.5",
        r#"{"rules":[{"fault":"404"}]}"#,
    ),
    once(
        "400",
        "An invalid request is not repeated unchanged",
        "RFC 9110, 15.5.1",
        r#"{"rules":[{"fault":"400"}]}"#,
    ),
    once(
        "outage",
        "In an outage the client gives up in time, and reports the failure",
        "Site Reliability Engineering, 22: Addressing Cascading Failures",
        r#"{"rules":[{"fault":"503"}]}"#,
    ),
    once(
        "reset",
        "A connection reset instead of an answer is retried",
        "RFC 9112, 9.3.1 and 9.5",
        r#"{"rules":[{"script":["reset"]}]}"#,
    ),
    once(
        "empty",
        "A connection closed instead of an answer is retried",
        "RFC 9112, 9.3.1",
        r#"{"rules":[{"script":["close"]}]}"#,
    ),
    once(
        "reset-in-body",
        "A body that is cut by a reset is not accepted as complete",
        "RFC 9112, 8",
        r#"{"rules":[{"script":["reset:220"]}]}"#,
    ),
    once(
        "truncated",
        "A body shorter than its Content-Length is not accepted as complete",
        "RFC 9112, 8",
        r#"{"rules":[{"script":["truncate"]}]}"#,
    ),
    once(
        "truncated-chunked",
        "A chunked body without its last chunk is not accepted as complete",
        "RFC 9112, 8",
        r#"{"rules":[{"script":[{"truncate":{"framing":"chunked"}}]}]}"#,
    ),
    once(
        "malformed-chunk",
        "A chunked body with broken framing is an error, and its connection is not reused",
        "RFC 9112, 7.1 and 8",
        r#"{"rules":[{"script":["malformed_chunk"]}]}"#,
    ),
    once(
        "garbage",
        "Bytes that are not HTTP are an error, and their connection is not reused",
        "RFC 9112, 4",
        r#"{"rules":[{"script":["garbage"]}]}"#,
    ),
    case(
        "extra-bytes",
        "Bytes after an answer are not taken for another answer",
        "RFC 9112, 9.2",
        r#"{"rules":[{"script":["extra"]}]}"#,
        Once,
        All,
        MayRefuse,
    ),
    case(
        "early-answer",
        "An answer that comes before the request's body has been read is accepted",
        "RFC 9112, 9.5",
        r#"{"rules":[{"fault":"early"}]}"#,
        Once,
        Posting,
        AsAnswered,
    ),
    once(
        "http10",
        "An HTTP/1.0 answer is understood, and its connection is not reused",
        "RFC 9110, 2.5; RFC 9112, 9.3",
        r#"{"rules":[{"script":["http10"]}]}"#,
    ),
    once(
        "hang",
        "The client stops waiting for an answer that does not come",
        "Amazon Builders' Library: Timeouts, retries, and backoff with jitter",
        r#"{"rules":[{"script":[{"hang":{"ms":HANG_MS}}]}]}"#,
    ),
    case(
        "slow-head",
        "An answer that starts after two seconds is waited for",
        "RFC 9112, 9.5",
        r#"{"rules":[{"script":["delay:2200"]}]}"#,
        Once,
        All,
        AwaitsAnswer,
    ),
    case(
        "slow-body",
        "An answer that arrives byte by byte over two seconds is read completely",
        "RFC 9112, 9.5",
        r#"{"rules":[{"script":[{"drip":{"ms":2200}}]}]}"#,
        Once,
        All,
        AwaitsAnswer,
    ),
    case(
        "stale",
        "A kept-alive connection that the server closes does not fail the next request",
        "RFC 9112, 9.3.1 and 9.5",
        r#"{"rules":[{"script":[{"stale":{"status":503}}]}]}"#,
        Once,
        Reusing,
        AsAnswered,
    ),
    once(
        "interim",
        "An interim answer (1xx) is not taken for the final one",
        "RFC 9110, 15.2; RFC 8297",
        r#"{"rules":[{"script":["interim"]}]}"#,
    ),
    case(
        "lost-ack",
        "A request whose answer is lost is repeated with the same key, or not at all",
        "draft-ietf-httpapi-idempotency-key-header, 1",
        r#"{"rules":[{"script":["lose"]}]}"#,
        Once,
        Posting,
        AsAnswered,
    ),
    case(
        "rate-limit",
        "Five clients at once respect a rate limit, and get through",
        "RFC 6585, 4",
        r#"{"rules":[{"rate_limit":{"per_second":2,"burst":2}}]}"#,
        AtOnce(5),
        All,
        AsAnswered,
    ),
    case(
        "ten-alike",
        "Ten clients that fail together do not retry together",
        "Amazon Builders' Library: Timeouts, retries, and backoff with jitter",
        r#"{"rules":[{"script":["503"]}]}"#,
        Alike(10),
        All,
        AsAnswered,
    ),
    once(
        "flaky",
        "Random failures, at most two in a row, do not reach the user of the client",
        "Site Reliability Engineering, 22: Addressing Cascading Failures",
        r#"{"seed":673,"rules":[{"probability":0.3,"fault":"503"}]}"#,
    ),
];
