//! Every fault that the server can inject, with its parameters and defaults.

use std::fmt;
use std::time::Duration;

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Bytes;

/// A fault. Its [`Display`](fmt::Display) is the short form, which leaves out what that form cannot say.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// This answer instead of the real one.
    Status(StatusFault),
    /// No answer: the request holds its slot until the client leaves or the time is over, and the connection closes.
    Hang {
        /// How long; `None` means the request timeout.
        lasts: Option<Duration>,
    },
    /// A TCP reset.
    Reset {
        /// After so many bytes of the answer have been acknowledged; `None` means instead of an answer.
        after_bytes: Option<u64>,
    },
    /// The end of the connection instead of an answer, once the request's body has been read.
    Close,
    /// The end of the connection within the body of the answer.
    Truncate {
        /// After so many bytes of the body; `None` means half of them.
        after_bytes: Option<u64>,
        /// How the head promises more.
        framing: Framing,
    },
    /// A chunked body that breaks its framing.
    MalformedChunk,
    /// Bytes that are not HTTP.
    Garbage,
    /// The real answer, and bytes behind it.
    Extra {
        /// The bytes; `None` means a second whole answer.
        bytes: Option<String>,
    },
    /// An answer as soon as the head of the request is there; its body is not read.
    Early {
        /// The status of the answer.
        status: u16,
    },
    /// The real answer as HTTP/1.0, without keep-alive.
    Http10,
    /// The real answer, slowly.
    Drip(Pace),
    /// Interim answers before the real one.
    Interim {
        /// Their status.
        status: u16,
        /// How many of them.
        count: u32,
    },
    /// An answer on a connection that ends with the next request.
    Stale {
        /// The status of an injected answer; `None` means the real answer.
        status: Option<u16>,
    },
    /// The request is executed, and its answer lost.
    Lose(Loss),
}

/// An answer instead of the real one.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusFault {
    /// The status, 200 to 599.
    pub status: u16,
    /// Headers besides those of the framing.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body.
    pub body: Body,
    /// The `Retry-After` header.
    pub retry_after: Option<RetryAfter>,
}

/// The body of an injected answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// `{"detail":"Induced server failure"}`.
    Default,
    /// JSON.
    Json(Bytes),
    /// Plain text.
    Text(Bytes),
}

/// When a client may come back (RFC 9110, 10.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// After so many seconds.
    Seconds(u32),
    /// At a date, so far from now.
    DateIn(Duration),
}

/// How the head of a truncated answer promises more than comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// By `Content-Length`.
    Length,
    /// By a chunked body without its last chunk.
    Chunked,
}

/// How slowly an answer is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// So many bytes a second.
    BytesPerSecond(u32),
    /// As a whole in about this time, however long it is.
    Lasts(Duration),
}

/// How an answer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// By a TCP reset instead of it.
    Reset,
    /// By the end of the connection instead of it.
    Close,
    /// By the end of the connection within its body.
    Truncate,
    /// By a hang instead of it.
    Hang,
}

impl Fault {
    /// An answer with a status and the default body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Status(StatusFault { status, headers: Vec::new(), body: Body::Default, retry_after: None })
    }

    /// The name of every kind.
    pub const KINDS: [&'static str; 14] = [
        "status",
        "hang",
        "reset",
        "close",
        "truncate",
        "malformed_chunk",
        "garbage",
        "extra",
        "early",
        "http10",
        "drip",
        "interim",
        "stale",
        "lose",
    ];

    /// The name of its kind: in JSON, in the short form and in metrics.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::Hang { .. } => "hang",
            Self::Reset { .. } => "reset",
            Self::Close => "close",
            Self::Truncate { .. } => "truncate",
            Self::MalformedChunk => "malformed_chunk",
            Self::Garbage => "garbage",
            Self::Extra { .. } => "extra",
            Self::Early { .. } => "early",
            Self::Http10 => "http10",
            Self::Drip(_) => "drip",
            Self::Interim { .. } => "interim",
            Self::Stale { .. } => "stale",
            Self::Lose(_) => "lose",
        }
    }
}

/// The defaults of the parameters.
impl Fault {
    /// The early answer: 413, which says that the body is not wanted.
    pub const EARLY: Self = Self::Early { status: 413 };
    /// The hang that lasts as long as the request timeout.
    pub const HANG: Self = Self::Hang { lasts: None };
    /// The reset instead of an answer.
    pub const RESET: Self = Self::Reset { after_bytes: None };
    /// The truncation after half of the body.
    pub const TRUNCATE: Self = Self::Truncate { after_bytes: None, framing: Framing::Length };
    /// The drip of 64 bytes a second.
    pub const DRIP: Self = Self::Drip(Pace::BytesPerSecond(64));
    /// One interim answer with the status 103 (Early Hints).
    pub const INTERIM: Self = Self::Interim { status: 103, count: 1 };
    /// The real answer, on a connection that ends with the next request.
    pub const STALE: Self = Self::Stale { status: None };
    /// A second whole answer behind the real one.
    pub const EXTRA: Self = Self::Extra { bytes: None };
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind();
        match self {
            Self::Status(fault) => write!(f, "{}", fault.status),
            Self::Hang { lasts: Some(lasts) } => write!(f, "{kind}:{}", lasts.as_millis()),
            Self::Reset { after_bytes: Some(bytes) } | Self::Truncate { after_bytes: Some(bytes), .. } => {
                write!(f, "{kind}:{bytes}")
            }
            Self::Early { status } if *self != Self::EARLY => write!(f, "{kind}:{status}"),
            Self::Drip(Pace::BytesPerSecond(speed)) if *self != Self::DRIP => write!(f, "{kind}:{speed}"),
            Self::Stale { status: Some(status) } => write!(f, "{kind}:{status}"),
            Self::Lose(loss) if *loss != Loss::Reset => write!(f, "{kind}:{}", loss.name()),
            _ => f.write_str(kind),
        }
    }
}

impl Loss {
    /// Every loss, by its name.
    pub const ALL: [(&'static str, Self); 4] =
        [("reset", Self::Reset), ("close", Self::Close), ("truncate", Self::Truncate), ("hang", Self::Hang)];

    fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Close => "close",
            Self::Truncate => "truncate",
            Self::Hang => "hang",
        }
    }
}
