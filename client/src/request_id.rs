//! The request id, which every attempt of a call carries, so that a server can recognise a repetition.

use http::HeaderValue;
use uuid::Uuid;

/// The name of its header.
pub(crate) const HEADER: &str = "x-request-id";
/// The longest id that servers must accept; a longer one is rejected before it is sent.
const LONGEST: usize = 255;

/// A valid request id: 1 to 255 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// Makes a random id: a UUID, version 4.
    pub(crate) fn random() -> Self {
        let mut text = Uuid::encode_buffer();
        let text: &str = Uuid::new_v4().hyphenated().encode_lower(&mut text);
        Self(HeaderValue::from_str(text).expect("a UUID is visible ASCII"))
    }

    /// Reads an id of the caller.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let visible = text.iter().all(u8::is_ascii_graphic);
        if text.is_empty() || text.len() > LONGEST || !visible {
            return Err(format!("must be 1 to {LONGEST} visible ASCII characters"));
        }
        HeaderValue::from_bytes(text).map(Self).map_err(|why| why.to_string())
    }

    pub(crate) fn value(&self) -> &HeaderValue {
        &self.0
    }

    /// The text of the id.
    pub fn as_str(&self) -> &str {
        self.0.to_str().expect("it was checked to be visible ASCII")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_id_is_a_version_4_uuid_and_never_the_same() {
        let (one, other) = (RequestId::random(), RequestId::random());
        assert_ne!(one, other);
        assert_eq!(Uuid::parse_str(one.as_str()).unwrap().get_version_num(), 4);
    }

    #[test]
    fn an_id_is_visible_ascii_of_a_bounded_length() {
        assert_eq!(RequestId::parse(b"order-42").unwrap().as_str(), "order-42");
        assert!(RequestId::parse(&[b'x'; 255]).is_ok());
        for bad in [&b""[..], b"two words", b"line\nbreak", "\u{e9}".as_bytes(), &[b'x'; 256]] {
            assert!(RequestId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
