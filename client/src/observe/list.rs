//! The observers that a configuration names.

use std::{fmt, sync::Arc};

use super::{event::Observer, observers::MAX_OBSERVERS};
use crate::error::{Error, FieldError};

/// The observers that a client starts with: at most 8. Two lists are equal when they hold the same observers.
#[derive(Clone, Default)]
pub struct ObserverList(Vec<Arc<dyn Observer>>);

impl ObserverList {
    /// Appends an observer.
    pub fn push(&mut self, observer: Arc<dyn Observer>) {
        self.0.push(observer);
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.0.len() <= MAX_OBSERVERS {
            return Ok(());
        }
        let rule = format!("must be at most {MAX_OBSERVERS}");
        Err(FieldError::new("observers", rule).with_value(self.0.len()).into())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<dyn Observer>> {
        self.0.iter()
    }
}

impl PartialEq for ObserverList {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().zip(&other.0).all(|(one, two)| Arc::ptr_eq(one, two))
    }
}

impl fmt::Debug for ObserverList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} observers", self.0.len())
    }
}
