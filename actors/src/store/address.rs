//! Where a store is: `redis://[user:password@]host:port/db?prefix=NAME`, or `rediss://` for TLS.

use std::fmt;

use derive_more::{Display, Error};
use redis::{ConnectionInfo, IntoConnectionInfo, ProtocolVersion};
use url::Url;

/// The version of what is kept under a prefix. Servers of another version share nothing with those of this one.
const LAYOUT: &str = "1";

/// The prefix of an address that names none.
const DEFAULT_PREFIX: &str = "test-server";

/// The longest prefix.
const MAX_PREFIX: usize = 64;

/// The address of a store. Shown without its password.
#[derive(Clone)]
pub struct StoreAddress {
    info: ConnectionInfo,
    shown: String,
    base: String,
}

/// Why a text is not the address of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, Error)]
pub enum InvalidAddress {
    /// It is not a URL of the scheme `redis` or `rediss` with a host.
    #[display("expected redis://[user:password@]host:port/db?prefix=NAME, or rediss:// for TLS")]
    Url,
    /// The database is not a number.
    #[display("the database should be a number")]
    Database,
    /// There is a parameter other than `prefix`.
    #[display("the only parameter is prefix")]
    Parameter,
    /// The prefix is empty, too long, or has other characters than `A-Z a-z 0-9 _ . -`.
    #[display("the prefix should have 1 to 64 characters of A-Z a-z 0-9 _ . -")]
    Prefix,
}

impl StoreAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// [`InvalidAddress`]: what is wrong with it. The text itself, which may hold a password, is not repeated.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let mut url = Url::parse(text).map_err(|_| InvalidAddress::Url)?;
        if !matches!(url.scheme(), "redis" | "rediss") || url.host_str().is_none_or(str::is_empty) {
            return Err(InvalidAddress::Url);
        }
        let prefix = prefix_of(&url)?;
        let path = url.path().trim_matches('/').to_owned();
        let db: u32 = if path.is_empty() { 0 } else { path.parse().map_err(|_| InvalidAddress::Database)? };
        url.set_query(None);
        url.set_fragment(None);
        let info = url.clone().into_connection_info().map_err(|_| InvalidAddress::Url)?;
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let info = info.set_redis_settings(settings);
        let base = format!("{prefix}:{LAYOUT}:{db}:");
        Ok(Self { info, shown: shown(url, &prefix), base })
    }

    pub(super) fn info(&self) -> &ConnectionInfo {
        &self.info
    }

    /// The prefix of all keys and channels. The database is a part of it, because channels belong to none.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    pub(super) fn uses_tls(&self) -> bool {
        self.shown.starts_with("rediss:")
    }
}

fn prefix_of(url: &Url) -> Result<String, InvalidAddress> {
    let mut prefix = None;
    for (name, value) in url.query_pairs() {
        if name != "prefix" || prefix.is_some() {
            return Err(InvalidAddress::Parameter);
        }
        prefix = Some(value.into_owned());
    }
    let prefix = prefix.unwrap_or_else(|| DEFAULT_PREFIX.to_owned());
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    match (1..=MAX_PREFIX).contains(&prefix.len()) && prefix.bytes().all(is_allowed) {
        true => Ok(prefix),
        false => Err(InvalidAddress::Prefix),
    }
}

fn shown(mut url: Url, prefix: &str) -> String {
    if url.password().is_some() {
        // An error means that the URL cannot have a password, and this one has.
        let _ = url.set_password(Some("***"));
    }
    url.query_pairs_mut().append_pair("prefix", prefix);
    url.into()
}

impl fmt::Display for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for StoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreAddress({})", self.shown)
    }
}

impl PartialEq for StoreAddress {
    fn eq(&self, other: &Self) -> bool {
        let password = |address: &Self| address.info.redis_settings().password().map(str::to_owned);
        self.shown == other.shown && password(self) == password(other)
    }
}

impl Eq for StoreAddress {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_database_and_a_prefix_and_is_shown_without_its_password() {
        let table = [
            ("redis://localhost", "redis://localhost?prefix=test-server", "test-server:1:0:"),
            ("redis://h:1/3?prefix=a.b", "redis://h:1/3?prefix=a.b", "a.b:1:3:"),
            ("redis://u:secret@h:1/0", "redis://u:***@h:1/0?prefix=test-server", "test-server:1:0:"),
            ("rediss://:secret@h:1", "rediss://:***@h:1?prefix=test-server", "test-server:1:0:"),
        ];
        for (text, shown, base) in table {
            let address = StoreAddress::parse(text).unwrap();
            assert_eq!((address.to_string().as_str(), address.base()), (shown, base), "{text}");
            assert!(!format!("{address:?}").contains("secret"));
        }
        let password = |text| StoreAddress::parse(text).unwrap();
        assert_ne!(password("redis://:a@h"), password("redis://:b@h"));
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_reason() {
        let long = format!("redis://h?prefix={}", "x".repeat(65));
        let table = [
            ("", InvalidAddress::Url),
            ("redis", InvalidAddress::Url),
            ("http://h", InvalidAddress::Url),
            ("unix:///tmp/redis.sock", InvalidAddress::Url),
            ("redis:///0", InvalidAddress::Url),
            ("redis://h/one", InvalidAddress::Database),
            ("redis://h/-1", InvalidAddress::Database),
            ("redis://h?protocol=3", InvalidAddress::Parameter),
            ("redis://h?prefix=a&prefix=b", InvalidAddress::Parameter),
            ("redis://h?prefix=", InvalidAddress::Prefix),
            ("redis://h?prefix=a:b", InvalidAddress::Prefix),
            ("redis://h?prefix=a%20b", InvalidAddress::Prefix),
            (&long, InvalidAddress::Prefix),
        ];
        for (text, expected) in table {
            assert_eq!(StoreAddress::parse(text).unwrap_err(), expected, "{text}");
        }
    }
}
