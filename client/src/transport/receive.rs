//! Reads a whole reply from awc.

use awc::{
    ClientResponse,
    http::{Version, header::HeaderMap},
};
use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderValue, header};

use super::{
    Cause, Coded, Fault, Reply, Sent,
    awc_errors::{body_fault, is_close},
    body::{Body, Pushed, too_large},
    context,
    decode::{Codings, Found},
};
use crate::{headers::Headers, method::Method};

/// The headers that describe a body as it came, and are wrong for the decoded one.
const OF_THE_CODED_BODY: [&str; 2] = ["content-encoding", "content-length"];

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
    coded: Coded,
) -> Result<Reply, Fault> {
    let status = response.status().as_u16();
    let end = end_of_body(&response, method, status)?;
    let fields = context::take_fields();
    let codings = match end {
        End::NoBody => Found::NothingToDecode,
        _ => codings(&response, fields.as_ref(), coded),
    };
    let body = read_body(&mut response, end, codings, max_body).await;
    let body = match body {
        Err(fault) if does_not_matter(&fault, &response, fields.as_ref()) => Bytes::new(),
        body => body?,
    };
    let mut headers = fields.unwrap_or_else(|| {
        let mut headers = HeaderMap::new();
        let _ = response.map_body(|head, payload| {
            std::mem::swap(&mut headers, &mut head.headers);
            payload
        });
        headers.into_iter().collect()
    });
    if codings != Found::NothingToDecode {
        headers.remove(&OF_THE_CODED_BODY);
    }
    Ok(Reply { status, headers, body })
}

/// The codings that are decoded. Those of a part (206) are codings of the whole.
fn codings(response: &ClientResponse, fields: Option<&Headers>, coded: Coded) -> Found {
    if coded == Coded::Keep || response.status().as_u16() == 206 {
        return Found::NothingToDecode;
    }
    match fields {
        Some(fields) => Codings::find(fields.raw("content-encoding")),
        None => {
            let values = response.headers().get_all(header::CONTENT_ENCODING);
            Codings::find(values.map(HeaderValue::as_bytes))
        }
    }
}

/// Whether the status says all that the call needs to know, so that the reply goes on without its body: where a
/// redirect leads does not depend on its body, and an error that has a corrupt body is still that error.
fn does_not_matter(fault: &Fault, response: &ClientResponse, fields: Option<&Headers>) -> bool {
    let status = response.status().as_u16();
    match fault.cause {
        Cause::BodyTooLarge => is_redirect(response, fields),
        Cause::Decode => status >= 400 || is_redirect(response, fields),
        _ => false,
    }
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

async fn read_body(
    response: &mut ClientResponse,
    end: End,
    codings: Found,
    max_body: u64,
) -> Result<Bytes, Fault> {
    if end == End::NoBody {
        return Ok(Bytes::new());
    }
    let mut body = Body::new(codings, max_body)?;
    let announced = match end {
        End::Length(length) if length > body.longest() => return Err(too_large(max_body)),
        End::Length(length) => Some(length),
        End::Chunked | End::Close | End::NoBody => None,
    };
    let mut received: u64 = 0;
    while let Some(chunk) = response.next().await {
        let mut chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) if end == End::Close && is_close(&error) => break,
            Err(error) => return Err(body_fault(error)),
        };
        received += chunk.len() as u64;
        if received > body.longest() {
            return Err(too_large(max_body));
        }
        while body.push(&mut chunk, announced)? == Pushed::Partly {
            tokio::task::yield_now().await;
        }
    }
    match announced {
        // The stream reports a short body itself. This is a second line of defence.
        Some(announced) if received != announced => {
            let message = format!("the reply was cut short: {received} bytes of {announced}");
            Err(Fault::new(Cause::Network, Sent::Maybe, message))
        }
        // That a body is empty is certain only where its end is marked.
        _ if received == 0 && end != End::Close => Ok(Bytes::new()),
        _ => body.finish(),
    }
}
