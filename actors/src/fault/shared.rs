//! The fault plan of a session that several servers share.
//!
//! The store counts matches and decides which step a request gets, so a script is exact whichever servers the requests
//! come to. Which rules concern a request is decided where the request is, from the rules, which every server knows; and
//! how long a delay lasts follows from the number of the match. What counts by connection counts on one server only.

use std::sync::Arc;
use std::time::Duration;

use super::actor::{Fault, PlanReport, Question};
use super::decision::{Caller, Decision, Effect};
use super::draw::uniform;
use super::lines;
use super::plan::{PlanStatus, RuleStatus};
use super::published::{Current, Published};
use super::resumed::{self, Progress};
use super::rule::{Action, Per, Rules};
use super::spoken::Spoken;
use crate::clock::now;
use crate::error::ActorError;
use crate::store::{Answer, StorePlace, Watcher, script};

/// Makes rules of a plan as it was written and its seed; `None` if the text is no plan.
pub type ReadRules<F> = fn(&str, u64) -> Option<Rules<F>>;

/// Asks a store.
pub(super) struct SharedFaults<F> {
    place: StorePlace,
    published: Arc<Published<F>>,
    watcher: Watcher,
}

/// How long to wait for the news that a plan was replaced. Without it the store is asked anew.
const NEWS: Duration = Duration::from_millis(100);

/// How often a request is asked for anew because the plan was replaced meanwhile.
const MAX_REPLACEMENTS: usize = 20;

impl<F> Clone for SharedFaults<F> {
    fn clone(&self) -> Self {
        Self {
            place: self.place.clone(),
            published: Arc::clone(&self.published),
            watcher: Arc::clone(&self.watcher),
        }
    }
}

impl<F: Fault> SharedFaults<F> {
    pub(super) fn new(
        place: StorePlace,
        published: Arc<Published<F>>,
        read: ReadRules<F>,
        log_target: &'static str,
    ) -> Self {
        let own = Arc::clone(&published);
        let watcher: Watcher = Arc::new(move |value: Option<&str>| {
            match value.map(|text| plan_of(text, read)) {
                Some(Some((plan, rules))) => own.publish(plan, &Arc::new(rules)),
                Some(None) => {
                    // A server of another version knows faults that this one does not.
                    log::error!(target: log_target, "The fault plan in the store cannot be read, and has no effect here");
                    own.withdraw();
                }
                None => own.withdraw(),
            }
        });
        place.store.watch(&place.topic("plan"), &watcher);
        Self { place, published, watcher }
    }

    /// Whether this server knows what the plan is.
    pub(super) fn is_fresh(&self) -> bool {
        self.place.store.is_fresh()
    }

    /// Puts a plan in force, or ends the one that there is.
    pub(super) async fn replace(&self, rules: Option<Arc<Rules<F>>>) -> Result<(), ActorError> {
        let arguments = match &rules {
            None => vec![String::new(), String::new()],
            Some(rules) => {
                let head = [rules.seed.to_string(), rules.source.to_string()];
                head.into_iter().chain(rules.rules.iter().map(lines::line)).collect()
            }
        };
        self.place.store.order(self.place.call(&script::PLAN_SET, arguments)).await.map(drop)
    }

    /// Asks what a request gets that `question` makes a question of; `None` when no rule concerns it.
    pub(super) async fn decide(
        &self,
        question: impl Fn() -> Option<(Question, Current<F>)>,
    ) -> Result<Option<(Decision, Current<F>)>, ActorError> {
        for _ in 0..MAX_REPLACEMENTS {
            self.place.store.freshen().await?;
            let Some((question, current)) = question() else { return Ok(None) };
            let mut arguments = vec![question.plan.to_string()];
            arguments.push(question.key.as_deref().unwrap_or_default().to_owned());
            arguments.push(self.connection(question.connection));
            arguments.extend(question.candidates.iter().map(ToString::to_string));
            let answer = self.place.store.ask(self.place.call(&script::PLAN_DECIDE, arguments)).await?;
            if answer.number(0) == question.plan {
                return Ok(Some((decision(&answer, &current.rules, question.key.as_deref()), current)));
            }
            self.await_news(question.plan).await;
        }
        Err(ActorError::Unavailable)
    }

    /// The plan and how far it has come.
    pub(super) async fn report(&self) -> Result<Option<PlanReport<F>>, ActorError> {
        let found = self.progress(None, 0).await?;
        Ok(found.map(|(current, progress)| PlanReport { rules: current.rules, status: progress.status() }))
    }

    /// What the next requests get that `question` makes questions of.
    pub(super) async fn preview(
        &self,
        question: impl Fn() -> Option<(Question, Current<F>)>,
        requests: usize,
    ) -> Result<Option<(Arc<Rules<F>>, Vec<Decision>)>, ActorError> {
        for _ in 0..MAX_REPLACEMENTS {
            self.place.store.freshen().await?;
            let Some((question, current)) = question() else { return Ok(None) };
            let key = question.key.as_deref();
            let progress = self.progress(key, question.connection).await?;
            if let Some((found, progress)) = progress.filter(|(found, _)| found.plan == current.plan) {
                let caller = Caller { key, connection: question.connection };
                let plan = resumed::plan(&found.rules, &progress, caller, now());
                let decisions = plan.preview(&question.candidates, caller, now(), requests);
                return Ok(Some((found.rules, decisions)));
            }
        }
        Err(ActorError::Unavailable)
    }

    /// How far the plan has come, with the counts of a key and of a connection; `None` without a plan.
    async fn progress(
        &self,
        key: Option<&str>,
        connection: u64,
    ) -> Result<Option<(Current<F>, Progress)>, ActorError> {
        for _ in 0..MAX_REPLACEMENTS {
            self.place.store.freshen().await?;
            let Some(current) = self.published.current() else { return Ok(None) };
            let rules = current.rules.rules.len();
            let key = key.unwrap_or_default().to_owned();
            let arguments = vec![rules.to_string(), key, self.connection(connection)];
            let answer = self.place.store.ask(self.place.call(&script::PLAN_STATUS, arguments)).await?;
            if answer.number(0) == current.plan {
                return Ok(Some((current, Progress::read(&answer, rules))));
            }
            self.await_news(current.plan).await;
        }
        Err(ActorError::Unavailable)
    }

    /// Waits a moment until this server knows of another plan.
    async fn await_news(&self, plan: u64) {
        let mut watch = self.published.watch();
        let is_other =
            |current: &Option<Current<F>>| current.as_ref().is_none_or(|current| current.plan != plan);
        let _ = actix_rt::time::timeout(NEWS, watch.wait_for(is_other)).await;
    }

    /// A connection, as no other server names one of its own.
    fn connection(&self, number: u64) -> String {
        format!("{}/{number}", self.place.store.server())
    }
}

impl Progress {
    fn status(&self) -> PlanStatus {
        let counts = self.rules.iter();
        let rules = counts.map(|rule| RuleStatus { matched: rule.matched, injected: rule.injected });
        PlanStatus { rules: rules.collect(), forgotten_keys: self.forgotten }
    }
}

fn plan_of<F>(text: &str, read: ReadRules<F>) -> Option<(u64, Rules<F>)> {
    let mut parts = text.splitn(3, ' ');
    let (plan, seed) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some((plan, read(parts.next()?, seed)?))
}

/// Puts a decision together from what the store says of each rule.
fn decision<F>(answer: &Answer, rules: &Rules<F>, key: Option<&str>) -> Decision {
    let mut decision = Decision::PASS;
    for [rule, n, step, refused] in answer.groups(1) {
        let (Ok(index), Ok(n)) = (rule.parse::<usize>(), n.parse()) else { continue };
        let Some(rule) = rules.rules.get(index) else { continue };
        let group = if rule.action.per() == Per::Key { key.unwrap_or_default() } else { "" };
        let draw = |purpose| uniform(rules.seed, index, group, n, purpose);
        let spoken = match (&rule.action, step) {
            (_, "refuse") => {
                let retry_after = Duration::from_micros(refused.parse().unwrap_or(1));
                Spoken { effect: Effect::Refuse { retry_after }, ..Spoken::default() }
            }
            (_, "-") | (Action::RateLimit(_), _) => Spoken::default(),
            (Action::Fault { step, .. }, _) => Spoken::step(step, draw),
            (Action::Script { steps, .. }, place) => {
                let place = place.parse().ok().filter(|place| *place < steps.len());
                place.map_or_else(Spoken::default, |place| Spoken {
                    step: Some(place),
                    ..Spoken::step(&steps[place], draw)
                })
            }
        };
        decision.add(index, &spoken);
    }
    decision
}

#[cfg(test)]
#[path = "shared_tests.rs"]
mod tests;
