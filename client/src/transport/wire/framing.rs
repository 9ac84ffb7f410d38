//! Where the body of a reply ends (RFC 9112, 6.3). Pure.

use super::chunked::Chunked;

/// What is left of a body, by the rule that ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// It ends after so many bytes. Without a body, these are 0.
    Length(u64),
    /// It ends where the chunked coding says so.
    Chunked(Chunked),
    /// It ends with the connection.
    Close,
}

impl Framing {
    /// Moves over the bytes that belong to the body, and returns how many they are.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        match self {
            Self::Length(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= taken as u64;
                taken
            }
            Self::Chunked(state) => state.take(bytes),
            Self::Close => bytes.len(),
        }
    }

    /// Whether the whole body has been taken.
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunked::End))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_beyond_the_end_do_not_belong_to_the_body() {
        for (mut framing, bytes, taken, over) in [
            (Framing::Length(0), "stray", 0, true),
            (Framing::Length(3), "ab", 2, false),
            (Framing::Length(3), "abcstray", 3, true),
            (Framing::Length(u64::MAX), "abc", 3, false),
            (Framing::Chunked(Chunked::default()), "1\r\na\r\n", 6, false),
            (Framing::Chunked(Chunked::default()), "1\r\na\r\n0\r\n\r\nstray", 11, true),
            (Framing::Close, "anything", 8, false),
        ] {
            assert_eq!((framing.take(bytes.as_bytes()), framing.is_over()), (taken, over), "{bytes}");
        }
    }
}
