//! From what the caller asked for to what goes out. What is wrong with a call is said here, before anything is sent.

use std::{sync::Arc, time::Duration};

use http::header;
use resilience_actors::supervisor::{
    backoff::{Backoff, Jitter},
    retry::RetryPolicy,
};

use crate::{
    call::Parts,
    config::{RetryConfig, RetryMethods},
    core::Core,
    error::{Error, ErrorKind},
    request_id::{self, RequestId},
    transport::{Limits, Request},
    url,
};

/// A call that is ready to go out.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) request: Request,
    pub(crate) request_id: RequestId,
    pub(crate) deadline: Duration,
    pub(crate) limits: Limits,
    pub(crate) retry: Retry,
}

/// How a call is retried.
#[derive(Clone, Debug)]
pub(crate) struct Retry {
    pub(crate) policy: Arc<RetryPolicy>,
    pub(crate) methods: RetryMethods,
}

impl Retry {
    pub(crate) fn new(config: &RetryConfig) -> Self {
        let jitter = if config.jitter { Jitter::Full } else { Jitter::None };
        let backoff =
            Backoff { min: config.min_wait, max: config.max_wait, multiplier: config.multiplier, jitter };
        let policy = RetryPolicy {
            max_attempts: config.max_attempts,
            backoff,
            retry_after_max: config.retry_after_max,
        };
        Self { policy: Arc::new(policy), methods: config.methods }
    }
}

/// Puts a call together.
pub(crate) fn prepare(core: &Core, parts: Parts) -> Result<Prepared, Error> {
    if let Some(fault) = parts.fault {
        return Err(fault);
    }
    let uri = url::resolve(&core.base_url, &parts.url, &parts.query)
        .map_err(|why| Error::new(ErrorKind::InvalidUrl, format!("the URL {why}")))?;
    let request_id = parts.request_id.unwrap_or_else(|| {
        let id = RequestId::random();
        core.journal.new_request_id(&id);
        id
    });
    let mut headers = parts.headers;
    headers.reserve_exact(2);
    if !headers.iter().any(|(name, _)| name == header::USER_AGENT) {
        headers.push((header::USER_AGENT, core.user_agent.clone()));
    }
    headers.push((header::HeaderName::from_static(request_id::HEADER), request_id.value().clone()));

    let own = parts.own.unwrap_or_default();
    Ok(Prepared {
        request: Request { method: parts.method, uri, headers, body: parts.body },
        request_id,
        deadline: own.deadline.unwrap_or(core.deadline),
        limits: Limits { timeout: own.timeout.unwrap_or(core.timeout), max_body: core.max_body },
        retry: own.retry.as_ref().map_or_else(|| core.retry.clone(), Retry::new),
    })
}
