//! The connection to the store: made, looked after by renewing the lease of this server on it, and made again.

use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Msg, PushInfo, RedisError, Value, cmd};
use tokio::time::{sleep, timeout};

use super::answer::Answer;
use super::knowledge::Renewal;
use super::scripts::RENEW;
use super::shared::{Availability, LEASE, PATIENCE, Shared, random_name};
use super::steps::Steps;
use crate::address::WeakAddress;
use crate::clock::now;

/// How often the lease is renewed while nothing happens.
const RENEWAL: Duration = Duration::from_millis(300);

/// How long to wait before the store is tried again.
const PAUSE: Duration = Duration::from_millis(200);

/// The oldest version of Redis that will do.
const OLDEST: (u32, u32) = (6, 2);

/// Keeps a connection for as long as the actor runs.
pub(super) async fn keep(shared: Arc<Shared>, actor: WeakAddress<Steps>) {
    let mut last_cause = None;
    while actor.upgrade().is_some() {
        let Err(cause) = connect(&shared, &actor).await else { break };
        shared.disconnected();
        shared.availability.send_replace(Availability::Unavailable);
        // Once, and not for every attempt.
        if last_cause.as_ref() != Some(&cause) {
            log::warn!(target: shared.log_target, store:% = shared.address, cause = cause.as_str(); "State store unavailable");
            last_cause = Some(cause);
        }
        sleep(PAUSE).await;
        if *shared.availability.borrow() == Availability::Available {
            last_cause = None;
        }
    }
}

/// Connects and renews the lease until the store does not answer any more, which is the error, or the actor ends.
async fn connect(shared: &Arc<Shared>, actor: &WeakAddress<Steps>) -> Result<(), String> {
    let told = |error: RedisError| error.to_string();
    let mut connection = timeout(PATIENCE, open(shared)).await.map_err(|_| silence())?.map_err(told)?;
    timeout(PATIENCE, check(&mut connection)).await.map_err(|_| silence())?.map_err(told)??;
    let mut news = renew(shared, &mut connection, News::Nothing).await?;
    shared.connected(connection.clone());
    shared.availability.send_replace(Availability::Available);
    log::info!(target: shared.log_target, store:% = shared.address, server = shared.server.as_str(); "State store available");
    while actor.upgrade().is_some() {
        if news == News::Nothing {
            let _ = timeout(RENEWAL, shared.ask.notified()).await;
        }
        news = renew(shared, &mut connection, news).await?;
    }
    // The others need not wait for the end of the lease.
    let live = format!("{}live", shared.address.base());
    let leave = cmd("ZREM").arg(live).arg(&shared.server).query_async::<Value>(&mut connection).await;
    leave.map(drop).map_err(told)
}

fn silence() -> String {
    "it does not answer".to_owned()
}

/// Whether the other servers have to hear that this one knows more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum News {
    Nothing,
    Version,
}

/// Renews the lease and learns what has changed.
async fn renew(shared: &Shared, connection: &mut MultiplexedConnection, news: News) -> Result<News, String> {
    let (epoch, version) = shared.knowledge.position();
    let version = version.map_or_else(|| "-1".to_owned(), |version| version.to_string());
    let mut invocation = RENEW.lua().prepare_invoke();
    invocation
        .key(shared.address.base())
        .arg(epoch.as_deref().unwrap_or_default())
        .arg(random_name())
        .arg(&shared.server)
        .arg(version)
        .arg(LEASE.as_millis().to_string())
        .arg(i32::from(news == News::Version));
    let sent = now();
    let value = timeout(PATIENCE, invocation.invoke_async::<Value>(connection)).await;
    let value = value.map_err(|_| silence())?.map_err(|error| error.to_string())?;
    let answer = Answer::read(value).map_err(|error| error.to_string())?;
    match shared.knowledge.learn(&Renewal(&answer), sent, now(), LEASE) {
        true => Ok(News::Version),
        false => Ok(News::Nothing),
    }
}

async fn open(shared: &Arc<Shared>) -> Result<MultiplexedConnection, RedisError> {
    if shared.address.uses_tls() {
        // An error means that there is one.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let client = Client::open(shared.address.info().clone())?;
    let hearer = Arc::downgrade(shared);
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(PATIENCE))
        .set_push_sender(move |push: PushInfo| hear(&hearer, push));
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    connection.subscribe(format!("{}events", shared.address.base())).await?;
    Ok(connection)
}

/// Takes what the store pushes. A message may be lost with its connection; then all is learnt anew.
fn hear(shared: &Weak<Shared>, push: PushInfo) -> Result<(), std::convert::Infallible> {
    if let Some(shared) = shared.upgrade() {
        match Msg::from_push_info(push) {
            Some(message) => shared.hear(&String::from_utf8_lossy(message.get_payload_bytes())),
            // Among others that the connection has ended, which the link finds out by asking.
            None => shared.ask.notify_one(),
        }
    }
    Ok(())
}

/// Whether the store is one that will do; what is wrong with it.
async fn check(connection: &mut MultiplexedConnection) -> Result<Result<(), String>, RedisError> {
    let info: String = cmd("INFO").arg("server").query_async(connection).await?;
    Ok(judge(&info))
}

fn judge(info: &str) -> Result<(), String> {
    let field = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    if field("redis_mode:") == Some("cluster") {
        return Err("it is a cluster, and clusters are not supported".to_owned());
    }
    // Valkey says there which version of Redis it is compatible with.
    let version = field("redis_version:").unwrap_or_default();
    let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) if (major, minor) >= OLDEST => Ok(()),
        _ => Err(format!("its version is {version:?}, and 6.2 is the oldest that will do")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_and_clusters_are_refused() {
        let table = [
            ("# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n", true),
            ("redis_version:6.2.0\r\n", true),
            ("redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\n", true),
            ("redis_version:10.0.0\r\n", true),
            ("redis_version:6.0.16\r\nredis_mode:standalone\r\n", false),
            ("redis_version:5.9.9\r\n", false),
            ("redis_version:7.0.15\r\nredis_mode:cluster\r\n", false),
            ("", false),
        ];
        for (info, expected) in table {
            assert_eq!(judge(info).is_ok(), expected, "{info:?}");
        }
    }
}
