//! Where a chunked body ends (RFC 9112, 7.1). \[pure\]
//!
//! It accepts what actix-http's own decoder accepts, so that the two agree on the first byte of the next request.

/// A chunked body of which some bytes have been seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Chunks {
    /// Before a chunk's size.
    #[default]
    Start,
    Size(u64),
    /// Blanks behind the size.
    Blank(u64),
    Extension(u64),
    /// Behind the CR of the line with the size.
    SizeEnd(u64),
    /// In a chunk of which so many bytes are to come.
    Data(u64),
    DataCr,
    DataLf,
    /// Behind the last chunk or a trailer field, at the start of a line.
    TrailerStart,
    Trailer,
    TrailerLf,
    /// Behind the CR of the last line.
    LastLf,
    Complete,
}

/// The bytes of a chunked body that are not data: sizes, extensions and trailers. A body that pays for them with data
/// may have any number; otherwise a few bytes of data, which no limit on bodies refuses, could have extensions without
/// end (CVE-2023-39326 of Go's server).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Overhead(u64);

/// The most overhead that is not paid for.
const MAX_OVERHEAD: u64 = 16 * 1024;

/// The overhead that one byte of data pays for.
const DATA_PAYS: u64 = 2;

/// The overhead that each chunk may have, however small it is.
const CHUNK_PAYS: u64 = 16;

impl Overhead {
    fn add_byte(&mut self) -> Result<(), Malformed> {
        self.0 += 1;
        if self.0 > MAX_OVERHEAD { Err(Malformed) } else { Ok(()) }
    }

    fn repay(&mut self, bytes: u64) {
        self.0 = self.0.saturating_sub(bytes);
    }
}

/// A byte that cannot be there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl Chunks {
    /// Takes the next bytes; how many of them belong to the body. Too much overhead is malformed.
    pub(super) fn take(&mut self, data: &[u8], overhead: &mut Overhead) -> Result<usize, Malformed> {
        let mut at = 0;
        while at < data.len() && *self != Self::Complete {
            if let Self::Data(left) = *self {
                let here = usize::try_from(left).unwrap_or(usize::MAX).min(data.len() - at);
                at += here;
                overhead.repay(DATA_PAYS * here as u64);
                let left = left - here as u64;
                *self = if left == 0 { Self::DataCr } else { Self::Data(left) };
            } else {
                *self = self.step(data[at])?;
                at += 1;
                overhead.add_byte()?;
                if *self == Self::Start {
                    overhead.repay(CHUNK_PAYS);
                }
            }
        }
        Ok(at)
    }

    fn step(self, byte: u8) -> Result<Self, Malformed> {
        let next = match (self, byte) {
            (Self::Start, _) => Self::Size(digit(byte).ok_or(Malformed)?),
            (Self::Size(size), _) if byte.is_ascii_hexdigit() => Self::Size(grow(size, byte)?),
            (Self::Size(size) | Self::Blank(size), b' ' | b'\t') => Self::Blank(size),
            (Self::Size(size) | Self::Blank(size) | Self::Extension(size), b'\r') => Self::SizeEnd(size),
            (Self::Extension(_), 0x00..=0x08 | 0x0a..=0x1f | 0x7f) => return Err(Malformed),
            (Self::Size(size) | Self::Blank(size), b';') | (Self::Extension(size), _) => {
                Self::Extension(size)
            }
            (Self::SizeEnd(0) | Self::TrailerLf, b'\n') => Self::TrailerStart,
            (Self::SizeEnd(size), b'\n') => Self::Data(size),
            (Self::DataCr, b'\r') => Self::DataLf,
            (Self::DataLf, b'\n') => Self::Start,
            (Self::TrailerStart, b'\r') => Self::LastLf,
            (Self::Trailer, b'\r') => Self::TrailerLf,
            (Self::TrailerStart | Self::Trailer, _) => Self::Trailer,
            (Self::LastLf, b'\n') => Self::Complete,
            _ => return Err(Malformed),
        };
        Ok(next)
    }
}

fn digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

fn grow(size: u64, byte: u8) -> Result<u64, Malformed> {
    let shifted = size.checked_mul(16).ok_or(Malformed)?;
    Ok(shifted + digit(byte).ok_or(Malformed)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_ends_behind_its_last_chunk_and_trailers() {
        let bodies = [
            "0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "5;a=b\r\nhello\r\n000\r\n\r\n",
            "5 \t;a\r\nhello\r\nA\r\n0123456789\r\n0\r\nX: y\r\nZ: w\r\n\r\n",
        ];
        for body in bodies {
            let mut chunks = Chunks::default();
            let bytes = format!("{body}GET / HTTP/1.1");
            assert_eq!(chunks.take(bytes.as_bytes(), &mut Overhead::default()), Ok(body.len()), "{body:?}");
            assert_eq!(chunks, Chunks::Complete);
            // The same byte by byte.
            let (mut chunks, mut overhead) = (Chunks::default(), Overhead::default());
            let taken = bytes.bytes().map(|byte| chunks.take(&[byte], &mut overhead).unwrap()).sum::<usize>();
            assert_eq!(taken, body.len(), "{body:?}");
        }
    }

    #[test]
    fn a_byte_that_cannot_be_there_is_found() {
        let bodies = [
            "x\r\n",
            "-1\r\n",
            "5\rhello",
            "5\nhello",
            "fffffffffffffffff\r\n",
            "5\r\nhello!!",
            "\r\n",
            "0x5\r\n",
            "5;\0\r\n",
            "0\r\n\rx",
            "0\r\nX: y\rz",
        ];
        for body in bodies {
            assert_eq!(
                Chunks::default().take(body.as_bytes(), &mut Overhead::default()),
                Err(Malformed),
                "{body:?}"
            );
        }
    }
    /// How much of a body is taken.
    fn taken(body: &[u8]) -> Result<usize, Malformed> {
        Chunks::default().take(body, &mut Overhead::default())
    }

    #[test]
    fn extensions_and_trailers_are_bounded_and_data_pays_for_them() {
        let long = "a".repeat(20_000);
        for body in [
            format!("1;{long}\r\n"),
            format!("0\r\nX: {long}\r\n"),
            "0\r\nX: y\r\n".replace("X: y\r\n", &"X: y\r\n".repeat(4000)),
            "1;aaaaaaaaaaaaaaaaaaaa\r\nb\r\n".repeat(4000),
        ] {
            assert_eq!(taken(body.as_bytes()), Err(Malformed), "{}", &body[..20]);
        }
        let signed = format!("2000;chunk-signature={}\r\n{}\r\n", "f".repeat(64), "x".repeat(0x2000));
        for body in ["1\r\na\r\n".repeat(100_000), signed.repeat(500)] {
            assert_eq!(taken(body.as_bytes()), Ok(body.len()), "{}", &body[..20]);
        }
    }
}
