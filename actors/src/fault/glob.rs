//! Glob patterns over whole values. Pure.

use std::fmt;

/// A pattern: `*` matches any run of characters (`/` included), `?` matches one character, and `\` makes the
/// character behind it literal. It matches a whole value, case-sensitively.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    source: Box<str>,
    tokens: Box<[Token]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Literal(char),
    AnyOne,
    AnyRun,
}

impl Glob {
    /// Parses a pattern. Every text is one; a `\` at its end stands for itself.
    #[must_use]
    pub fn new(source: &str) -> Self {
        let mut tokens = Vec::with_capacity(source.len());
        let mut characters = source.chars();
        while let Some(character) = characters.next() {
            let token = match character {
                '*' => Token::AnyRun,
                '?' => Token::AnyOne,
                '\\' => Token::Literal(characters.next().unwrap_or('\\')),
                literal => Token::Literal(literal),
            };
            // Two runs in a row match what one run matches.
            if token != Token::AnyRun || tokens.last() != Some(&Token::AnyRun) {
                tokens.push(token);
            }
        }
        Self { source: source.into(), tokens: tokens.into() }
    }

    /// Whether the pattern matches all of `value`.
    ///
    /// Only the last run is ever extended, because an earlier one could gain nothing: so the time is linear in the
    /// value for a given pattern, whatever both contain.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        let tokens = &self.tokens;
        let mut position = 0;
        let mut rest = value.chars();
        // Where to go on when the last run takes one character more.
        let mut last_run = None;
        loop {
            let before = rest.clone();
            match (tokens.get(position), rest.next()) {
                (Some(Token::AnyRun), _) => {
                    position += 1;
                    last_run = Some((position, before.clone()));
                    rest = before;
                    continue;
                }
                (Some(Token::AnyOne), Some(_)) => position += 1,
                (Some(Token::Literal(expected)), Some(found)) if *expected == found => position += 1,
                (None, None) => return true,
                (_, None) => return false,
                (_, Some(_)) => match &mut last_run {
                    Some((after_run, start)) => {
                        start.next();
                        (position, rest) = (*after_run, start.clone());
                    }
                    None => return false,
                },
            }
        }
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_pattern_matches_whole_values() {
        let table = [
            ("", "", true),
            ("", "a", false),
            ("/echo", "/echo", true),
            ("/echo", "/echo/", false),
            ("/echo", "/Echo", false),
            ("*", "", true),
            ("*", "a/b/c", true),
            ("/echo/*", "/echo/", true),
            ("/echo/*", "/echo/orders/7", true),
            ("/echo/*", "/echo", false),
            ("/*/items/*", "/a/b/items/items/", true),
            ("*.json", "a.json.gz", false),
            ("*.json", ".json.json", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a?c", "aéc", true),
            ("?", "", false),
            ("*?", "", false),
            ("*?", "x", true),
            (r"a\*b", "a*b", true),
            (r"a\*b", "axb", false),
            (r"\?", "?", true),
            (r"\\", r"\", true),
            (r"end\", r"end\", true),
            (r"\d", "d", true),
            ("**a**", "bab", true),
        ];
        for (pattern, value, expected) in table {
            assert_eq!(Glob::new(pattern).matches(value), expected, "{pattern:?} on {value:?}");
        }
    }

    #[test]
    fn an_adversarial_pattern_takes_no_exponential_time() {
        let pattern = Glob::new(&"*a".repeat(200));
        assert!(!pattern.matches(&("a".repeat(20_000) + "b")));
    }

    /// The definition, by recursion: exponential, and obviously right.
    fn naive(pattern: &[char], value: &[char]) -> bool {
        match (pattern, value) {
            ([], []) => true,
            (['*', rest @ ..], _) => {
                naive(rest, value) || matches!(value, [_, tail @ ..] if naive(pattern, tail))
            }
            (['\\'], _) => value == ['\\'],
            (['\\', literal, rest @ ..], [found, tail @ ..]) => literal == found && naive(rest, tail),
            ([_, ..], []) | ([], _) => false,
            ([wanted, rest @ ..], [found, tail @ ..]) => {
                (*wanted == '?' || wanted == found) && naive(rest, tail)
            }
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_definition(pattern in r"[ab*?\\]{0,8}", value in r"[ab*\\]{0,10}") {
            let characters = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = naive(&characters(&pattern), &characters(&value));
            prop_assert_eq!(Glob::new(&pattern).matches(&value), expected);
        }
    }
}
