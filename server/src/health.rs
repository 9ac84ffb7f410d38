//! `test-server health`: checks the health of a running server, so that a container image needs no other program.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use awc::Client;
use derive_more::{Display, Error};
use serde_json::Value;

use crate::config::Config;

/// How long a healthy server may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// Why a server does not count as healthy.
#[derive(Debug, Display, Error)]
pub enum Unhealthy {
    /// The given address is invalid.
    #[display("--url is {url:?}, expected an address like http://127.0.0.1:8000/health: {reason}")]
    BadUrl {
        /// The given address.
        url: String,
        /// Why it is invalid.
        reason: String,
    },
    /// There was no answer.
    #[display("unhealthy: {url} does not answer: {reason}")]
    NoAnswer {
        /// The address that was asked.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// The answer is not the one of a healthy server.
    #[display("unhealthy: {url} answers {status}")]
    WrongAnswer {
        /// The address that was asked.
        url: String,
        /// The status of the answer.
        status: u16,
    },
}

/// The address of the health check of a server with this configuration.
#[must_use]
pub fn url_of(config: &Config) -> String {
    format!("{}/health", base_of(config))
}

/// The address at which the own routes of a server with this configuration are found from the same machine.
#[must_use]
pub fn base_of(config: &Config) -> String {
    let host = match config.host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) if address.is_unspecified() => Ipv4Addr::LOCALHOST.to_string(),
        Ok(IpAddr::V6(address)) if address.is_unspecified() => format!("[{}]", Ipv6Addr::LOCALHOST),
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => config.host.clone(),
    };
    format!("http://{host}:{}{}", config.port, config.own_prefix())
}

/// Asks the server once.
///
/// # Errors
/// [`Unhealthy`], unless the answer is `200` with the status `ok`.
pub async fn check(url: &str) -> Result<(), Unhealthy> {
    let parsed: awc::http::Uri = url.parse().map_err(|error: awc::http::uri::InvalidUri| {
        Unhealthy::BadUrl { url: url.to_owned(), reason: error.to_string() }
    })?;
    if parsed.scheme_str() != Some("http") || parsed.authority().is_none() {
        let reason = "only http:// is spoken here".to_owned();
        return Err(Unhealthy::BadUrl { url: url.to_owned(), reason });
    }
    if parsed.path() == "/" {
        // The address of a server alone stands for the address of its health check.
        return Box::pin(check(&format!("{}/health", url.trim_end_matches('/')))).await;
    }
    let no_answer = |reason: String| Unhealthy::NoAnswer { url: url.to_owned(), reason };
    let ask = async {
        let client = Client::builder().timeout(ANSWER_TIMEOUT).disable_redirects().finish();
        let mut response = client.get(parsed).send().await.map_err(|error| no_answer(error.to_string()))?;
        let status = response.status();
        let body: Value = response.json().await.unwrap_or_default();
        if status.as_u16() == 200 && body["status"] == "ok" {
            return Ok(());
        }
        Err(Unhealthy::WrongAnswer { url: url.to_owned(), status: status.as_u16() })
    };
    let in_time = actix_rt::time::timeout(ANSWER_TIMEOUT, ask).await;
    in_time.unwrap_or_else(|_| Err(no_answer(format!("nothing within {} s", ANSWER_TIMEOUT.as_secs()))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layers;

    #[test]
    fn an_unspecified_address_is_asked_on_loopback() {
        let cases = [
            ("0.0.0.0", "http://127.0.0.1:8000/health"),
            ("::", "http://[::1]:8000/health"),
            ("[::1]", "http://[::1]:8000/health"),
            ("127.0.0.2", "http://127.0.0.2:8000/health"),
            ("localhost", "http://localhost:8000/health"),
        ];
        for (host, expected) in cases {
            let flags = [("host", host.to_owned())].into();
            let layers = Layers { flags, ..Layers::default() };
            assert_eq!(url_of(&Config::load(&layers).unwrap().config), expected);
        }
    }
}
