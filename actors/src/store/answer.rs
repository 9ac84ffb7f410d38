//! What a script answers, and why it has not.

use redis::{ErrorKind, FromRedisValue, RedisError, Value};

/// The answer of a script: texts and numbers, in order; `None` for nothing.
#[derive(Debug, Default)]
pub(crate) struct Answer(Vec<Option<String>>);

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The step was not sent, or was refused before it changed anything.
    NotDone,
    /// The step may have been done.
    Unknown,
}

impl Answer {
    pub(super) fn read(value: Value) -> Result<Self, RedisError> {
        let values = match value {
            Value::Array(values) => values,
            single => vec![single],
        };
        let texts = values.into_iter().map(Option::<String>::from_redis_value);
        Ok(Self(texts.collect::<Result<_, _>>().map_err(RedisError::from)?))
    }

    /// The text at a place, or an empty one if there is none.
    pub(crate) fn text(&self, index: usize) -> &str {
        self.0.get(index).and_then(Option::as_deref).unwrap_or_default()
    }

    /// The number at a place, or 0 if there is none.
    pub(crate) fn number(&self, index: usize) -> u64 {
        // Whole numbers only; a negative one means none as well.
        self.text(index).parse().unwrap_or(0)
    }

    /// Groups of `N` texts, from a place on.
    pub(crate) fn groups<const N: usize>(&self, from: usize) -> impl Iterator<Item = [&str; N]> {
        let firsts = (from..self.0.len()).step_by(N);
        firsts.map(|first| std::array::from_fn(|next| self.text(first + next)))
    }

    /// Pairs of a text and perhaps another, from a place on.
    pub(super) fn pairs(&self, from: usize) -> impl Iterator<Item = (&str, Option<&str>)> {
        let pairs = self.0.get(from..).unwrap_or_default().chunks_exact(2);
        pairs.filter_map(|pair| Some((pair[0].as_deref()?, pair[1].as_deref())))
    }

    /// Takes the result out of the answer to an order.
    pub(super) fn into_result(mut self) -> Self {
        let end = (2 + usize::try_from(self.number(1)).unwrap_or(0)).min(self.0.len());
        Self(self.0.drain(2.min(end)..end).collect())
    }
}

impl Failure {
    /// An error that the store itself sent means that the script did nothing; scripts check before they change.
    pub(super) fn of(error: &RedisError) -> Self {
        match error.kind() {
            ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::InvalidClientConfig => Self::NotDone,
            _ => Self::Unknown,
        }
    }
}
