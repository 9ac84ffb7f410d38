//! One thing that is wrong with a body, as FastAPI's clients parse it.

use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

use crate::validation;

/// One thing that is wrong with a body.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Problem {
    /// The broken rule, by pydantic's name.
    r#type: &'static str,
    /// The way to the value, `body` first.
    loc: Vec<Place>,
    /// The broken rule in words.
    msg: String,
    /// The value.
    input: Value,
    /// The parameters of the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    ctx: Option<Value>,
}

/// A step on the way to a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Place {
    /// A field of an object, or a part of the request.
    Name(String),
    /// An element of a list.
    Index(usize),
}

/// The rules that a value can break.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Broken {
    JsonInvalid(String),
    ExtraForbidden,
    Missing,
    IntType,
    IntParsing,
    StringType,
    BoolType,
    ListType,
    DictType,
    AtLeast(Value),
    AtMost(Value),
    TooLong(usize),
    Pattern(&'static str),
    Literal(String),
    Value(String),
}

impl From<&str> for Place {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<validation::Fault> for Problem {
    fn from(fault: validation::Fault) -> Self {
        Self {
            r#type: fault.rule.name(),
            loc: fault.location.map(Place::from).to_vec(),
            msg: fault.rule.in_words(),
            input: fault.input.into(),
            ctx: fault.rule.parameter(),
        }
    }
}

impl Problem {
    /// A value that is wrong for a reason of its own.
    #[must_use]
    pub fn invalid_value(loc: Vec<Place>, input: Value, why: &str) -> Self {
        Self::new(Broken::Value(why.to_owned()), loc, input)
    }

    pub(super) fn new(broken: Broken, loc: Vec<Place>, input: Value) -> Self {
        let (r#type, msg, ctx) = broken.into_words();
        Self { r#type, loc, msg, input, ctx }
    }
}

/// The way to the value, without the root, and what is wrong with it.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, place) in self.loc.iter().skip(1).enumerate() {
            let separator = if number == 0 { "" } else { "." };
            match place {
                Place::Name(name) => write!(f, "{separator}{name}")?,
                Place::Index(index) => write!(f, "{separator}{index}")?,
            }
        }
        let separator = if self.loc.len() > 1 { ": " } else { "" };
        write!(f, "{separator}{}", self.msg)?;
        match self.ctx.as_ref().and_then(|ctx| ctx.get("error")?.as_str()) {
            Some(error) if !self.msg.contains(error) => write!(f, ": {error}"),
            _ => Ok(()),
        }
    }
}

impl Broken {
    fn into_words(self) -> (&'static str, String, Option<Value>) {
        match self {
            Self::JsonInvalid(error) => {
                ("json_invalid", "JSON decode error".to_owned(), Some(json!({ "error": error })))
            }
            Self::ExtraForbidden => ("extra_forbidden", "Extra inputs are not permitted".to_owned(), None),
            Self::Missing => ("missing", "Field required".to_owned(), None),
            Self::IntType => ("int_type", "Input should be a valid integer".to_owned(), None),
            Self::IntParsing => (
                "int_parsing",
                "Input should be a valid integer, unable to parse string as an integer".to_owned(),
                None,
            ),
            Self::StringType => ("string_type", "Input should be a valid string".to_owned(), None),
            Self::BoolType => ("bool_type", "Input should be a valid boolean".to_owned(), None),
            Self::ListType => ("list_type", "Input should be a valid list".to_owned(), None),
            Self::DictType => ("dict_type", "Input should be a valid dictionary".to_owned(), None),
            Self::AtLeast(low) => {
                let message = format!("Input should be greater than or equal to {low}");
                ("greater_than_equal", message, Some(json!({ "ge": low })))
            }
            Self::AtMost(high) => {
                let message = format!("Input should be less than or equal to {high}");
                ("less_than_equal", message, Some(json!({ "le": high })))
            }
            Self::TooLong(max) => {
                let message = format!("String should have at most {max} characters");
                ("string_too_long", message, Some(json!({ "max_length": max })))
            }
            Self::Pattern(pattern) => (
                "string_pattern_mismatch",
                format!("String should match pattern '{pattern}'"),
                Some(json!({ "pattern": pattern })),
            ),
            Self::Literal(expected) => (
                "literal_error",
                format!("Input should be {expected}"),
                Some(json!({ "expected": expected })),
            ),
            Self::Value(error) => {
                ("value_error", format!("Value error, {error}"), Some(json!({ "error": error })))
            }
        }
    }
}
