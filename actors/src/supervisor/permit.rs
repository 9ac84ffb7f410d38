//! The right to make one call, which gives itself back when it is dropped.

use std::mem;

use super::{
    actor::{Report, Supervisor},
    breaker::{Outcome, Role, Speed, Ticket},
    circuit::Circuit,
};
use crate::address::WeakAddress;

/// The right to make one call. A permit that is dropped without a report is abandoned: a probe's place comes back.
#[derive(Debug)]
pub struct Permit {
    ticket: Ticket,
    circuit: Circuit,
    /// Where to give the place back; only a probe has one.
    probe_of: Option<WeakAddress<Supervisor>>,
}

impl Permit {
    /// Makes a permit of a closed breaker, which is issued without a message.
    pub(super) fn regular(circuit: Circuit, generation: u64) -> Self {
        let ticket = Ticket { generation, role: Role::Regular, speed: Speed::Normal };
        Self { ticket, circuit, probe_of: None }
    }

    /// Makes the permit of a ticket that the breaker issued.
    pub(super) fn issued(circuit: Circuit, ticket: Ticket, supervisor: &WeakAddress<Supervisor>) -> Self {
        let probe_of = matches!(ticket.role, Role::Probe(_)).then(|| supervisor.clone());
        Self { ticket, circuit, probe_of }
    }

    /// Whether it holds one of the places of a half-open breaker.
    pub fn is_probe(&self) -> bool {
        self.probe_of.is_some()
    }

    /// Records that an attempt of the call was slow.
    pub fn mark_slow(&mut self) {
        self.ticket.speed = Speed::Slow;
    }

    /// The breaker that issued it.
    pub(super) fn circuit(&self) -> &Circuit {
        &self.circuit
    }

    pub(super) fn ticket(&self) -> Ticket {
        self.ticket
    }

    /// Returns the permit with no place to give back, once its result has been reported.
    pub(super) fn spent(mut self) -> Self {
        self.probe_of = None;
        self
    }

    /// Takes the ticket and its breaker out for a report, so that the drop reports nothing.
    pub(super) fn take(mut self) -> (Circuit, Ticket) {
        self.probe_of = None;
        (mem::take(&mut self.circuit), self.ticket)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(supervisor) = self.probe_of.take() {
            let (circuit, ticket) = (mem::take(&mut self.circuit), self.ticket);
            supervisor.send(Report { circuit, ticket, outcome: Outcome::Abandoned, reply: None });
        }
    }
}
