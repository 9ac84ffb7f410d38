//! Slots that appear and disappear as an adaptive limit says.
//!
//! All of it happens under one lock: how many slots exist is exactly known at any time, and never above the ceiling. When
//! the limit sinks, free slots disappear at once, and those in use when they are given back.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::limit::{AdaptiveLimit, Signal, Ticket};

/// An adaptive limit, and the slots that exist.
#[derive(Debug)]
pub(super) struct Adaptive(Mutex<Shared>);

#[derive(Debug)]
struct Shared {
    limit: AdaptiveLimit,
    /// The slots that exist, free or in use.
    slots: u32,
    in_use: u32,
}

impl Adaptive {
    /// A limit from `floor` to `ceiling`. There are as many slots as [`limit`](Self::limit) says at first.
    pub(super) fn new(floor: u32, ceiling: u32) -> Self {
        let limit = AdaptiveLimit::new(floor, ceiling);
        let slots = limit.get();
        Self(Mutex::new(Shared { limit, slots, in_use: 0 }))
    }

    pub(super) fn limit(&self) -> u32 {
        self.shared().limit.get()
    }

    /// Notes that a slot has been taken.
    pub(super) fn began(&self) -> Ticket {
        let mut shared = self.shared();
        shared.in_use += 1;
        let in_use = shared.in_use;
        shared.limit.began(in_use)
    }

    /// Takes a slot back, and adjusts the number of slots.
    pub(super) fn ended(
        &self,
        ticket: Ticket,
        signal: Option<Signal>,
        slots: &Semaphore,
        permit: SemaphorePermit<'_>,
    ) {
        let mut shared = self.shared();
        shared.in_use -= 1;
        shared.limit.ended(ticket, signal);
        let limit = shared.limit.get();
        if shared.slots > limit {
            permit.forget();
            shared.slots -= 1;
        } else {
            // Under the lock too: else it would be free for a moment in which the limit may sink.
            drop(permit);
        }
        shared.resize(limit, slots);
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn resize(&mut self, limit: u32, slots: &Semaphore) {
        if self.slots < limit {
            slots.add_permits((limit - self.slots) as usize);
            self.slots = limit;
        } else {
            // Those in use disappear when they are given back.
            let gone = slots.forget_permits((self.slots - limit) as usize);
            self.slots -= u32::try_from(gone).unwrap_or(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicU32, Ordering},
        },
        time::Duration,
    };

    use super::super::{Bulkhead, Came};
    use super::*;
    use crate::config::BulkheadConfig;

    fn bulkhead(min_concurrency: u32, max_concurrency: u32) -> Bulkhead {
        Bulkhead::new(&BulkheadConfig {
            adaptive: true,
            min_concurrency,
            max_concurrency,
            ..BulkheadConfig::default()
        })
    }

    /// What must hold whenever no slot is in use.
    fn assert_whole(bulkhead: &Bulkhead) {
        let shared = bulkhead.adaptive.as_ref().unwrap().shared();
        assert_eq!((shared.in_use, shared.slots), (0, shared.limit.get()));
        assert_eq!(bulkhead.slots.available_permits(), shared.slots as usize, "no slot is lost or made");
    }

    #[test]
    fn slots_in_use_above_a_limit_that_sank_disappear_when_they_are_given_back() {
        let bulkhead = bulkhead(2, 100);
        assert_eq!((bulkhead.size(), bulkhead.available()), (10, 10));
        let held: Vec<_> = (0..10).map(|_| bulkhead.try_acquire().unwrap()).collect();
        assert!(bulkhead.try_acquire().is_none());
        for mut slot in held {
            slot.note(|| Some(Signal::Overloaded));
        }
        // The first window: its last attempts are the ones in use when the limit sinks.
        while bulkhead.size() == 10 {
            let mut slots: Vec<_> = std::iter::from_fn(|| bulkhead.try_acquire()).collect();
            slots.iter_mut().for_each(|slot| slot.note(|| Some(Signal::Overloaded)));
        }
        assert_eq!(bulkhead.size(), 15, "three quarters of the 20 with which it starts");
        let held: Vec<_> = std::iter::from_fn(|| bulkhead.try_acquire()).collect();
        assert_eq!(held.len(), 15);
        drop(held);
        assert_whole(&bulkhead);
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_grows_serves_those_that_wait() {
        let bulkhead = Arc::new(bulkhead(1, 40));
        let held: Vec<_> = (0..10).map(|_| bulkhead.try_acquire().unwrap()).collect();
        let waiting: Vec<_> = (0..12)
            .map(|_| {
                let bulkhead = Arc::clone(&bulkhead);
                tokio::spawn(async move {
                    let mut slot = bulkhead.acquire(|| ()).await.unwrap();
                    assert_eq!(slot.came, Came::AfterWaiting);
                    slot.note(|| Some(Signal::Served(Duration::from_millis(10))));
                })
            })
            .collect();
        tokio::task::yield_now().await;
        drop(held);
        for task in waiting {
            task.await.unwrap();
        }
        assert_whole(&bulkhead);
    }

    #[test]
    fn on_many_threads_there_are_never_more_than_the_ceiling_and_no_slot_is_lost() {
        const CEILING: u32 = 30;
        let mut rng = crate::seed::rng();
        let bulkhead = bulkhead(3, CEILING);
        let (in_use, limits) = (AtomicU32::new(0), Mutex::new(std::collections::BTreeSet::new()));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                let (bulkhead, in_use, limits) = (&bulkhead, &in_use, &limits);
                let mut rng = rng.fork();
                scope.spawn(move || {
                    let mut held = Vec::new();
                    for _ in 0..20_000 {
                        if rng.u8(..5) < 3 {
                            if let Some(slot) = bulkhead.try_acquire() {
                                assert!(in_use.fetch_add(1, Ordering::SeqCst) < CEILING);
                                held.push(slot);
                            }
                        } else if !held.is_empty() {
                            let mut slot = held.swap_remove(rng.usize(..held.len()));
                            slot.note(|| match rng.u8(..20) {
                                0 => None,
                                1 => Some(Signal::Overloaded),
                                _ => Some(Signal::Served(Duration::from_micros(rng.u64(500..1_200)))),
                            });
                            in_use.fetch_sub(1, Ordering::SeqCst);
                            drop(slot);
                            limits.lock().unwrap().insert(bulkhead.size());
                        }
                    }
                    in_use.fetch_sub(u32::try_from(held.len()).unwrap(), Ordering::SeqCst);
                });
            }
        });
        assert_whole(&bulkhead);
        let limits = limits.into_inner().unwrap();
        assert!(limits.len() > 5, "the limit moved: {limits:?}");
        assert!(limits.iter().all(|limit| (3..=CEILING).contains(limit)));
    }
}
