//! What is wrong with one setting, as values: which field, which rule it breaks, which value it has.

use std::{borrow::Cow, fmt};

/// A setting that breaks its rule. It is what [`Error::field`](crate::Error::field) returns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    field: Cow<'static, str>,
    rule: Rule,
    got: Option<String>,
}

/// The rule that a setting breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    /// A rule about this field alone: "must be 1 to 10000".
    Text(Cow<'static, str>),
    /// The value must not be greater than that of another field.
    AtMost { other: &'static str, limit: String },
}

impl FieldError {
    pub(crate) fn new(field: impl Into<Cow<'static, str>>, rule: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), rule: Rule::Text(rule.into()), got: None }
    }

    pub(crate) fn at_most(field: &'static str, other: &'static str, limit: impl Into<String>) -> Self {
        Self { field: field.into(), rule: Rule::AtMost { other, limit: limit.into() }, got: None }
    }

    pub(crate) fn with_value(mut self, got: impl fmt::Display) -> Self {
        self.got = Some(got.to_string());
        self
    }

    /// The path of the field, such as `retry.max_attempts`, or the name of its environment variable.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The rejected value, where it can be shown.
    pub fn got(&self) -> Option<&str> {
        self.got.as_deref()
    }

    /// The rule that is broken, without the field and its value: "must be 1 to 10000".
    ///
    /// A rule may mention another field; `name` says what to call it.
    pub fn rule(&self, name: impl Fn(&str) -> String) -> String {
        match &self.rule {
            Rule::Text(text) => text.clone().into_owned(),
            Rule::AtMost { other, limit } => format!("must be at most {} ({limit})", name(other)),
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.rule(str::to_owned))?;
        match &self.got {
            Some(got) => write!(f, ", got {got}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_names_other_fields_as_the_caller_asks() {
        let error = FieldError::at_most("retry.min_wait", "retry.max_wait", "1 s").with_value("5 s");
        assert_eq!(error.to_string(), "retry.min_wait: must be at most retry.max_wait (1 s), got 5 s");
        assert_eq!(error.rule(|_| "--max-wait".to_owned()), "must be at most --max-wait (1 s)");
        assert_eq!((error.field(), error.got()), ("retry.min_wait", Some("5 s")));
    }
}
