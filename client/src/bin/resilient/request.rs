//! The headers, the credentials and the body of a call, from the command line.

use bytes::Bytes;
use resilient_client::{Call, ClientConfig, Error, Method, Multipart};
use serde::de::IgnoredAny;
use structopt::StructOpt;

use crate::{exit::Failure, form, input};

// The flags for headers, credentials and body.
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
    /// A field of a multipart form, NAME=TEXT, or a file, NAME=@FILE or NAME=@FILE;type=TYPE. May be given several
    /// times
    #[structopt(
        short = "F",
        long = "form",
        value_name = "NAME=TEXT|@FILE",
        number_of_values = 1,
        conflicts_with_all = &["data", "json"],
        allow_hyphen_values = true
    )]
    form: Vec<String>,
    /// The user name and the password, sent as basic authentication
    #[structopt(short, long, value_name = "USER:PASSWORD", allow_hyphen_values = true)]
    user: Option<String>,
    /// The token, sent as bearer authentication
    #[structopt(long, value_name = "TOKEN", conflicts_with = "user", allow_hyphen_values = true)]
    bearer: Option<String>,
}

/// A request that can be made any number of times.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) request_id: Option<String>,
    headers: Vec<(String, String)>,
    credentials: Credentials,
    body: Body,
}

/// What a call authenticates with.
#[derive(Debug)]
enum Credentials {
    None,
    Basic { user: String, password: String },
    Bearer(String),
}

#[derive(Debug)]
enum Body {
    Plain(Bytes),
    Form(Multipart),
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
        let credentials = self.credentials()?;
        Ok(Request { method, request_id, headers, credentials, body: Body::Plain(Bytes::new()) })
    }

    fn credentials(&self) -> Result<Credentials, Failure> {
        Ok(match (&self.user, &self.bearer) {
            (Some(both), _) => {
                // What was typed is not repeated: it may be a password.
                let (user, password) = both
                    .split_once(':')
                    .ok_or_else(|| Failure::usage("--user must be USER:PASSWORD, got no colon"))?;
                Credentials::Basic { user: user.to_owned(), password: password.to_owned() }
            }
            (None, Some(token)) => Credentials::Bearer(token.clone()),
            (None, None) => Credentials::None,
        })
    }

    /// Reads the body of a request. This may block.
    pub(crate) fn with_body(&self, request: Request) -> Result<Request, Failure> {
        let body = match (&self.data, &self.json) {
            (Some(data), _) => Body::Plain(input::read("-d", data)?),
            (None, Some(json)) => {
                let body = input::read("--json", json)?;
                serde_json::from_slice::<IgnoredAny>(&body)
                    .map_err(|why| Failure::usage(format!("--json must be JSON: {why}")))?;
                Body::Plain(body)
            }
            (None, None) if self.form.is_empty() => Body::Plain(Bytes::new()),
            (None, None) => Body::Form(form::read(&self.form)?),
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
        let mut call = Call::new(self.method, url);
        for (name, value) in &self.headers {
            call = call.header(name, value);
        }
        call = match &self.credentials {
            Credentials::None => call,
            Credentials::Basic { user, password } => call.basic_auth(user, password),
            Credentials::Bearer(token) => call.bearer_auth(token),
        };
        call = match &self.body {
            Body::Plain(body) => call.body(body.clone()),
            Body::Form(form) => call.multipart(form.clone()),
        };
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
