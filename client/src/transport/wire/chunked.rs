//! Finds the end of a body in chunked coding (RFC 9112, 7.1). Pure.
//!
//! It accepts what awc's decoder accepts, byte for byte: if the two disagreed on where a body ends, awc would wait for
//! bytes that are never handed to it.

/// The place in a chunked body, between two bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Chunked {
    /// Before the first digit of a chunk's size.
    #[default]
    Size,
    /// After at least one digit.
    SizeRest(u64),
    /// In the white space after the size.
    SizeSpace(u64),
    /// In an extension.
    Extension(u64),
    /// Before the line feed that ends the size.
    SizeLf(u64),
    /// In the data, with so many bytes to come.
    Data(u64),
    /// Before the carriage return after the data.
    DataCr,
    /// Before the line feed after the data.
    DataLf,
    /// At the start of a line after the last chunk.
    LineStart,
    /// In a trailer field.
    Trailer,
    /// Before the line feed that ends a trailer field.
    TrailerLf,
    /// Before the line feed that ends the body.
    EndLf,
    /// After the body.
    End,
    /// After an invalid byte, which awc reports.
    Broken,
}

impl Chunked {
    /// Moves over the bytes that belong to the body, and returns how many they are.
    pub(super) fn take(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while taken < bytes.len() {
            match *self {
                Self::End => return taken,
                Self::Broken => return bytes.len(),
                Self::Data(left) => {
                    let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len() - taken);
                    taken += here;
                    let left = left - here as u64;
                    *self = if left == 0 { Self::DataCr } else { Self::Data(left) };
                }
                state => {
                    *self = state.after(bytes[taken]);
                    taken += 1;
                }
            }
        }
        taken
    }

    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Size, _) => digit(byte).map_or(Self::Broken, Self::SizeRest),
            (Self::SizeRest(size) | Self::SizeSpace(size), b'\t' | b' ') => Self::SizeSpace(size),
            (Self::SizeRest(size) | Self::SizeSpace(size), b';') => Self::Extension(size),
            (Self::SizeRest(size) | Self::SizeSpace(size) | Self::Extension(size), b'\r') => {
                Self::SizeLf(size)
            }
            (Self::SizeRest(size), _) => match (digit(byte), size.checked_mul(16)) {
                (Some(digit), Some(size)) => Self::SizeRest(size + digit),
                _ => Self::Broken,
            },
            (Self::Extension(_), 0x00..=0x08 | 0x0a..=0x1f | 0x7f) => Self::Broken,
            (Self::Extension(size), _) => Self::Extension(size),
            (Self::SizeLf(0) | Self::TrailerLf, b'\n') => Self::LineStart,
            (Self::SizeLf(size), b'\n') => Self::Data(size),
            (Self::DataCr, b'\r') => Self::DataLf,
            (Self::DataLf, b'\n') => Self::Size,
            (Self::LineStart, b'\r') => Self::EndLf,
            (Self::Trailer, b'\r') => Self::TrailerLf,
            (Self::LineStart | Self::Trailer, _) => Self::Trailer,
            (Self::EndLf, b'\n') => Self::End,
            _ => Self::Broken,
        }
    }
}

fn digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

#[cfg(test)]
mod tests {
    use actix_http::{error::PayloadError, h1};
    use bytes::Bytes;
    use tokio::io::AsyncWriteExt;

    use super::*;

    fn end(bytes: &[u8]) -> (usize, Chunked) {
        let mut state = Chunked::default();
        (state.take(bytes), state)
    }

    #[test]
    fn the_end_of_a_body_is_found() {
        for (bytes, rest) in [
            ("0\r\n\r\n", ""),
            ("5\r\nhello\r\n0\r\n\r\n", "HTTP/1.1 200 OK"),
            ("A ;x=\"y\"\r\n0123456789\r\n000\r\nTrailer: x\r\nOther: y\r\n\r\n", "x"),
            // The data may look like anything, the end of a body included.
            ("5\r\n0\r\n\r\n\r\n0\r\n\r\n", "\r\n"),
        ] {
            let whole = format!("{bytes}{rest}");
            assert_eq!(end(whole.as_bytes()), (bytes.len(), Chunked::End), "{whole:?}");
        }
    }

    #[test]
    fn a_malformed_body_has_no_end() {
        for bytes in ["\r\n", "x\r\n", "5\r\nhello0\r\n\r\n", "5\rhello", "fffffffffffffffff\r\n", "0\r\n\rx"]
        {
            assert_eq!(end(bytes.as_bytes()), (bytes.len(), Chunked::Broken), "{bytes:?}");
        }
    }

    #[test]
    fn the_end_is_the_same_wherever_the_bytes_are_cut() {
        let whole = b"5;a\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nT: x\r\n\r\nstray";
        for cut in 0..whole.len() {
            let mut state = Chunked::default();
            let taken = state.take(&whole[..cut]);
            let taken = taken + state.take(&whole[cut..]);
            assert_eq!((taken, state), (whole.len() - 5, Chunked::End), "cut at {cut}");
        }
    }

    /// What awc's decoder makes of a body: whether it found the end.
    async fn decoded_by_awc(body: &[u8]) -> Result<bool, PayloadError> {
        use futures::StreamExt;
        let (mut server, stream) = tokio::io::duplex(1 << 16);
        server.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
        server.write_all(body).await.unwrap();
        drop(server);
        let mut framed = actix_codec::Framed::new(stream, h1::ClientCodec::default());
        framed.next().await.unwrap().unwrap();
        let mut framed = framed.into_map_codec(h1::ClientCodec::into_payload_codec);
        while let Some(item) = framed.next().await {
            let item: Option<Bytes> = item?;
            if item.is_none() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    #[actix_rt::test]
    async fn awc_finds_the_same_end() {
        let mut random = crate::seed::rng();
        let pieces: [&[u8]; 16] = [
            b"0",
            b"1",
            b"a",
            b"F",
            b"\r\n",
            b"\r",
            b"\n",
            b";",
            b"x",
            b" ",
            b"\t",
            b"\x01",
            b"\x7f",
            b"0\r\n\r\n",
            b"3\r\nabc\r\n",
            b"ffffffffffffffff",
        ];
        for _ in 0..4_000 {
            let count = random.usize(1..12);
            let body: Vec<u8> =
                (0..count).flat_map(|_| pieces[random.usize(..pieces.len())]).copied().collect();
            let state = end(&body).1;
            match decoded_by_awc(&body).await {
                Ok(ended) => assert_eq!(state == Chunked::End, ended, "{}", body.escape_ascii()),
                Err(_) => assert_eq!(state, Chunked::Broken, "{}", body.escape_ascii()),
            }
        }
    }
}
