//! The handle that replaces the plan and asks what a request gets.

use std::sync::Arc;

use super::actor::PlanReport;
use super::actor::{Decide, Fault, Faults, Preview, Question, ReadReport, Replace};
use super::decision::Decision;
use super::groups::KeyBudget;
use super::matcher::Request;
use super::published::{Arming, Current, Published, Watch};
use super::rule::Rules;
#[cfg(feature = "store")]
use super::shared::{ReadRules, SharedFaults};
use crate::address::Address;
use crate::error::ActorError;
use crate::lifecycle::{self, Unstarted};
#[cfg(feature = "store")]
use crate::store::StorePlace;

/// Asks and replaces the fault plan of one session, from any thread. Cheap to clone; the actor ends with its last
/// handle. The plan is in the memory of this process, or in a store that several servers share.
pub struct FaultHandle<F: Fault> {
    published: Arc<Published<F>>,
    state: State<F>,
}

/// Where the plan is kept.
enum State<F: Fault> {
    /// In an actor of this process.
    Memory(Address<Faults<F>>),
    /// In a store.
    #[cfg(feature = "store")]
    Shared(SharedFaults<F>),
}

/// What one request gets, and the plan that says so.
pub struct Injection<F> {
    /// What it gets.
    pub decision: Decision,
    rules: Arc<Rules<F>>,
    plan: u64,
    watch: Watch<F>,
}

/// Makes a session without a plan, and the actor that has yet to be started. All sessions of a process share a
/// `budget` of remembered keys. A restart of the actor is logged under `log_target`, at ERROR.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use resilience_actors::fault::{self, Action, KeyBudget, Matcher, Per, Request, Rule, Rules, Step, Then};
///
/// struct Get;
/// impl Request for Get {
///     fn method(&self) -> &str { "GET" }
///     fn path(&self) -> &str { "/msg" }
///     fn key(&self) -> Option<&str> { None }
///     fn any_header(&self, _: &str, _: &mut dyn FnMut(&str) -> bool) -> bool { false }
///     fn any_query(&self, _: &str, _: &mut dyn FnMut(&str) -> bool) -> bool { false }
/// }
///
/// # #[actix_rt::main]
/// # async fn main() -> Result<(), resilience_actors::ActorError> {
/// let (faults, actor) = fault::prepare::<&str>(KeyBudget::new(1_000_000), "faults");
/// actor.start();
/// let steps = vec![Step { delay: None, fault: Some("reset") }];
/// let action = Action::Script { per: Per::Session, steps, then: Then::Pass };
/// let rule = Rule { name: None, matcher: Matcher::default(), action, window: None, times: None };
/// faults.replace(Arc::new(Rules { seed: 1, source: Box::default(), rules: vec![rule] })).await?;
///
/// let first = faults.decide(&Get, 0).await?.expect("the rule matches");
/// assert_eq!(first.fault(), Some(&"reset"));
/// let second = faults.decide(&Get, 0).await?.expect("the rule still matches");
/// assert_eq!(second.fault(), None);
/// # Ok(())
/// # }
/// ```
pub fn prepare<F: Fault>(budget: KeyBudget, log_target: &'static str) -> (FaultHandle<F>, Unstarted) {
    let published = Arc::new(Published::new(Arming::WithPlan));
    let own = Arc::clone(&published);
    let (address, actor) = lifecycle::prepare(move |_, last_plan| {
        Faults::new(Arc::clone(&own), budget.clone(), log_target, last_plan)
    });
    (FaultHandle { published, state: State::Memory(address) }, actor)
}

/// Makes a handle of the plan that all servers with this place in a store share. `read` makes rules of a plan as it was
/// written, on the servers that were not asked to put it. A plan that it cannot read is logged under `log_target`, at
/// ERROR.
#[cfg(feature = "store")]
#[must_use]
pub fn shared<F: Fault>(place: StorePlace, read: ReadRules<F>, log_target: &'static str) -> FaultHandle<F> {
    let published = Arc::new(Published::new(Arming::Always));
    let state = State::Shared(SharedFaults::new(place, Arc::clone(&published), read, log_target));
    FaultHandle { published, state }
}

impl<F: Fault> FaultHandle<F> {
    /// Puts a plan in force that begins now, in place of another.
    ///
    /// Once this has returned, every later [`decide`](Self::decide) on any thread sees it.
    ///
    /// # Errors
    /// [`ActorError`] when the actor has not answered; the plan may be in force all the same.
    pub async fn replace(&self, rules: Arc<Rules<F>>) -> Result<(), ActorError> {
        self.put(Some(rules)).await
    }

    /// Ends the plan. What it has made hang ends too.
    ///
    /// # Errors
    /// [`ActorError`] when the actor has not answered; the plan may have ended all the same.
    pub async fn clear(&self) -> Result<(), ActorError> {
        self.put(None).await
    }

    async fn put(&self, rules: Option<Arc<Rules<F>>>) -> Result<(), ActorError> {
        match &self.state {
            State::Memory(address) => address.ask(|reply| Replace { rules, reply }).await,
            #[cfg(feature = "store")]
            State::Shared(shared) => shared.replace(rules).await,
        }
    }

    /// Asks what a request on a connection gets; `None` when no rule matches it. Without a message, and so without
    /// waiting, while there is no plan and for a request that no rule matches.
    ///
    /// # Errors
    /// [`ActorError`] when the actor has not answered.
    pub async fn decide(
        &self,
        request: &impl Request,
        connection: u64,
    ) -> Result<Option<Injection<F>>, ActorError> {
        match &self.state {
            State::Memory(address) => self.decide_in(address, request, connection).await,
            #[cfg(feature = "store")]
            State::Shared(shared) => {
                let decided = Box::pin(shared.decide(|| self.question(request, connection))).await?;
                Ok(decided.map(|(decision, current)| self.injection(decision, current)))
            }
        }
    }

    async fn decide_in(
        &self,
        address: &Address<Faults<F>>,
        request: &impl Request,
        connection: u64,
    ) -> Result<Option<Injection<F>>, ActorError> {
        while let Some((question, current)) = self.question(request, connection) {
            let answer = address.ask(|reply| Decide { question, reply }).await?;
            if let Some(decision) = answer {
                return Ok(Some(self.injection(decision, current)));
            }
            // The plan was replaced in between: the new rules have to be matched.
        }
        Ok(None)
    }

    /// Whether there may be a plan with a rule. Without a message.
    #[must_use]
    pub fn is_armed(&self) -> bool {
        self.published.is_armed()
    }

    /// Whether any rule of the plan may match a request. Without a message.
    #[must_use]
    pub fn concerns(&self, request: &impl Request) -> bool {
        let matches =
            |current: Current<F>| current.rules.rules.iter().any(|rule| rule.matcher.matches(request));
        // What is not known for sure may be so, and is asked for then.
        #[cfg(feature = "store")]
        if let State::Shared(shared) = &self.state
            && !shared.is_fresh()
        {
            return true;
        }
        self.published.is_armed() && self.published.current().is_some_and(matches)
    }

    /// Asks what the next `requests` requests like this one get if all come now, and by which rules; `None` when no
    /// rule matches them. Changes nothing.
    ///
    /// # Errors
    /// [`ActorError`] when the actor has not answered.
    pub async fn preview(
        &self,
        request: &impl Request,
        connection: u64,
        requests: usize,
    ) -> Result<Option<(Arc<Rules<F>>, Vec<Decision>)>, ActorError> {
        match &self.state {
            State::Memory(address) => self.preview_in(address, request, connection, requests).await,
            #[cfg(feature = "store")]
            State::Shared(shared) => {
                Box::pin(shared.preview(|| self.question(request, connection), requests)).await
            }
        }
    }

    async fn preview_in(
        &self,
        address: &Address<Faults<F>>,
        request: &impl Request,
        connection: u64,
        requests: usize,
    ) -> Result<Option<(Arc<Rules<F>>, Vec<Decision>)>, ActorError> {
        while let Some((question, current)) = self.question(request, connection) {
            let answer = address.ask(|reply| Preview { question, requests, reply }).await?;
            if let Some(decisions) = answer {
                return Ok(Some((current.rules, decisions)));
            }
        }
        Ok(None)
    }

    /// The plan and how far it has come; `None` without one.
    ///
    /// # Errors
    /// [`ActorError`] when the actor has not answered.
    pub async fn report(&self) -> Result<Option<PlanReport<F>>, ActorError> {
        match &self.state {
            State::Memory(address) => address.ask(|reply| ReadReport { reply }).await,
            #[cfg(feature = "store")]
            State::Shared(shared) => shared.report().await,
        }
    }

    fn injection(&self, decision: Decision, Current { plan, rules }: Current<F>) -> Injection<F> {
        Injection { decision, rules, plan, watch: self.published.watch() }
    }

    /// The address of the actor that keeps the plan in memory.
    #[cfg(test)]
    fn address(&self) -> &Address<Faults<F>> {
        match &self.state {
            State::Memory(address) => address,
            #[cfg(feature = "store")]
            State::Shared(_) => panic!("it is in a store"),
        }
    }

    /// What the actor has to know of a request; `None` when no rule matches it.
    fn question(&self, request: &impl Request, connection: u64) -> Option<(Question, Current<F>)> {
        if !self.published.is_armed() {
            return None;
        }
        let current = self.published.current()?;
        let rules = current.rules.rules.iter().enumerate();
        let candidates: Vec<usize> =
            rules.filter(|(_, rule)| rule.matcher.matches(request)).map(|(index, _)| index).collect();
        if candidates.is_empty() {
            return None;
        }
        let key = request.key().map(Box::from);
        Some((Question { plan: current.plan, candidates, key, connection }, current))
    }
}

impl<F: Fault> Clone for FaultHandle<F> {
    fn clone(&self) -> Self {
        let state = match &self.state {
            State::Memory(address) => State::Memory(address.clone()),
            #[cfg(feature = "store")]
            State::Shared(shared) => State::Shared(shared.clone()),
        };
        Self { published: Arc::clone(&self.published), state }
    }
}

impl<F> Injection<F> {
    /// The fault to inject, if there is one.
    #[must_use]
    pub fn fault(&self) -> Option<&F> {
        self.rules.fault(&self.decision)
    }

    /// Waits until the plan that injected this has ended or was replaced, or its session has ended.
    pub async fn plan_ended(&self) {
        let mut watch = self.watch.clone();
        let has_ended =
            |current: &Option<Current<F>>| current.as_ref().is_none_or(|current| current.plan != self.plan);
        // An error means that the session has ended.
        let _ = watch.wait_for(has_ended).await;
    }
}

#[cfg(test)]
#[path = "handle_tests.rs"]
mod tests;
