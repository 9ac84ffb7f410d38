//! Every coding: whole, split, cut, corrupt, and much larger than it looks.

use std::io::Write as _;

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{
    Compress, Compression, FlushCompress,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};

use super::*;

const LONGEST: u64 = 1 << 20;

/// What the streams below decode to.
fn plain() -> Vec<u8> {
    let line = |n: u32| format!("{{\"n\":{n},\"square\":{},\"name\":\"item {}\"}}\n", n * n, n % 7);
    (0..40).map(line).collect::<String>().into_bytes()
}

/// The plain text as `zstd -19` writes it: with its length and a checksum.
const ZSTD: &str = "KLUv/WTgBGUHAJINIBSgqwOF8/2OB1XAr22lTDKBvitOxfU17X+TJVoJw3TRzu4ZXnvLVDWr2opZq8qyPqWfiOQ0QRgJRJ/xjM\
    Td6TM/3e5fV71ctOxtqZlMFM/Ynn3F7JtY61+3blvVom7KHlPlCUTDO9+xtzTfbYFIqCA5HERIDOVgjGdphKEKQRGgW6gQSEzbmQOAFRSUPCEECEFIo\
    AtRKDE+BjCkaONEHiXkGKFGiD0+7MxgeHpLotyVqG5KFLcmylsSVIN1yEeY0Cw4aCsuaBMNtE/3AD2ap0mBoYUE8JRCd3wuI0CAQwhADZi/SgRUry\
    gF5+8fTg==";
/// The plain text as `zstd -3 --no-check` writes it to a pipe: with a window, and neither length nor checksum.
const ZSTD_BARE: &str = "KLUv/QBYlQcAoosdGKAn6Q+Y/ec4gqt/CIncW8qUEmBRVtdqBXX2i2sSszSxbORdRJto27lnvpQKqZW0iPVWk2pbZXnp\
    r51aNN9fF18hrZItsruduf6+JrIsx1uhOzGzVbVuvM99SQ5zTAEgYSjAKA4GZpjCII6igEAgMBgBGuaYQnSoIazcfmwGgJOCpG0RJARFRTEJ0pllMz\
    NoGpsXfJJZ8HGm/rv+uX4vC8PPMrJ4YBB+rQOejZO5mrtxxKNxMrdztXN/hOP45cJfZwPj88ab+x1DxyZr4HihP286a+NUrQuNmYZpGBWTBj4kgyE\
    oSAUOOkEGdZWBqAY=";

fn base64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn bare_deflate(plain: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn brotli(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ::brotli::CompressorWriter::new(Vec::new(), 4_096, 9, 22);
    encoder.write_all(plain).unwrap();
    encoder.into_inner()
}

/// A member with every optional field of its header.
fn gzip_with_all_fields(plain: &[u8]) -> Vec<u8> {
    let mut header = vec![0x1f, 0x8b, 8, 0b1_1110, 1, 2, 3, 4, 0, 255];
    header.extend(b"\x03\x00abc");
    header.extend(b"name.txt\0");
    header.extend(b"a comment\0");
    let mut crc = flate2::Crc::new();
    crc.update(&header);
    header.extend(&crc.sum().to_le_bytes()[..2]);
    let simple = gzip(plain);
    header.extend(&simple[10..]);
    header
}

/// Whether every change of a stream is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Checked {
    /// By a checksum.
    Yes,
    /// The format has no checksum.
    No,
}

/// A stream of each kind: its name, its codings, whether it is checked, its bytes.
fn streams() -> Vec<(&'static str, &'static str, Checked, Vec<u8>)> {
    let plain = plain();
    let (one, two) = plain.split_at(700);
    let skippable = b"\x5a\x2a\x4d\x18\x03\x00\x00\x00abc".to_vec();
    vec![
        ("gzip", "gzip", Checked::Yes, gzip(&plain)),
        ("gzip with all fields", "gzip", Checked::Yes, gzip_with_all_fields(&plain)),
        ("gzip of two members", "gzip", Checked::Yes, [gzip(one), gzip_with_all_fields(two)].concat()),
        ("zlib", "deflate", Checked::Yes, zlib(&plain)),
        ("bare deflate", "deflate", Checked::No, bare_deflate(&plain)),
        ("brotli", "br", Checked::No, brotli(&plain)),
        ("zstd", "zstd", Checked::Yes, base64(ZSTD)),
        ("bare zstd", "zstd", Checked::No, base64(ZSTD_BARE)),
        ("zstd after a skippable frame", "zstd", Checked::Yes, [skippable, base64(ZSTD)].concat()),
        ("gzip, then brotli", "gzip, br", Checked::Yes, brotli(&gzip(&plain))),
        ("zstd, then zlib, then gzip", "zstd, deflate, gzip", Checked::Yes, gzip(&zlib(&base64(ZSTD)))),
    ]
}

fn decoder(codings: &str, longest: u64) -> Decoder {
    match Codings::find(std::iter::once(codings.as_bytes())) {
        Found::Coded(codings) => Decoder::new(&codings, longest),
        other => panic!("{other:?}"),
    }
}

fn decode(codings: &str, pieces: &[&[u8]]) -> Result<Vec<u8>, Flaw> {
    let mut decoder = decoder(codings, LONGEST);
    pieces.iter().try_for_each(|piece| decoder.decode(piece))?;
    decoder.finish()
}

#[test]
fn every_coding_is_decoded_wherever_its_bytes_are_split() {
    for (name, codings, _, stream) in streams() {
        assert_eq!(decode(codings, &[&stream]).unwrap(), plain(), "{name}");
        for at in 0..=stream.len() {
            let (one, two) = stream.split_at(at);
            assert_eq!(decode(codings, &[one, two]).unwrap(), plain(), "{name} split at {at}");
        }
        let bytes: Vec<_> = stream.chunks(1).collect();
        assert_eq!(decode(codings, &bytes).unwrap(), plain(), "{name} byte by byte");
    }
}

#[test]
fn a_stream_that_is_cut_anywhere_is_cut_and_nothing_else() {
    for (name, codings, _, stream) in streams() {
        // A gzip file may end after each of its members.
        let member = if name == "gzip of two members" { gzip(&plain()[..700]).len() } else { usize::MAX };
        // So may a zstd file after each of its frames.
        let frame = if name == "zstd after a skippable frame" { 11 } else { usize::MAX };
        for end in (0..stream.len()).filter(|end| ![member, frame].contains(end)) {
            let result = decode(codings, &[&stream[..end]]);
            assert!(matches!(result, Err(Flaw::Cut(_))), "{name} cut at {end}: {result:?}");
        }
    }
}

#[test]
fn a_changed_bit_is_noticed_wherever_the_coding_has_a_checksum() {
    let plain = plain();
    for (name, codings, checked, stream) in streams() {
        let mut elsewise = 0;
        for at in 0..stream.len() * 8 {
            let mut changed = stream.clone();
            changed[at / 8] ^= 1 << (at % 8);
            match decode(codings, &[&changed]) {
                // Some bits say nothing about the content: a time, a name, the size of a window.
                Ok(body) if body == plain => {}
                Ok(body) => {
                    assert_eq!(checked, Checked::No, "{name}, bit {at}: {} bytes", body.len());
                    elsewise += 1;
                }
                Err(_) => {}
            }
        }
        assert_eq!(elsewise > 0, checked == Checked::No, "{name}");
        println!("{name}: {elsewise} of {} changed bits decode to something else", stream.len() * 8);
    }
}

#[test]
fn bytes_after_the_end_of_a_stream_make_it_corrupt() {
    for (name, codings, _, stream) in streams() {
        for extra in [&b"\0"[..], b"x", b"garbage that follows"] {
            let result = decode(codings, &[&stream, extra]);
            assert!(matches!(result, Err(Flaw::Corrupt(_))), "{name} and {extra:?}: {result:?}");
            let together = [&stream[..], extra].concat();
            let result = decode(codings, &[&together]);
            assert!(matches!(result, Err(Flaw::Corrupt(_))), "{name} and {extra:?}: {result:?}");
        }
    }
}

#[test]
fn what_is_no_stream_at_all_is_corrupt() {
    for (codings, bytes) in [
        ("gzip", &b"not gzip"[..]),
        ("gzip", b"\x1f\x8b\x08\xe0\0\0\0\0\0\xff"),
        ("deflate", b"\xff\xff\xff\xff"),
        ("br", b"\xff\xff\xff\xff\xff\xff"),
        ("zstd", b"not zstd"),
        ("zstd", b"\x28\xb5\x2f\xfd\x08\x58"),
        // A window of 16 MiB.
        ("zstd", b"\x28\xb5\x2f\xfd\x00\x70\x01\x00\x00"),
        // A window of 16 EiB, as the size of a single segment.
        ("zstd", b"\x28\xb5\x2f\xfd\xe0\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x00"),
        // The large windows that RFC 7932 does not know.
        ("br", b"\x11\x1e\x0b\x80"),
    ] {
        let result = decode(codings, &[bytes]);
        assert!(matches!(result, Err(Flaw::Corrupt(_))), "{codings} {bytes:?}: {result:?}");
    }
}

/// A gzip file of `count` MiB of zeros: a whole mebibyte in a kilobyte that refers to nothing before it, repeated.
fn gzip_bomb(count: u32) -> Vec<u8> {
    const MIB: usize = 1 << 20;
    let mut encoder = Compress::new(Compression::default(), false);
    let mut block = Vec::with_capacity(MIB);
    encoder.compress_vec(&vec![0; MIB], &mut block, FlushCompress::Full).unwrap();
    assert_eq!(encoder.total_in(), MIB as u64);
    let mut bomb = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    (0..count).for_each(|_| bomb.extend(&block));
    // An empty last block, and the checksum of 1 GiB of zeros.
    bomb.extend([3, 0]);
    bomb.extend(0x9ca2_95d7_u32.to_le_bytes());
    bomb.extend((count << 20).to_le_bytes());
    bomb
}

/// A zstd frame of 1 GiB of zeros, in runs of 128 KiB.
fn zstd_bomb() -> Vec<u8> {
    let mut bomb = vec![0x28, 0xb5, 0x2f, 0xfd, 0, 0x58];
    for n in 0..8_192_u32 {
        let header = (128 << 10) << 3 | 1 << 1 | u32::from(n == 8_191);
        bomb.extend(&header.to_le_bytes()[..3]);
        bomb.push(0);
    }
    bomb
}

#[test]
fn a_bomb_is_refused_at_the_bound_in_bounded_memory() {
    let gzip_bomb = gzip_bomb(1_024);
    assert!(gzip_bomb.len() < 3 << 19, "1 GiB in {} bytes", gzip_bomb.len());
    let twice = gzip(&gzip_bomb);
    for (codings, bomb) in [
        ("gzip", gzip_bomb),
        ("zstd", zstd_bomb()),
        ("br", brotli(&vec![0; 64 << 20])),
        ("gzip, gzip", twice),
    ] {
        let mut decoder = decoder(codings, LONGEST);
        let mut taken = 0;
        let refused = bomb.chunks(1_024).try_for_each(|chunk| {
            taken += chunk.len();
            decoder.decode(chunk)
        });
        assert_eq!(refused, Err(Flaw::TooLong), "{codings}");
        assert!(decoder.decoded.capacity() as u64 <= 2 * LONGEST, "{}", decoder.decoded.capacity());
        assert!(taken <= bomb.len() / 16 || taken <= 4_096, "{codings}: {taken} of {} bytes", bomb.len());
    }
}

#[test]
fn a_bound_is_met_to_the_byte() {
    let length = plain().len() as u64;
    for (name, codings, _, stream) in streams() {
        let at = |longest| {
            let mut decoder = decoder(codings, longest);
            decoder.decode(&stream).and_then(|()| decoder.finish())
        };
        assert_eq!(at(length).unwrap(), plain(), "{name}");
        assert_eq!(at(length - 1), Err(Flaw::TooLong), "{name}");
    }
}

#[test]
fn endless_empty_members_inside_another_coding_are_refused() {
    let empty = gzip(b"").repeat(100_000);
    let stream = zlib(&empty);
    let mut decoder = decoder("gzip, deflate", 1_000);
    assert_eq!(decoder.decode(&stream), Err(Flaw::TooLong));
}

#[test]
fn no_bytes_make_a_decoder_panic() {
    let mut random = crate::seed::rng();
    let streams = streams();
    let rounds = std::env::var("ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(3_000);
    for _ in 0..rounds {
        let (_, codings, _, stream) = &streams[random.usize(..streams.len())];
        let mut bytes = stream.clone();
        for _ in 0..random.usize(1..8) {
            let at = random.usize(..bytes.len());
            match random.u8(..4) {
                0 => bytes[at] = random.u8(..),
                1 => bytes[at] ^= 1 << random.u8(..8),
                2 => bytes.truncate(at.max(1)),
                _ => {
                    let from = random.usize(..bytes.len());
                    let piece: Vec<u8> = bytes[from..].iter().take(random.usize(1..16)).copied().collect();
                    bytes.splice(at..at, piece);
                }
            }
        }
        let size = random.usize(1..=bytes.len());
        let _ = decode(codings, &bytes.chunks(size).collect::<Vec<_>>());
    }
}
