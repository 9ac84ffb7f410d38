//! Bodies with content codings, for servers that compress their replies.

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{
    Compress, Compression, FlushCompress,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};

/// What [`ZSTD`] decodes to.
pub const ZSTD_TEXT: &str = "hello, hello, hello, hello, zstd";
const ZSTD: &str = "KLUv/QRYjQAAWGhlbGxvLCB6c3RkAQD6ihHMUtsj";

const MIB: usize = 1 << 20;

/// A zstd frame with a checksum, which the command `zstd` wrote.
pub fn zstd() -> Vec<u8> {
    STANDARD.decode(ZSTD).expect("it is base64")
}

/// A gzip file.
pub fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).and_then(|()| encoder.finish()).expect("memory can be written")
}

/// A zlib stream, which is what `deflate` means.
pub fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).and_then(|()| encoder.finish()).expect("memory can be written")
}

/// A bare DEFLATE stream, which some servers send as `deflate`.
pub fn bare_deflate(plain: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).and_then(|()| encoder.finish()).expect("memory can be written")
}

/// A brotli stream.
pub fn brotli(plain: &[u8]) -> Vec<u8> {
    let mut encoder = ::brotli::CompressorWriter::new(Vec::new(), 4_096, 9, 22);
    encoder.write_all(plain).expect("memory can be written");
    encoder.into_inner()
}

/// A gzip file of 1 GiB of zeros, in about 1 MiB.
pub fn gzip_bomb() -> Vec<u8> {
    // A mebibyte in a kilobyte that refers to nothing before it can be repeated.
    let mut encoder = Compress::new(Compression::default(), false);
    let mut block = Vec::with_capacity(MIB);
    encoder.compress_vec(&vec![0; MIB], &mut block, FlushCompress::Full).expect("memory can be written");
    let mut bomb = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    (0..1_024).for_each(|_| bomb.extend(&block));
    bomb.extend([3, 0]);
    bomb
}
