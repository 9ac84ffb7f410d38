//! The HTTP methods that a call can have.

use derive_more::Display;

/// An HTTP method (RFC 9110, section 9; PATCH is RFC 5789).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Display)]
pub enum Method {
    /// Reads a resource (RFC 9110, 9.3.1).
    #[display("GET")]
    Get,
    /// Reads the head of a resource (RFC 9110, 9.3.2).
    #[display("HEAD")]
    Head,
    /// Asks for the options of a resource (RFC 9110, 9.3.7).
    #[display("OPTIONS")]
    Options,
    /// Replaces a resource (RFC 9110, 9.3.4).
    #[display("PUT")]
    Put,
    /// Removes a resource (RFC 9110, 9.3.5).
    #[display("DELETE")]
    Delete,
    /// Has a resource process the body (RFC 9110, 9.3.3).
    #[display("POST")]
    Post,
    /// Changes a part of a resource (RFC 5789).
    #[display("PATCH")]
    Patch,
}

impl Method {
    /// Whether several identical requests have the same intended effect as one (RFC 9110, 9.2.2).
    pub fn is_idempotent(self) -> bool {
        match self {
            Self::Get | Self::Head | Self::Options | Self::Put | Self::Delete => true,
            Self::Post | Self::Patch => false,
        }
    }
}
