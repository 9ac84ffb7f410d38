//! The content codings that a reply names. Pure.

use super::Coding;

/// The most codings of one reply. Servers apply one, proxies seldom a second.
const MOST: usize = 3;

/// The codings of a reply in the order in which they were applied; at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::transport) struct Codings {
    all: [Option<Coding>; MOST],
}

/// What the `Content-Encoding` of a reply says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::transport) enum Found {
    /// The body is as it is, or has a coding that is not known.
    NothingToDecode,
    /// The body has these codings.
    Coded(Codings),
    /// There are more codings than are decoded.
    TooMany,
}

impl Codings {
    /// Reads the values of all `Content-Encoding` fields.
    pub(in crate::transport) fn find<'a>(fields: impl Iterator<Item = &'a [u8]>) -> Found {
        let mut found = Self { all: [None; MOST] };
        let mut count = 0;
        for name in fields.flat_map(|value| value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii) {
            if name.is_empty() || name.eq_ignore_ascii_case(b"identity") {
                continue;
            }
            // With an unknown coding in it, the body cannot be decoded as a whole, and half of it is of no use.
            let Some(coding) = coding(name) else { return Found::NothingToDecode };
            if let Some(place) = found.all.get_mut(count) {
                *place = Some(coding);
            }
            count += 1;
        }
        match count {
            0 => Found::NothingToDecode,
            1..=MOST => Found::Coded(found),
            _ => Found::TooMany,
        }
    }

    /// The codings in the order in which they were applied.
    pub(super) fn applied(&self) -> impl DoubleEndedIterator<Item = Coding> {
        self.all.into_iter().flatten()
    }
}

/// The coding of a name (RFC 9110, 8.4.1). `x-gzip` is the same as `gzip`.
fn coding(name: &[u8]) -> Option<Coding> {
    let names: [(&[u8], Coding); 5] = [
        (b"gzip", Coding::Gzip),
        (b"x-gzip", Coding::Gzip),
        (b"deflate", Coding::Deflate),
        (b"br", Coding::Brotli),
        (b"zstd", Coding::Zstd),
    ];
    names.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known)).map(|(_, coding)| coding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codings_are_read_in_their_order_and_an_unknown_one_leaves_the_body_alone() {
        use Coding::{Brotli, Deflate, Gzip, Zstd};
        for (fields, expected) in [
            (&[][..], Some(&[][..])),
            (&[""], Some(&[])),
            (&["identity"], Some(&[])),
            (&["gzip"], Some(&[Gzip])),
            (&["X-GZip"], Some(&[Gzip])),
            (&["deflate"], Some(&[Deflate])),
            (&["br"], Some(&[Brotli])),
            (&["zstd"], Some(&[Zstd])),
            (&[" gzip ,\tBR, identity"], Some(&[Gzip, Brotli])),
            (&["gzip", "br, zstd"], Some(&[Gzip, Brotli, Zstd])),
            (&["gzip, br", "zstd, gzip"], None),
            (&["compress"], Some(&[])),
            (&["gzip, dcb"], Some(&[])),
            (&["\"gzip\""], Some(&[])),
        ] {
            let found = match Codings::find(fields.iter().map(|field| field.as_bytes())) {
                Found::NothingToDecode => Some(Vec::new()),
                Found::Coded(codings) => Some(codings.applied().collect()),
                Found::TooMany => None,
            };
            assert_eq!(found.as_deref(), expected, "{fields:?}");
        }
    }
}
