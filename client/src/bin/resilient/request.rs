//! The headers and the body of a call, from the command line.

use std::{
    fs::File,
    io::{self, Read},
};

use bytes::Bytes;
use resilient_client::{Call, ClientConfig, Error, Method};
use serde::de::IgnoredAny;
use structopt::StructOpt;

use crate::exit::Failure;

/// The longest body that is read from a file. A body is held in memory.
const LONGEST_BODY: u64 = 1 << 30;

// The flags for headers and body.
#[derive(Debug, Default, StructOpt)]
pub(crate) struct Payload {
    /// A header, 'Name: value'. May be given several times
    #[structopt(
        short = "H",
        long = "header",
        value_name = "HEADER",
        number_of_values = 1,
        allow_hyphen_values = true
    )]
    headers: Vec<String>,
    /// The body, sent unchanged: text, or @FILE to read a file, or @- to read standard input
    #[structopt(short = "d", long = "data", value_name = "DATA|@FILE", allow_hyphen_values = true)]
    data: Option<String>,
    /// The body, which must be JSON: text, or @FILE, or @-. Sets the Content-Type
    #[structopt(long, value_name = "DATA|@FILE", conflicts_with = "data", allow_hyphen_values = true)]
    json: Option<String>,
}

/// A request that can be made any number of times.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) request_id: Option<String>,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Payload {
    /// Parses the headers. Nothing is read yet.
    pub(crate) fn request_without_body(
        &self,
        method: Method,
        request_id: Option<String>,
    ) -> Result<Request, Failure> {
        let mut headers = self.headers.iter().map(|header| split(header)).collect::<Result<Vec<_>, _>>()?;
        if self.json.is_some() && !self.has_header("content-type") {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
        }
        Ok(Request { method, request_id, headers, body: Bytes::new() })
    }

    /// Reads the body of a request. This may block.
    pub(crate) fn with_body(&self, request: Request) -> Result<Request, Failure> {
        let body = match (&self.data, &self.json) {
            (Some(data), _) => read("-d", data)?,
            (None, Some(json)) => {
                let body = read("--json", json)?;
                serde_json::from_slice::<IgnoredAny>(&body)
                    .map_err(|why| Failure::usage(format!("--json must be JSON: {why}")))?;
                body
            }
            (None, None) => Bytes::new(),
        };
        Ok(Request { body, ..request })
    }

    /// Whether a flag sets this header.
    pub(crate) fn has_header(&self, name: &str) -> bool {
        self.headers
            .iter()
            .filter_map(|header| header.split_once(':'))
            .any(|(n, _)| n.trim().eq_ignore_ascii_case(name))
    }
}

impl Request {
    /// Makes a call that sends the request to `url`.
    pub(crate) fn call(&self, url: &str) -> Call {
        let mut call = Call::new(self.method, url).body(self.body.clone());
        for (name, value) in &self.headers {
            call = call.header(name, value);
        }
        match &self.request_id {
            Some(id) => call.request_id(id),
            None => call,
        }
    }

    /// Checks that a client with this configuration could send the request to each URL. Nothing is sent.
    pub(crate) fn validate(&self, config: &ClientConfig, urls: &[String]) -> Result<(), Error> {
        urls.iter().try_for_each(|url| config.validate_call(self.call(url)))
    }
}

fn split(header: &str) -> Result<(String, String), Failure> {
    let (name, value) =
        header.split_once(':').filter(|(name, _)| !name.trim().is_empty()).ok_or_else(|| {
            // The rest of a header may be a secret.
            let shown = header.split_whitespace().next().unwrap_or_default();
            Failure::usage(format!("-H must be 'Name: value', got one that begins with {shown:?}"))
        })?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// Returns the text itself, or the contents of the file that it names.
fn read(flag: &str, text: &str) -> Result<Bytes, Failure> {
    let Some(path) = text.strip_prefix('@') else { return Ok(Bytes::copy_from_slice(text.as_bytes())) };
    if path.is_empty() {
        return Err(Failure::usage(format!("{flag} @ must be followed by the name of a file, or by -")));
    }
    let mut body = Vec::new();
    let read = match path {
        "-" => io::stdin().lock().take(LONGEST_BODY + 1).read_to_end(&mut body),
        path => File::open(path).and_then(|file| file.take(LONGEST_BODY + 1).read_to_end(&mut body)),
    };
    match read {
        Ok(length) if length as u64 > LONGEST_BODY => Err(Failure::usage(format!(
            "{flag} must be at most {LONGEST_BODY} bytes, and {path:?} is longer"
        ))),
        Ok(_) => Ok(body.into()),
        Err(why) => {
            Err(Failure::usage(format!("{flag} must name a file that can be read, got {path:?}: {why}")))
        }
    }
}
