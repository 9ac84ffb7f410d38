//! Reads a whole reply from awc.

use awc::{ClientResponse, http::Version};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::header;

use super::{
    Cause, Fault, Reply, Sent,
    awc_errors::{body_fault, is_close},
    context,
};
use crate::{headers::Headers, method::Method};

/// The most that is set aside for a body because its head announces it.
const MAX_RESERVED: u64 = 1 << 20;

/// Where the body of a reply ends, by the head that awc has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// There is no body.
    NoBody,
    /// After so many bytes.
    Length(u64),
    /// Where the coding says so.
    Chunked,
    /// With the connection.
    Close,
}

/// Reads the reply to a request, its body included.
pub(super) async fn receive(
    mut response: ClientResponse,
    method: Method,
    max_body: u64,
) -> Result<Reply, Fault> {
    let status = response.status().as_u16();
    let end = end_of_body(&response, method, status)?;
    let fields = context::take_fields();
    let body = match end {
        End::NoBody => Ok(Bytes::new()),
        End::Length(length) if length > max_body => Err(too_large(max_body)),
        _ => read_body(&mut response, end, max_body).await,
    };
    let body = match body {
        // Where a redirect leads does not depend on its body, which is not read.
        Err(fault) if fault.cause == Cause::BodyTooLarge && is_redirect(&response, fields.as_ref()) => {
            Bytes::new()
        }
        body => body?,
    };
    let headers = fields.unwrap_or_else(|| {
        let mut headers = awc::http::header::HeaderMap::new();
        let _ = response.map_body(|head, payload| {
            std::mem::swap(&mut headers, &mut head.headers);
            payload
        });
        headers.into_iter().collect()
    });
    Ok(Reply { status, headers, body })
}

fn is_redirect(response: &ClientResponse, fields: Option<&Headers>) -> bool {
    let has_location = match fields {
        Some(fields) => fields.contains("location"),
        None => response.headers().contains_key(header::LOCATION),
    };
    matches!(response.status().as_u16(), 301..=303 | 307 | 308) && has_location
}

fn end_of_body(response: &ClientResponse, method: Method, status: u16) -> Result<End, Fault> {
    if method == Method::Head || matches!(status, 101 | 204 | 304) {
        return Ok(End::NoBody);
    }
    let headers = response.headers();
    // Of both, the coding wins (RFC 9112, 6.3), but only HTTP/1.1 has it.
    if response.version() != Version::HTTP_10 && headers.contains_key(header::TRANSFER_ENCODING) {
        return Ok(End::Chunked);
    }
    let Some(length) = headers.get(header::CONTENT_LENGTH) else { return Ok(End::Close) };
    let length = length.to_str().ok().and_then(|text| text.trim().parse().ok());
    match length {
        Some(0) => Ok(End::NoBody),
        Some(length) => Ok(End::Length(length)),
        None => {
            Err(Fault::new(Cause::Network, Sent::Maybe, "the reply has a Content-Length that is no number"))
        }
    }
}

async fn read_body(response: &mut ClientResponse, end: End, max_body: u64) -> Result<Bytes, Fault> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(chunk) = response.next().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) if end == End::Close && is_close(&error) => break,
            Err(error) => return Err(body_fault(error)),
        };
        let length = (first.len() + rest.len() + chunk.len()) as u64;
        if length > max_body {
            return Err(too_large(max_body));
        }
        // Most bodies come in one piece, which needs no copy.
        if first.is_empty() && rest.is_empty() {
            first = chunk;
            continue;
        }
        if rest.is_empty() {
            let announced = if let End::Length(length) = end { length.min(MAX_RESERVED) } else { length };
            rest.reserve(usize::try_from(announced).unwrap_or(0));
            rest.extend_from_slice(&std::mem::take(&mut first));
        }
        rest.extend_from_slice(&chunk);
    }
    let body = if rest.is_empty() { first } else { rest.freeze() };
    match end {
        // The stream reports a short body itself. This is a second line of defence.
        End::Length(length) if body.len() as u64 != length => {
            let message = format!("the reply was cut short: {} bytes of {length}", body.len());
            Err(Fault::new(Cause::Network, Sent::Maybe, message))
        }
        _ => Ok(body),
    }
}

fn too_large(max_body: u64) -> Fault {
    Fault::new(
        Cause::BodyTooLarge,
        Sent::Maybe,
        format!("the body of the reply is longer than {max_body} bytes"),
    )
}
