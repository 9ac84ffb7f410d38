//! What is still to come of a request's body. \[pure\]

use super::head::Framing;
use crate::connection::chunks::{Chunks, Malformed, Overhead};

/// A body of which some bytes have been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    Length(u64),
    Chunked(Chunks, Overhead),
}

impl Body {
    /// The body that follows a head; `None` when there is nothing to come.
    pub(super) fn of(framing: Framing) -> Option<Self> {
        match framing {
            Framing::NoBody => None,
            Framing::Length(length) => Some(Self::Length(length)),
            Framing::Chunked => Some(Self::Chunked(Chunks::default(), Overhead::default())),
        }
    }

    /// Takes the next bytes; how many of them belong to the body.
    pub(super) fn take(&mut self, data: &[u8]) -> Result<usize, Malformed> {
        match self {
            Self::Length(left) => {
                let here = usize::try_from(*left).unwrap_or(usize::MAX).min(data.len());
                *left -= here as u64;
                Ok(here)
            }
            Self::Chunked(chunks, overhead) => chunks.take(data, overhead),
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunks::Complete, _))
    }
}
