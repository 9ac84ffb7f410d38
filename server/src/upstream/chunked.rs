//! A chunked body of an answer, checked and framed anew without extensions and trailers. \[pure\]

use super::failure::Failure;

/// A chunked body of which some bytes have been seen (RFC 9112, 7.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Chunked {
    /// Before the first digit of a size.
    #[default]
    Start,
    /// In a size.
    Size(u64),
    /// Behind a size, in what is passed over up to the end of the line.
    Rest(u64),
    /// Behind the CR of the line with the size.
    SizeLf(u64),
    /// In a chunk of which so many bytes are to come.
    Data(u64),
    /// Behind a chunk.
    DataCr,
    /// Behind the CR that follows a chunk.
    DataLf,
    /// At the start of a line behind the last chunk.
    TrailerStart,
    /// In a trailer.
    Trailer,
    /// Behind the CR of the last line.
    LastLf,
    /// Behind the last byte.
    Complete,
}

const MAX_SIZE: u64 = 1 << 60;

impl Chunked {
    /// Takes the next bytes and writes their data, framed anew, to `out`. Returns how many bytes belong to the body.
    ///
    /// # Errors
    /// [`Failure::BadReply`] when the framing is broken.
    pub(super) fn take(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<usize, Failure> {
        let mut at = 0;
        while at < data.len() && *self != Self::Complete {
            if let Self::Data(left) = *self {
                let here = usize::try_from(left).unwrap_or(usize::MAX).min(data.len() - at);
                out.extend_from_slice(format!("{here:x}\r\n").as_bytes());
                out.extend_from_slice(&data[at..at + here]);
                out.extend_from_slice(b"\r\n");
                let left = left - here as u64;
                *self = if left == 0 { Self::DataCr } else { Self::Data(left) };
                at += here;
            } else {
                *self = self.step(data[at]).ok_or(Failure::BadReply("its chunks are malformed"))?;
                at += 1;
            }
        }
        if *self == Self::Complete && at > 0 {
            out.extend_from_slice(b"0\r\n\r\n");
        }
        Ok(at)
    }

    fn step(self, byte: u8) -> Option<Self> {
        let digit = char::from(byte).to_digit(16).map(u64::from);
        Some(match (self, byte) {
            (Self::Start, _) => Self::Size(digit?),
            (Self::Size(size), _) if digit.is_some() && size < MAX_SIZE / 16 => {
                Self::Size(size * 16 + digit.unwrap_or_default())
            }
            (Self::Size(size) | Self::Rest(size), b'\r') => Self::SizeLf(size),
            (Self::Size(size), b' ' | b'\t' | b';') => Self::Rest(size),
            (Self::Rest(size), byte) if byte != b'\n' => Self::Rest(size),
            (Self::SizeLf(0) | Self::Trailer, b'\n') => Self::TrailerStart,
            (Self::SizeLf(size), b'\n') => Self::Data(size),
            (Self::DataCr, b'\r') => Self::DataLf,
            (Self::DataLf, b'\n') => Self::Start,
            (Self::TrailerStart, b'\r') => Self::LastLf,
            (Self::TrailerStart | Self::Trailer, _) => Self::Trailer,
            (Self::LastLf, b'\n') => Self::Complete,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data of a body that comes in pieces of `size` bytes, and what is left behind it.
    fn read(body: &str, size: usize) -> Result<(String, usize, Chunked), Failure> {
        let (mut state, mut data, mut left) = (Chunked::default(), String::new(), 0);
        for piece in body.as_bytes().chunks(size) {
            let mut out = Vec::new();
            left += piece.len() - state.take(piece, &mut out)?;
            let mut out = std::str::from_utf8(&out).unwrap();
            while let Some((size, rest)) = out.split_once("\r\n") {
                let size = usize::from_str_radix(size, 16).unwrap();
                data += &rest[..size];
                out = rest[size..].strip_prefix("\r\n").unwrap();
            }
        }
        Ok((data, left, state))
    }

    #[test]
    fn a_body_is_framed_anew_however_it_is_cut() {
        let bodies = [
            ("5\r\nhello\r\n0\r\n\r\n", "hello", 0),
            ("5;a=\"b\"\r\nhello\r\n00\r\nX: y\r\nZ: 1\r\n\r\n", "hello", 0),
            ("A \r\n0123456789\r\n1\r\nx\r\n0\r\n\r\nHTTP/1.1", "0123456789x", 8),
            ("0\r\n\r\n", "", 0),
        ];
        for (body, data, left) in bodies {
            for size in 1..=body.len() {
                assert_eq!(
                    read(body, size),
                    Ok((data.to_owned(), left, Chunked::Complete)),
                    "{body:?} {size}"
                );
            }
        }
    }

    #[test]
    fn broken_framing_is_a_bad_reply_and_a_cut_body_is_not_complete() {
        for body in [
            "x\r\n",
            "\r\n",
            "5\nhello",
            "5\r\nhelloo\r\n",
            "5\r\nhello\n",
            "fffffffffffffffff\r\n",
            "-1\r\n",
        ] {
            assert!(matches!(read(body, 3), Err(Failure::BadReply(_))), "{body:?}");
        }
        for body in ["5\r\nhel", "5\r\nhello\r\n", "5\r\nhello\r\n0\r\n", "5\r\nhello\r\n0\r\nX: y\r\n"] {
            assert_ne!(read(body, 2).unwrap().2, Chunked::Complete, "{body:?}");
        }
    }
}
