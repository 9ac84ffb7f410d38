//! The methods of HTTP that a call can have.

use derive_more::Display;

/// A method of HTTP (RFC 9110, section 9; PATCH is RFC 5789).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display)]
pub enum Method {
    /// Read.
    #[display("GET")]
    Get,
    /// Read the head alone.
    #[display("HEAD")]
    Head,
    /// Ask what is possible.
    #[display("OPTIONS")]
    Options,
    /// Replace.
    #[display("PUT")]
    Put,
    /// Remove.
    #[display("DELETE")]
    Delete,
    /// Do.
    #[display("POST")]
    Post,
    /// Change in part.
    #[display("PATCH")]
    Patch,
}

impl Method {
    /// Whether doing it twice is the same as doing it once (RFC 9110, 9.2.2).
    pub fn is_idempotent(self) -> bool {
        match self {
            Self::Get | Self::Head | Self::Options | Self::Put | Self::Delete => true,
            Self::Post | Self::Patch => false,
        }
    }
}
