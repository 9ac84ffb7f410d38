//! From the text of a `.env` to its entries. Pure; it accepts any text.

use super::{Entry, Fault};

/// The entries of a text, in its order.
pub(super) fn parse(text: &str) -> Vec<Entry> {
    let mut cursor = Cursor { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 };
    let mut entries = Vec::new();
    loop {
        cursor.skip(char::is_whitespace);
        if cursor.rest.is_empty() {
            return entries;
        }
        entries.extend(entry(&mut cursor));
    }
}

/// The unread rest of the text, and the number of its first line.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Cursor<'a> {
    /// Reads as long as `is_part` holds.
    fn skip(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        self.take(end)
    }

    /// Reads that many bytes.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length);
        let after_carriage_return = taken.ends_with('\r') && rest.starts_with('\n');
        self.line +=
            taken.replace("\r\n", "\n").matches(is_line_end).count() - usize::from(after_carriage_return);
        self.rest = rest;
        taken
    }

    fn skip_blanks(&mut self) -> &'a str {
        self.skip(|c| c.is_whitespace() && !is_line_end(c))
    }

    fn skip_line(&mut self) -> &'a str {
        self.skip(|c| !is_line_end(c))
    }

    fn skip_if(&mut self, expected: char) -> bool {
        let found = self.rest.starts_with(expected);
        if found {
            self.take(expected.len_utf8());
        }
        found
    }

    /// Reads a comment; returns whether that ends the line.
    fn skip_comment(&mut self) -> bool {
        self.skip_blanks();
        if self.rest.starts_with('#') {
            self.skip_line();
        }
        self.rest.is_empty() || self.rest.starts_with(is_line_end)
    }
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\r' | '\n')
}

/// Reads one entry; `None` for a comment and for a line without a name.
fn entry(cursor: &mut Cursor<'_>) -> Option<Entry> {
    skip_export(cursor);
    let line = cursor.line;
    let Some(name) = name(cursor) else {
        cursor.skip_line();
        return None;
    };
    cursor.skip_blanks();
    let mut behind = *cursor;
    let value = value(&mut behind);
    if value.is_ok() {
        *cursor = behind;
    } else {
        cursor.skip_line();
    }
    Some(Entry { name: name.to_owned(), line, value })
}

/// Reads the word `export` where another word follows it.
fn skip_export(cursor: &mut Cursor<'_>) {
    if let Some(behind) = cursor.rest.strip_prefix("export")
        && behind.starts_with(|c: char| c.is_whitespace() && !is_line_end(c))
    {
        cursor.take("export".len());
        cursor.skip_blanks();
    }
}

fn name<'a>(cursor: &mut Cursor<'a>) -> Option<&'a str> {
    if cursor.rest.starts_with('#') {
        return None;
    }
    if let Some(quoted) = cursor.rest.strip_prefix('\'') {
        let end = quoted.find(|c| c == '\'' || is_line_end(c)).filter(|end| *end > 0)?;
        if !quoted[end..].starts_with('\'') {
            return None;
        }
        cursor.take(1 + end + 1);
        return Some(&quoted[..end]);
    }
    Some(cursor.skip(|c| c != '=' && c != '#' && !c.is_whitespace())).filter(|name| !name.is_empty())
}

/// Reads the text after a name, up to the end of the line.
fn value(cursor: &mut Cursor<'_>) -> Result<Option<String>, Fault> {
    if !cursor.skip_if('=') {
        return if cursor.skip_comment() { Ok(None) } else { Err(Fault::NoEqualsSign) };
    }
    let begin = cursor.line;
    let has_blanks = !cursor.skip_blanks().is_empty();
    let value = match cursor.rest.chars().next() {
        Some(quote @ ('\'' | '"')) => quoted(cursor, quote)?,
        Some('#') if has_blanks => String::new(),
        _ => return Ok(Some(unquoted(cursor.skip_line()))),
    };
    if cursor.skip_comment() {
        Ok(Some(value))
    } else if cursor.line > begin {
        // The quotation mark that was found opens the value of another line.
        Err(Fault::Unterminated)
    } else {
        Err(Fault::TrailingText)
    }
}

/// The text without a comment at its end; a comment begins after white space.
fn unquoted(text: &str) -> String {
    let is_comment = |(at, _): &(usize, &str)| text[..*at].ends_with(char::is_whitespace);
    let end = text.match_indices('#').find(is_comment).map_or(text.len(), |(at, _)| at);
    text[..end].trim_end().to_owned()
}

/// Reads text in quotation marks, which may hold line ends. A backslash escapes the next character.
fn quoted(cursor: &mut Cursor<'_>, quote: char) -> Result<String, Fault> {
    let inside = &cursor.rest[quote.len_utf8()..];
    let mut value = String::new();
    let mut characters = inside.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => {
                let (_, escaped) = characters.next().ok_or(Fault::Unterminated)?;
                match unescaped(escaped, quote) {
                    Some(character) => value.push(character),
                    None => value.extend([c, escaped]),
                }
            }
            c if c == quote => {
                cursor.take(quote.len_utf8() + at + quote.len_utf8());
                return Ok(value);
            }
            c => value.push(c),
        }
    }
    Err(Fault::Unterminated)
}

/// The character that a backslash and a character stand for; between single quotation marks only two pairs exist.
fn unescaped(escaped: char, quote: char) -> Option<char> {
    match escaped {
        '\\' | '\'' => Some(escaped),
        _ if quote == '\'' => None,
        '"' => Some('"'),
        'a' => Some('\x07'),
        'b' => Some('\x08'),
        'f' => Some('\x0c'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'v' => Some('\x0b'),
        _ => None,
    }
}
