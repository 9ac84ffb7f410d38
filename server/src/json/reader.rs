//! Walks a JSON value. A method that finds a value wrong reports it and returns `None`, and the walk goes on, so that
//! one answer names everything that is wrong.

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::object::Object;
use super::problem::{Broken, Place, Problem};

/// The problems found so far.
#[derive(Debug, Default)]
pub struct Problems {
    found: RefCell<Vec<Problem>>,
    count: Cell<usize>,
}

/// A value and the way to it.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    value: &'a Value,
    loc: Vec<Place>,
    problems: &'a Problems,
}

/// An integer that JSON and IEEE 754 both hold exactly.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

impl Problems {
    /// How many problems are reported at most.
    pub const LIMIT: usize = 50;

    /// Parses a body and reads it with `read`.
    ///
    /// # Errors
    /// Everything that is wrong with the body, [`LIMIT`](Self::LIMIT) problems at most.
    pub fn read<T>(body: &[u8], read: impl FnOnce(Node<'_>) -> Option<T>) -> Result<T, Vec<Problem>> {
        Self::read_text(body, vec![Place::from("body")], read)
    }

    /// Parses a text that stands at `root` and reads it with `read`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_text<T>(
        body: &[u8],
        root: Vec<Place>,
        read: impl FnOnce(Node<'_>) -> Option<T>,
    ) -> Result<T, Vec<Problem>> {
        match serde_json::from_slice(body) {
            Ok(value) => Self::read_value(&value, root, read),
            Err(error) => {
                let loc = [root, vec![Place::Index(offset(body, &error))]].concat();
                Err(vec![Problem::new(
                    Broken::JsonInvalid(error.to_string()),
                    loc,
                    Value::Object(Map::new()),
                )])
            }
        }
    }

    /// Reads a value that stands at `loc`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_value<T>(
        value: &Value,
        loc: Vec<Place>,
        read: impl FnOnce(Node<'_>) -> Option<T>,
    ) -> Result<T, Vec<Problem>> {
        let problems = Self::default();
        let result = read(Node { value, loc, problems: &problems });
        match result {
            Some(result) if problems.count.get() == 0 => Ok(result),
            _ => Err(problems.found.into_inner()),
        }
    }

    fn report(&self, problem: Problem) {
        self.count.set(self.count.get() + 1);
        let mut found = self.found.borrow_mut();
        if found.len() < Self::LIMIT {
            found.push(problem);
        }
    }
}

/// Where in the body the parser stopped, in bytes from its beginning.
fn offset(body: &[u8], error: &serde_json::Error) -> usize {
    let lines = body.split_inclusive(|byte| *byte == b'\n');
    let before: usize = lines.take(error.line().saturating_sub(1)).map(<[u8]>::len).sum();
    (before + error.column().saturating_sub(1)).min(body.len())
}

impl<'a> Node<'a> {
    /// The value.
    #[must_use]
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// An object.
    #[must_use]
    pub fn object(self) -> Option<Object<'a>> {
        match self.value {
            Value::Object(fields) => Some(Object::new(self, fields)),
            _ => self.broken(Broken::DictType),
        }
    }

    /// An object with any names.
    #[must_use]
    pub fn entries(self) -> Option<Vec<(&'a str, Node<'a>)>> {
        match self.value {
            Value::Object(fields) => {
                let entry = |(name, value): (&'a String, &'a Value)| (&**name, self.named(name, value));
                Some(fields.iter().map(entry).collect())
            }
            _ => self.broken(Broken::DictType),
        }
    }

    /// A list with at most `limit` elements.
    #[must_use]
    pub fn list(self, limit: usize) -> Option<Vec<Node<'a>>> {
        match self.value {
            Value::Array(elements) if elements.len() > limit => {
                self.invalid(format!("List should have at most {limit} items, not {}", elements.len()))
            }
            Value::Array(elements) => {
                Some(elements.iter().enumerate().map(|(i, value)| self.at(i, value)).collect())
            }
            _ => self.broken(Broken::ListType),
        }
    }

    /// A string of at most `limit` characters.
    #[must_use]
    pub fn string(self, limit: usize) -> Option<&'a str> {
        match self.value {
            Value::String(text) if text.chars().count() > limit => self.broken(Broken::TooLong(limit)),
            Value::String(text) => Some(text),
            _ => self.broken(Broken::StringType),
        }
    }

    /// A whole number. As in pydantic's lax mode a fraction of zero and a numeric string are fine.
    #[must_use]
    pub fn integer(self, range: RangeInclusive<u64>) -> Option<u64> {
        let number = match self.value {
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(integer), _) => i128::from(integer),
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "it saturates, and is out of any range then"
                )]
                (None, Some(float)) if float.fract() == 0.0 => float as i128,
                _ => return self.broken(Broken::IntType),
            },
            Value::String(text) => match crate::validation::parse_integer(text) {
                Some(integer) => i128::from(integer),
                None => return self.broken(Broken::IntParsing),
            },
            _ => return self.broken(Broken::IntType),
        };
        if number < i128::from(*range.start()) {
            return self.broken(Broken::AtLeast((*range.start()).into()));
        }
        match u64::try_from(number) {
            Ok(number) if number <= *range.end() => Some(number),
            _ => self.broken(Broken::AtMost((*range.end()).into())),
        }
    }

    /// A number.
    #[must_use]
    pub fn number(self, range: RangeInclusive<f64>) -> Option<f64> {
        let Some(number) = self.value.as_f64() else { return self.invalid("should be a number") };
        if number < *range.start() {
            self.broken(Broken::AtLeast((*range.start()).into()))
        } else if number > *range.end() {
            self.broken(Broken::AtMost((*range.end()).into()))
        } else {
            Some(number)
        }
    }

    /// `true` or `false`.
    #[must_use]
    pub fn boolean(self) -> Option<bool> {
        match self.value.as_bool() {
            Some(value) => Some(value),
            None => self.broken(Broken::BoolType),
        }
    }

    /// One of several strings.
    #[must_use]
    pub fn one_of<T: Copy>(self, choices: &[(&str, T)]) -> Option<T> {
        let found = self.value.as_str().and_then(|text| choices.iter().find(|(name, _)| *name == text));
        match found {
            Some((_, value)) => Some(*value),
            None => {
                let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
                self.broken(Broken::Literal(alternatives(&names)))
            }
        }
    }

    /// Reports that the value does not match a pattern.
    pub fn mismatch<T>(&self, pattern: &'static str) -> Option<T> {
        self.broken(Broken::Pattern(pattern))
    }

    /// Reports that the value is wrong for a reason of its own.
    pub fn invalid<T>(&self, why: impl Display) -> Option<T> {
        self.broken(Broken::Value(why.to_string()))
    }

    pub(super) fn broken<T>(&self, broken: Broken) -> Option<T> {
        self.problems.report(Problem::new(broken, self.loc.clone(), self.value.clone()));
        None
    }

    /// Reports that the object has no field of this name.
    pub(super) fn missing(&self, name: &str) {
        let loc = [&self.loc[..], &[Place::from(name)]].concat();
        self.problems.report(Problem::new(Broken::Missing, loc, self.value.clone()));
    }

    pub(super) fn named(&self, name: &str, value: &'a Value) -> Node<'a> {
        self.child(Place::Name(name.to_owned()), value)
    }

    fn at(&self, index: usize, value: &'a Value) -> Node<'a> {
        self.child(Place::Index(index), value)
    }

    fn child(&self, place: Place, value: &'a Value) -> Node<'a> {
        let mut loc = Vec::with_capacity(self.loc.len() + 1);
        loc.extend_from_slice(&self.loc);
        loc.push(place);
        Node { value, loc, problems: self.problems }
    }
}

/// `'a', 'b' or 'c'`.
fn alternatives(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
