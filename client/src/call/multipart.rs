//! Bodies of several parts, as HTML forms with files send them (RFC 7578). Pure.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use uuid::Uuid;

use super::Call;
use crate::error::ErrorKind;

/// The fields and files of a `multipart/form-data` body, in the order in which they are sent.
///
/// ```
/// use resilient_client::{Call, Multipart, Part};
///
/// let form = Multipart::new()
///     .text("title", "Holidays")
///     .part("photo", Part::bytes(&b"\xff\xd8"[..]).file_name("beach.jpg").content_type("image/jpeg"));
/// let call = Call::post("/photos").multipart(form);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Multipart {
    parts: Vec<(String, Part)>,
}

/// One part of a [`Multipart`]: a field, or a file.
///
/// The debug output has its length and not its content.
#[derive(Clone, derive_more::Debug)]
pub struct Part {
    #[debug("{} bytes", content.len())]
    content: Bytes,
    file_name: Option<String>,
    content_type: Option<String>,
}

impl Multipart {
    /// Makes a form without parts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field that is text.
    #[must_use]
    pub fn text(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.part(name, Part::text(value))
    }

    /// Adds a field or a file.
    #[must_use]
    pub fn part(mut self, name: impl Into<String>, part: Part) -> Self {
        self.parts.push((name.into(), part));
        self
    }
}

impl Part {
    /// Makes a part of text, without a file name and without a content type.
    pub fn text(text: impl Into<String>) -> Self {
        Self { content: text.into().into(), file_name: None, content_type: None }
    }

    /// Makes a part of bytes, without a file name. Its content type is `application/octet-stream`.
    pub fn bytes(content: impl Into<Bytes>) -> Self {
        let content_type = Some("application/octet-stream".to_owned());
        Self { content: content.into(), file_name: None, content_type }
    }

    /// Sets the file name, which makes the part a file for the server.
    #[must_use]
    pub fn file_name(self, name: impl Into<String>) -> Self {
        Self { file_name: Some(name.into()), ..self }
    }

    /// Sets the content type, such as `image/png`.
    #[must_use]
    pub fn content_type(self, content_type: impl Into<String>) -> Self {
        Self { content_type: Some(content_type.into()), ..self }
    }
}

impl<To> Call<To> {
    /// Sets the body to a form with fields and files, and the `Content-Type` to `multipart/form-data`.
    ///
    /// The body is put together once, so every attempt sends the same bytes.
    #[must_use]
    pub fn multipart(mut self, form: Multipart) -> Self {
        let boundary = unused_boundary(&form);
        match encode(form, &boundary) {
            Ok(body) => {
                let content_type = format!("multipart/form-data; boundary={boundary}");
                let content_type = HeaderValue::try_from(content_type).expect("a boundary is visible ASCII");
                self.set_header(CONTENT_TYPE, content_type);
                self.parts.body = body;
            }
            Err(why) => self.spoil(ErrorKind::Encode, format!("multipart: {why}")),
        }
        self
    }
}

/// A boundary that occurs in no part. A random one never does, except by intent.
fn unused_boundary(form: &Multipart) -> String {
    loop {
        let boundary = Uuid::new_v4().simple().to_string();
        let occurs = |(_, part): &(_, Part)| contains(&part.content, boundary.as_bytes());
        if !form.parts.iter().any(occurs) {
            return boundary;
        }
    }
}

fn contains(bytes: &[u8], sought: &[u8]) -> bool {
    // Every boundary begins with a random byte of sixteen: comparing whole windows would be slow on large files.
    let first = sought[0];
    bytes.iter().enumerate().any(|(at, byte)| *byte == first && bytes[at..].starts_with(sought))
}

fn encode(form: Multipart, boundary: &str) -> Result<Bytes, String> {
    let length: usize = form.parts.iter().map(|(name, part)| name.len() + part.content.len() + 256).sum();
    let mut body = Vec::with_capacity(length + 64);
    for (name, part) in form.parts {
        body.extend(
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", quoted(&name)).bytes(),
        );
        if let Some(file_name) = &part.file_name {
            body.extend(format!("; filename=\"{}\"", quoted(file_name)).bytes());
        }
        if let Some(content_type) = &part.content_type {
            if content_type.is_empty() || content_type.chars().any(char::is_control) {
                return Err(format!("the content type of part {name:?} must be visible characters"));
            }
            body.extend(format!("\r\nContent-Type: {content_type}").bytes());
        }
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(&part.content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").bytes());
    Ok(body.into())
}

/// A name between quotes, with what would end it encoded as browsers do.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(form: Multipart) -> String {
        String::from_utf8(encode(form, "XYZ").unwrap().to_vec()).unwrap()
    }

    #[test]
    fn fields_and_files_are_written_as_rfc_7578_says() {
        let form = Multipart::new()
            .text("title", "Müller & \"Söhne\"")
            .part("photo", Part::bytes("bytes").file_name("a.png").content_type("image/png"))
            .part("raw", Part::bytes("\r\n--"));
        let expected = "--XYZ\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nMüller & \"Söhne\"\r\n\
            --XYZ\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a.png\"\r\n\
            Content-Type: image/png\r\n\r\nbytes\r\n\
            --XYZ\r\nContent-Disposition: form-data; name=\"raw\"\r\n\
            Content-Type: application/octet-stream\r\n\r\n\r\n--\r\n--XYZ--\r\n";
        assert_eq!(encoded(form), expected);
        assert_eq!(encoded(Multipart::new()), "--XYZ--\r\n");
    }

    #[test]
    fn a_name_cannot_end_its_quotes_or_its_line() {
        let form = Multipart::new().part("a\"\r\nX: y", Part::text("").file_name("b\".png\n"));
        let expected = "--XYZ\r\nContent-Disposition: form-data; name=\"a%22%0D%0AX: y\"; \
            filename=\"b%22.png%0A\"\r\n\r\n\r\n--XYZ--\r\n";
        assert_eq!(encoded(form), expected);
    }

    #[test]
    fn a_content_type_with_a_line_break_is_rejected() {
        let form = Multipart::new().part("file", Part::bytes("x").content_type("text/plain\r\nX: y"));
        let error = crate::ClientConfig::new("http://h").validate_call(Call::post("/").multipart(form));
        let error = error.unwrap_err();
        assert_eq!((error.kind(), error.message().contains("\"file\"")), (ErrorKind::Encode, true));
    }

    #[test]
    fn the_content_type_names_a_boundary_of_the_body_and_replaces_an_earlier_one() {
        let call =
            Call::post("/").header("content-type", "text/plain").multipart(Multipart::new().text("a", "b"));
        let types: Vec<_> = call.parts.headers.iter().filter(|(name, _)| name == CONTENT_TYPE).collect();
        let [(_, value)] = types[..] else { panic!("{types:?}") };
        let boundary = value.to_str().unwrap().strip_prefix("multipart/form-data; boundary=").unwrap();
        assert!(call.parts.body.starts_with(format!("--{boundary}\r\n").as_bytes()));
    }

    #[test]
    fn a_boundary_is_found_wherever_it_stands() {
        for (bytes, found) in [("abcXYZ", true), ("XYZ", true), ("XXYZ", true), ("XY", false), ("", false)] {
            assert_eq!(contains(bytes.as_bytes(), b"XYZ"), found, "{bytes}");
        }
    }
}
