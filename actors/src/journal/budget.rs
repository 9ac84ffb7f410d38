//! How many bytes all journals of a process keep.
//!
//! Every journal adds and subtracts what it keeps. When the sum is over the limit, the journal whose oldest record is
//! the oldest of all forgets records until another journal's is older; that one goes on, until the sum is an eighth
//! below the limit, so that this happens seldom.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The bytes that all journals of a process may keep together. Cheap to clone.
#[derive(Clone)]
pub struct ByteBudget(Arc<Shared>);

impl std::fmt::Debug for ByteBudget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ByteBudget({} of {})", self.used(), self.0.limit)
    }
}

struct Shared {
    limit: u64,
    used: AtomicU64,
    /// Whether a journal has been asked to forget.
    is_shedding: AtomicBool,
    order: Mutex<Order>,
}

#[derive(Default)]
struct Order {
    last_id: u64,
    /// The journals by when their oldest record ended.
    journals: BTreeMap<(Instant, u64), Shed>,
}

/// Asks a journal to forget.
pub(super) type Shed = Arc<dyn Fn() + Send + Sync>;

/// The place of one journal among all. Dropping it takes the journal out.
pub(super) struct Place {
    budget: ByteBudget,
    id: u64,
    shed: Shed,
    oldest: Mutex<Option<Instant>>,
}

impl ByteBudget {
    /// A budget of `limit` bytes of which nothing is used.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        let shared = Shared {
            limit,
            used: AtomicU64::new(0),
            is_shedding: AtomicBool::new(false),
            order: Mutex::default(),
        };
        Self(Arc::new(shared))
    }

    /// How many bytes are used.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }

    /// A place for a journal that has no record yet.
    pub(super) fn place(&self, shed: Shed) -> Place {
        let mut order = self.order();
        order.last_id += 1;
        Place { budget: self.clone(), id: order.last_id, shed, oldest: Mutex::new(None) }
    }

    /// Adds bytes. Over the limit, the journal with the oldest record is asked to forget, unless one has been.
    pub(super) fn add(&self, bytes: u64) {
        let used = self.0.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if used > self.0.limit && !self.0.is_shedding.swap(true, Ordering::SeqCst) {
            self.shed();
        }
    }

    pub(super) fn subtract(&self, bytes: u64) {
        self.0.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Whether more has to be forgotten before shedding ends.
    pub(super) fn is_tight(&self) -> bool {
        self.used() > self.0.limit - self.0.limit / 8
    }

    /// Asks the journal with the oldest record to forget, or ends the shedding.
    pub(super) fn shed(&self) {
        let oldest = match self.is_tight() {
            true => self.order().journals.values().next().cloned(),
            false => None,
        };
        match oldest {
            Some(shed) => shed(),
            None => self.0.is_shedding.store(false, Ordering::SeqCst),
        }
    }

    fn order(&self) -> MutexGuard<'_, Order> {
        // The order is whole after every line.
        self.0.order.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    pub(super) fn budget(&self) -> &ByteBudget {
        &self.budget
    }

    /// Places the journal by when its oldest record ended.
    pub(super) fn set(&self, oldest: Option<Instant>) {
        let mut own = self.oldest.lock().unwrap_or_else(PoisonError::into_inner);
        if *own == oldest {
            return;
        }
        let mut order = self.budget.order();
        if let Some(before) = *own {
            order.journals.remove(&(before, self.id));
        }
        if let Some(now) = oldest {
            order.journals.insert((now, self.id), Arc::clone(&self.shed));
        }
        *own = oldest;
    }

    /// Places a journal that has no place yet.
    pub(super) fn begin(&self, oldest: Instant) {
        if self.oldest.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            self.set(Some(oldest));
        }
    }

    /// When the oldest record of the other journals ended.
    pub(super) fn oldest_of_others(&self) -> Option<Instant> {
        let order = self.budget.order();
        order.journals.keys().find(|(_, id)| *id != self.id).map(|(oldest, _)| *oldest)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.set(None);
        // It may be the one that was asked to forget.
        if self.budget.0.is_shedding.load(Ordering::SeqCst) {
            self.budget.shed();
        }
    }
}
