//! One call, or several through one client: prints what came back.

use std::time::Duration;

use futures::{StreamExt, stream};
use resilient_client::{ClientConfig, Error, Method, Response, RetryBudget};
use tokio::time::Instant;

use crate::{
    cli::Call,
    exit::{Exit, Failure},
    out, preflight,
    report::Report,
};

/// A budget that never stops a retry. It is there to bound many calls together; for the few of a command line,
/// `--max-attempts` says all.
const UNBOUNDED: RetryBudget = RetryBudget { ratio: 100.0, per_second: 1_000_000.0 };

/// Makes the calls, and ends with the exit code of the last one that failed.
pub(crate) async fn run(method: Method, typed: Call) -> Result<Exit, Failure> {
    let request = typed.payload.request(method, typed.request_id.clone())?;
    let config = config(&typed)?;
    let client = typed.settings.start(config.clone())?;
    if let Err(error) = preflight::check(&config, &request, &typed.urls).await {
        return refused(&typed, error);
    }

    let at_once = if typed.parallel { typed.urls.len() } else { 1 };
    let calls = typed.urls.iter().map(|url| {
        let call = request.to(&client, url).send();
        async {
            let started = Instant::now();
            let result = call.await;
            (result, started.elapsed())
        }
    });
    let mut exit = Exit::Ok;
    let mut done = stream::iter(calls).buffered(at_once);
    while let Some((result, took)) = done.next().await {
        if typed.report {
            out::line(&Report::new(&result, took).to_json())?;
        } else {
            print(&typed, method, &result)?;
        }
        if let Err(error) = result {
            exit = error.kind().into();
        }
    }
    client.close().await;
    Ok(exit)
}

/// A call that cannot be made. Whoever reads reports gets one all the same.
fn refused(typed: &Call, error: Error) -> Result<Exit, Failure> {
    let refused = Err(error);
    if typed.report {
        out::line(&Report::new(&refused, Duration::ZERO).to_json())?;
    }
    refused.map(|_| Exit::Ok).map_err(Failure::from)
}

fn config(typed: &Call) -> Result<ClientConfig, Failure> {
    let mut config = typed.settings.config()?;
    if !typed.settings.has_budget() && config.retry.budget == RetryBudget::default() {
        config.retry.budget = UNBOUNDED;
    }
    Ok(config)
}

/// The body, also of an error, to standard output; what went wrong to standard error.
fn print(typed: &Call, method: Method, result: &Result<Response, Error>) -> Result<(), Failure> {
    let response = result.as_ref().map_or_else(Error::response, Some);
    if let Some(response) = response {
        match method {
            Method::Head => out::line(&head(response))?,
            _ => body(typed, response)?,
        }
    }
    if let Err(error) = result {
        out::complain(&complaint(error));
    }
    Ok(())
}

/// As it came; but nobody wants two bodies, or a body and a prompt, on one line.
fn body(typed: &Call, response: &Response) -> Result<(), Failure> {
    out::bytes(response.body())?;
    let shared = typed.urls.len() > 1 || console::user_attended();
    if shared && !response.body().is_empty() && !response.body().ends_with(b"\n") {
        out::bytes(b"\n")?;
    }
    Ok(())
}

fn head(response: &Response) -> String {
    let headers = response.headers().iter();
    let lines = headers.map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value)));
    format!("HTTP {}\n{}", response.status(), lines.collect::<String>())
}

fn complaint(error: &Error) -> String {
    let attempts = match error.attempts().len() {
        0 => "nothing was sent".to_owned(),
        1 => "after 1 attempt".to_owned(),
        n => format!("after {n} attempts"),
    };
    let id = error.request_id().map(|id| format!(", request id {id}")).unwrap_or_default();
    format!("{}: {error}, {attempts}{id}", error.kind())
}
