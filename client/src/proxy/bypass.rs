//! The hosts that are reached without a proxy, as `NO_PROXY` lists them. Pure.
//!
//! An entry is `*`, a name (with all names below it, whether or not it begins with a dot), an address, or a network
//! such as `10.0.0.0/8`. A name or an address may have a port. Entries are separated by commas or spaces. No name is
//! looked up: an address matches only a host that is written as an address.

use std::net::IpAddr;

use super::address::without_brackets;

/// The hosts that are reached directly.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Bypass(Vec<Rule>);

#[derive(Debug, PartialEq, Eq)]
struct Rule {
    hosts: Hosts,
    /// `None` for every port.
    port: Option<u16>,
}

#[derive(Debug, PartialEq, Eq)]
enum Hosts {
    All,
    /// This name and those below it, in lower case.
    Name(String),
    /// The addresses that begin with the first `prefix` bits of this one.
    Network {
        address: IpAddr,
        prefix: u32,
    },
}

impl Bypass {
    /// Reads a list. The error names the first invalid entry.
    pub(super) fn parse(list: &str) -> Result<Self, String> {
        let refused = |entry: &str| {
            format!("must be a list of names, addresses and networks, and {entry:?} is invalid")
        };
        entries(list)
            .map(|entry| Rule::parse(entry).ok_or_else(|| refused(entry)))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Reads a list that belongs to other programs too: entries that mean nothing here are passed over.
    pub(super) fn parse_leniently(list: &str) -> Self {
        Self(entries(list).filter_map(Rule::parse).collect())
    }

    /// Whether a host is reached directly.
    pub(super) fn includes(&self, host: &str, port: u16) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let host = without_brackets(host).trim_end_matches('.').to_ascii_lowercase();
        let address = host.parse().ok();
        self.0.iter().any(|rule| rule.includes(&host, address, port))
    }
}

fn entries(list: &str) -> impl Iterator<Item = &str> {
    list.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty())
}

impl Rule {
    fn parse(entry: &str) -> Option<Self> {
        if entry == "*" {
            return Some(Self { hosts: Hosts::All, port: None });
        }
        if let Some((address, prefix)) = entry.split_once('/') {
            let address: IpAddr = without_brackets(address).parse().ok()?;
            let prefix = prefix.parse().ok().filter(|prefix| *prefix <= bits(address))?;
            return Some(Self { hosts: Hosts::Network { address, prefix }, port: None });
        }
        if let Ok(address) = without_brackets(entry).parse() {
            return Some(Self { hosts: Hosts::one(address), port: None });
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok().filter(|port| *port != 0)?)),
            None => (entry, None),
        };
        let hosts = match without_brackets(host).parse() {
            Ok(address) => Hosts::one(address),
            Err(_) => Hosts::Name(name(host)?),
        };
        Some(Self { hosts, port })
    }

    fn includes(&self, host: &str, address: Option<IpAddr>, port: u16) -> bool {
        let same_host = match (&self.hosts, address) {
            (Hosts::All, _) => true,
            (Hosts::Name(name), None) => {
                let above = host.strip_suffix(name.as_str());
                above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
            }
            (Hosts::Network { address: network, prefix }, Some(address)) => is_in(address, *network, *prefix),
            _ => false,
        };
        same_host && self.port.is_none_or(|only| only == port)
    }
}

impl Hosts {
    fn one(address: IpAddr) -> Self {
        Self::Network { address, prefix: bits(address) }
    }
}

/// A name without what says that the names below it are meant, which they always are.
fn name(text: &str) -> Option<String> {
    let name = text.strip_prefix('*').unwrap_or(text);
    let name = name.strip_prefix('.').unwrap_or(name).trim_end_matches('.');
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '_');
    (!name.is_empty() && name.chars().all(is_name)).then(|| name.to_lowercase())
}

fn bits(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn is_in(address: IpAddr, network: IpAddr, prefix: u32) -> bool {
    let differing = match (address, network) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        _ => return false,
    };
    differing >= prefix
}
