//! Reads the head of a reply. Pure.
//!
//! awc takes an interim reply (1xx) for the final one, an HTTP/1.1 reply without a length for an empty one, any
//! `Upgrade` for a switch of protocols, and refuses folded lines and more than 96 fields. A head that awc would
//! misread is therefore replaced by one of ours that only says where the body ends, and its fields are kept aside.

use http::header::{HeaderName, HeaderValue};
use httparse::{Header, ParserConfig, Response, Status};

use super::{
    chunked::Chunked,
    fault::WireFault,
    fields::{Coding, Facts, Length, Persistence},
    framing::Framing,
};
use crate::headers::Headers;

/// The longest head that is read.
pub(super) const MAX_LENGTH: usize = 256 * 1024;
/// The most fields that a head may have.
pub(super) const MAX_FIELDS: usize = 1_000;
/// The most fields that awc reads.
const AWC_FIELDS: usize = 96;
/// A head up to this length is left to awc, which gives up at 128 KiB.
const AWC_LENGTH: usize = 64 * 1024;

/// What the first bytes of a reply are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// The beginning of a head.
    Partial,
    /// A whole interim reply: the final one is still to come.
    Interim {
        /// How many bytes it has.
        length: usize,
    },
    /// A whole final head.
    Final(FinalHead),
    /// Not a head. awc says why.
    Malformed,
}

/// A final head, as far as the connection is concerned.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FinalHead {
    /// How many bytes it has.
    pub(super) length: usize,
    pub(super) status: u16,
    pub(super) framing: Framing,
    pub(super) persistence: Persistence,
    pub(super) form: Form,
}

/// How awc gets a head.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As it came.
    Plain,
    /// As [`replacement`] writes it; these are its real fields.
    Replaced(Headers),
}

/// Whether the reply to a request has a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// It has one if its status allows it.
    Body,
    /// It answers a HEAD.
    HeadOnly,
}

/// Reads the head at the beginning of `bytes`.
pub(super) fn read(bytes: &[u8], expect: Expect) -> Result<Head, WireFault> {
    let mut few = [httparse::EMPTY_HEADER; AWC_FIELDS];
    let mut response = Response::new(&mut few);
    let mut parser = ParserConfig::default();
    parser.allow_spaces_after_header_name_in_responses(true);
    match parser.parse_response(&mut response, bytes) {
        Ok(Status::Complete(length)) => interpret(&response, length, expect, Plainness::AwcReadsIt),
        Ok(Status::Partial) => Ok(Head::Partial),
        Err(_) => read_unusual(bytes, expect),
    }
}

/// Reads a head that is folded, has many fields or is malformed.
fn read_unusual(bytes: &[u8], expect: Expect) -> Result<Head, WireFault> {
    let mut many = vec![httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut response = Response::new(&mut many);
    let mut parser = ParserConfig::default();
    parser.allow_spaces_after_header_name_in_responses(true);
    parser.allow_obsolete_multiline_headers_in_responses(true);
    match parser.parse_response(&mut response, bytes) {
        Ok(Status::Complete(length)) => interpret(&response, length, expect, Plainness::AwcRefusesIt),
        Ok(Status::Partial) => Ok(Head::Partial),
        Err(httparse::Error::TooManyHeaders) => Err(WireFault::TooManyFields),
        Err(_) => Ok(Head::Malformed),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Plainness {
    AwcReadsIt,
    AwcRefusesIt,
}

fn interpret(
    response: &Response<'_, '_>,
    length: usize,
    expect: Expect,
    plainness: Plainness,
) -> Result<Head, WireFault> {
    let status = match response.code {
        Some(101) => return Ok(switch_of_protocols(length)),
        Some(100..=199) => return Ok(Head::Interim { length }),
        Some(status @ 200..) => status,
        _ => return Ok(Head::Malformed),
    };
    let version = response.version.unwrap_or(0);
    let facts = Facts::of(response.headers);
    let bodiless = expect == Expect::HeadOnly || matches!(status, 204 | 304);
    let framing = match (facts.coding, facts.length) {
        (_, Length::Invalid) => return Ok(Head::Malformed),
        _ if bodiless => Framing::Length(0),
        (Coding::Unknown, _) => return Err(WireFault::Coding),
        (Coding::Chunked, _) => Framing::Chunked(Chunked::default()),
        (_, Length::Known(length)) => Framing::Length(length),
        (_, Length::Unknown) => Framing::Close,
    };
    let awc_reads_it = plainness == Plainness::AwcReadsIt
        && length <= AWC_LENGTH
        && facts.is_plain()
        && awc_agrees(version, &facts, status, expect);
    let form = if awc_reads_it {
        Form::Plain
    } else {
        match fields(response.headers) {
            Some(fields) => Form::Replaced(fields),
            None => return Ok(Head::Malformed),
        }
    };
    let persistence = facts.persistence(version);
    Ok(Head::Final(FinalHead { length, status, framing, persistence, form }))
}

/// Whether awc finds the same framing in the fields.
fn awc_agrees(version: u8, facts: &Facts, status: u16, expect: Expect) -> bool {
    match (facts.coding, facts.length) {
        (coding, _) if expect == Expect::HeadOnly => coding != Coding::Unknown,
        (Coding::None, Length::Unknown | Length::Known(0)) if matches!(status, 204 | 304) => version == 1,
        _ if matches!(status, 204 | 304) => false,
        (Coding::Chunked, _) => version == 1,
        (Coding::None, Length::Known(_)) => true,
        (Coding::None, Length::Unknown) => version == 0,
        _ => false,
    }
}

/// A switch of protocols, which the client never asks for. awc gets it as it is, and its connection is not used again.
fn switch_of_protocols(length: usize) -> Head {
    let (framing, persistence) = (Framing::Close, Persistence::Last);
    Head::Final(FinalHead { length, status: 101, framing, persistence, form: Form::Plain })
}

fn fields(headers: &[Header<'_>]) -> Option<Headers> {
    let field = |header: &Header<'_>| {
        let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
        let value = if header.value.contains(&b'\n') {
            HeaderValue::from_bytes(&unfolded(header.value))
        } else {
            HeaderValue::from_bytes(header.value)
        };
        Some((name, value.ok()?))
    };
    headers.iter().map(field).collect()
}

/// Replaces each fold, with the white space around it, by one space (RFC 9112, 5.2).
fn unfolded(value: &[u8]) -> Vec<u8> {
    let lines = value.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(&b' ')
}

/// A head that tells awc where the body ends, and nothing else.
pub(super) fn replacement(head: &FinalHead, expect: Expect) -> String {
    let status = head.status;
    let connection = match head.persistence {
        Persistence::Last => "connection: close\r\n",
        Persistence::KeepAlive => "",
    };
    let (minor, framing) = match head.framing {
        _ if expect == Expect::HeadOnly || matches!(status, 204 | 304) => (1, String::new()),
        Framing::Length(length) => (1, format!("content-length: {length}\r\n")),
        Framing::Chunked(_) => (1, "transfer-encoding: chunked\r\n".to_owned()),
        Framing::Close => (0, String::new()),
    };
    format!("HTTP/1.{minor} {status} \r\n{framing}{connection}\r\n")
}

#[cfg(test)]
#[path = "head_tests.rs"]
mod tests;
