//! Makes one call, or several through one client, and prints the replies.

use std::time::Duration;

use futures::{StreamExt, stream};
use resilient_client::{ClientConfig, Error, Method, Response, RetryBudget};
use tokio::time::Instant;

use crate::{
    address::with_scheme,
    cli::Call,
    exit::{Exit, Failure},
    out,
    report::Report,
};

/// A budget that never stops a retry. A budget bounds many calls together; for the few of a command line,
/// `--max-attempts` is the bound.
const UNBOUNDED: RetryBudget = RetryBudget { ratio: 100.0, per_second: 1_000_000.0 };

/// Makes the calls, and ends with the exit code of the last call that failed.
pub(crate) async fn run(method: Method, typed: Call) -> Result<Exit, Failure> {
    let urls: Vec<_> = typed.urls.iter().map(|url| with_scheme(url).into_owned()).collect();
    let config = config(&typed)?;
    let request = typed.payload.request_without_body(method, typed.request_id.clone())?;
    if let Err(error) = request.validate(&config, &urls) {
        return refused(&typed, error);
    }
    // The body is read last, so that an error elsewhere is reported before somebody types it.
    let request = typed.payload.with_body(request)?;
    let client = typed.settings.start(config)?;

    let at_once = if typed.parallel { urls.len() } else { 1 };
    let calls = urls.iter().map(|url| {
        let call = client.send(request.call(url));
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

/// Ends with the error of a call that cannot be made. With `--report` it is reported too.
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

/// Prints the reply to standard output, also when it is an error, and the error to standard error.
fn print(typed: &Call, method: Method, result: &Result<Response, Error>) -> Result<(), Failure> {
    let response = result.as_ref().map_or_else(Error::response, Some);
    if let Some(response) = response {
        if method == Method::Head {
            out::line(&head(response))?;
        } else {
            if typed.include {
                out::line(&format!("{}\n", head(response)))?;
            }
            body(typed, response)?;
        }
    }
    if let Err(error) = result {
        out::complain(&complaint(error));
    }
    Ok(())
}

/// Prints the body as it came. A line is ended where another body or a prompt would follow on it.
fn body(typed: &Call, response: &Response) -> Result<(), Failure> {
    out::bytes(response.body())?;
    let shared = typed.urls.len() > 1 || console::user_attended();
    if shared && !response.body().is_empty() && !response.body().ends_with(b"\n") {
        out::bytes(b"\n")?;
    }
    Ok(())
}

/// The status and the headers, a line each.
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
