//! A step as JSON: a short form, a status, or an object with exactly one kind and perhaps a delay.

use std::iter;
use std::time::Duration;

use actix_web::http::header::{HeaderName, HeaderValue};
use resilience_actors::fault::{Delay, Step};
use serde_json::Value;

use super::kind::{Body, Fault, Framing, Loss, Pace, RetryAfter, StatusFault};
use super::short::{self, BYTES, DELAY_MS, HANG_MS, SPEED, STATUS, narrow};
use crate::json::{Node, Object};

/// Headers that say how a message is framed or that concern one connection only (RFC 9110, 7.6.1).
const FRAMING: [&str; 9] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "trailers",
    "transfer-encoding",
    "upgrade",
];

const MAX_TEXT: usize = 256 * 1024;

/// Reads a step.
pub(super) fn read(node: Node<'_>) -> Option<Step<Fault>> {
    match node.value() {
        Value::String(text) => match short::read(text) {
            Ok(step) => Some(step),
            Err(why) => node.invalid(why),
        },
        Value::Number(_) => node.integer(STATUS).map(|status| injecting(Fault::status(narrow(status)))),
        Value::Object(_) => object(node.object()?),
        _ => node.invalid("should be a short form such as \"reset\", a status or an object with one kind"),
    }
}

fn injecting(fault: Fault) -> Step<Fault> {
    Step { delay: None, fault: Some(fault) }
}

fn object(mut object: Object<'_>) -> Option<Step<Fault>> {
    let all = || iter::once("ok").chain(Fault::KINDS);
    let kinds: Vec<&'static str> = all().filter(|kind| object.has(kind)).collect();
    let has_delay = object.has("delay_ms");
    let delay = match object.nullable("delay_ms") {
        Some(node) => self::delay(node).map(Some),
        None => Some(None),
    };
    let fault = match kinds[..] {
        [] if has_delay => Some(None),
        ["ok"] => object.nullable("ok").and_then(nothing_in).map(|()| None),
        ["status"] => status(&mut object).map(Some),
        [kind] => object.nullable(kind).and_then(|node| of_kind(kind, node)).map(Some),
        [] => {
            let all: Vec<&str> = all().collect();
            return object.node().invalid(format!("should have one of {}", all.join(", ")));
        }
        _ => return object.node().invalid(format!("should have one kind, not {}", kinds.join(" and "))),
    };
    object.finish();
    Some(Step { delay: delay?, fault: fault? })
}

fn delay(node: Node<'_>) -> Option<Delay> {
    #[expect(clippy::cast_precision_loss, reason = "30,000 is exact in an f64")]
    let range = *DELAY_MS.start() as f64..=*DELAY_MS.end() as f64;
    if !node.value().is_object() {
        return node.number(range).map(Delay::Fixed);
    }
    let mut object = node.object()?;
    let delay = if object.has("median") || object.has("sigma") {
        let median = object.required("median").and_then(|node| node.number(range));
        let sigma = object.required("sigma").and_then(|node| node.number(0.0..=10.0));
        median.zip(sigma).map(|(median, sigma)| Delay::LogNormal { median, sigma })
    } else {
        let min = object.required("min").and_then(|node| node.number(range.clone()));
        let max = object.required("max").and_then(|node| node.number(range));
        match min.zip(max) {
            Some((min, max)) if min > max => object.node().invalid("min should not be above max"),
            both => both.map(|(min, max)| Delay::Uniform { min, max }),
        }
    };
    object.finish();
    delay
}

/// `{}`, for a kind without parameters.
fn nothing_in(node: Node<'_>) -> Option<()> {
    node.object().map(Object::finish)
}

fn of_kind(kind: &str, node: Node<'_>) -> Option<Fault> {
    if kind == "lose" {
        return node.one_of(&Loss::ALL).map(Fault::Lose);
    }
    let mut object = node.object()?;
    let fault = parameters(kind, &mut object);
    object.finish();
    fault
}

/// Reads a parameter; `default` if it is missing, and nothing if it is wrong.
fn parameter<'a, T>(
    object: &mut Object<'a>,
    name: &'static str,
    default: T,
    read: impl FnOnce(Node<'a>) -> Option<T>,
) -> Option<T> {
    object.optional(name).map_or(Some(default), read)
}

fn parameters(kind: &str, object: &mut Object<'_>) -> Option<Fault> {
    let status = |node: Node<'_>| node.integer(STATUS).map(narrow);
    Some(match kind {
        "hang" => Fault::Hang {
            lasts: parameter(object, "ms", None, |node| {
                node.integer(HANG_MS).map(|millis| Some(Duration::from_millis(millis)))
            })?,
        },
        "reset" => Fault::Reset {
            after_bytes: parameter(object, "after_bytes", None, |node| node.integer(BYTES).map(Some))?,
        },
        "truncate" => {
            let after_bytes = parameter(object, "after_bytes", None, |node| node.integer(BYTES).map(Some));
            let framings = [("length", Framing::Length), ("chunked", Framing::Chunked)];
            let framing = parameter(object, "framing", Framing::Length, |node| node.one_of(&framings));
            Fault::Truncate { after_bytes: after_bytes?, framing: framing? }
        }
        "extra" => Fault::Extra {
            bytes: parameter(object, "bytes", None, |node| {
                node.string(MAX_TEXT).map(|text| Some(text.to_owned()))
            })?,
        },
        "early" => Fault::Early { status: parameter(object, "status", 413, status)? },
        "drip" => drip(object)?,
        "stale" => Fault::Stale { status: parameter(object, "status", None, |node| status(node).map(Some))? },
        "interim" => {
            let status = parameter(object, "status", 103, |node| node.integer(102..=199).map(narrow));
            let count = parameter(object, "count", 1, |node| node.integer(1..=100).map(narrow));
            Fault::Interim { status: status?, count: count? }
        }
        // The others take no parameter.
        name => short::named(name)?,
    })
}

/// A drip by its speed or by its length.
fn drip(object: &mut Object<'_>) -> Option<Fault> {
    let Fault::Drip(default) = Fault::DRIP else { return None };
    let speed = |node: Node<'_>| node.integer(SPEED).map(|speed| Pace::BytesPerSecond(narrow(speed)));
    let lasts = |node: Node<'_>| node.integer(HANG_MS).map(|ms| Pace::Lasts(Duration::from_millis(ms)));
    let pace = match (object.has("bytes_per_second"), object.has("ms")) {
        (true, true) => return object.node().invalid("should have bytes_per_second or ms, not both"),
        (_, true) => parameter(object, "ms", default, lasts),
        (_, false) => parameter(object, "bytes_per_second", default, speed),
    };
    pace.map(Fault::Drip)
}

/// An answer with a status; its parameters stand beside it.
fn status(object: &mut Object<'_>) -> Option<Fault> {
    let status = object.nullable("status").and_then(|node| node.integer(STATUS));
    let headers = parameter(object, "headers", Vec::new(), headers);
    let body = match object.nullable("body") {
        None => Body::Default,
        Some(node) => match node.value() {
            Value::String(text) => Body::Text(text.clone().into()),
            json => Body::Json(json.to_string().into()),
        },
    };
    let retry_after = parameter(object, "retry_after", None, |node| retry_after(node).map(Some));
    Some(Fault::Status(StatusFault {
        status: narrow(status?),
        headers: headers?,
        body,
        retry_after: retry_after?,
    }))
}

fn retry_after(node: Node<'_>) -> Option<RetryAfter> {
    const DAY_IN_SECONDS: u64 = 86_400;
    let mut object = node.object()?;
    let value = match (object.has("seconds"), object.has("date_in_ms")) {
        (true, false) => {
            let seconds = object.required("seconds").and_then(|node| node.integer(0..=DAY_IN_SECONDS));
            seconds.map(|seconds| RetryAfter::Seconds(narrow(seconds)))
        }
        (false, true) => {
            let millis =
                object.required("date_in_ms").and_then(|node| node.integer(0..=DAY_IN_SECONDS * 1_000));
            millis.map(|millis| RetryAfter::DateIn(Duration::from_millis(millis)))
        }
        _ => return object.node().invalid("should have seconds or date_in_ms"),
    };
    object.finish();
    value
}

fn headers(node: Node<'_>) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let mut headers = Some(Vec::new());
    for (name, values) in node.entries()? {
        let Some(name) = header_name(name, &values) else {
            headers = None;
            continue;
        };
        let values = if values.value().is_array() { values.list(100)? } else { vec![values] };
        for value in values {
            let value = value.clone().string(MAX_TEXT).and_then(|text| match HeaderValue::from_str(text) {
                Ok(header) => Some(header),
                Err(_) => value.invalid("should have no control characters"),
            });
            match (&mut headers, value) {
                (Some(headers), Some(value)) => headers.push((name.clone(), value)),
                _ => headers = None,
            }
        }
    }
    headers
}

fn header_name(name: &str, node: &Node<'_>) -> Option<HeaderName> {
    match HeaderName::from_bytes(name.as_bytes()) {
        Ok(name) if FRAMING.contains(&name.as_str()) => {
            node.invalid(format!("{name} is set by the server itself: it says how the answer is framed"))
        }
        Ok(name) => Some(name),
        Err(_) => node.invalid("is not the name of a header"),
    }
}
