//! Listening: the configured name, resolved to all its addresses, with one port for all of them.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

use derive_more::{Display, Error};
use log::warn;

use crate::logging::STARTUP;

/// Why a server cannot listen.
#[derive(Debug, Display, Error)]
pub enum StartError {
    /// The configured name has no address.
    #[display("SERVER_HOST (--host) is {host:?}, which cannot be resolved: {source}")]
    Unresolved {
        /// The name.
        host: String,
        /// The error of the resolver.
        source: io::Error,
    },
    /// The server cannot listen on the address, for example because the port is taken.
    #[display("cannot listen on {address}: {source}")]
    Unbound {
        /// The address.
        address: SocketAddr,
        /// The error of the system.
        source: io::Error,
    },
}

/// How many connections may wait to be accepted. Linux bounds it further by `net.core.somaxconn`.
pub(crate) const BACKLOG: u32 = 4096;

/// The most addresses of one name that are listened on.
pub(crate) const MAX_ADDRESSES: usize = 16;

/// How often a free port is looked for that is free on every address.
const FREE_PORT_ATTEMPTS: usize = 20;

/// Listens on every address of `host`. Port 0 takes one that is free on all of them.
///
/// # Errors
/// [`StartError`] when the name cannot be resolved, or an address is taken.
pub fn on_host(host: &str, port: u16) -> Result<Vec<TcpListener>, StartError> {
    let unresolved = |source| StartError::Unresolved { host: host.to_owned(), source };
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in (host, port).to_socket_addrs().map_err(unresolved)?.take(MAX_ADDRESSES) {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(unresolved(io::ErrorKind::NotFound.into()));
    }
    on_addresses(&addresses)
}

fn on_addresses(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, StartError> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match on_one_port(addresses) {
            Err(StartError::Unbound { address, source })
                if source.kind() == io::ErrorKind::AddrInUse
                    && addresses.iter().all(|address| address.port() == 0)
                    && attempts < FREE_PORT_ATTEMPTS =>
            {
                warn!(target: STARTUP, address:%; "A port is free on one address only, another is taken");
            }
            result => return result,
        }
    }
}

/// Listens on all of `addresses` that this machine has; the first one decides which port 0 is.
fn on_one_port(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, StartError> {
    let mut listeners: Vec<TcpListener> = Vec::new();
    let mut missing = None;
    for &(mut address) in addresses {
        if let Some(bound) = listeners.first().and_then(|first| first.local_addr().ok()) {
            address.set_port(bound.port());
        }
        match on_address(address) {
            Ok(listener) => listeners.push(listener),
            // A name may have an address of a family that is turned off here.
            Err(source) if is_missing_here(&source) => {
                missing = Some(StartError::Unbound { address, source });
            }
            Err(source) => return Err(StartError::Unbound { address, source }),
        }
    }
    match missing {
        Some(error) if listeners.is_empty() => Err(error),
        _ => Ok(listeners),
    }
}

fn on_address(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => actix_rt::net::TcpSocket::new_v4(),
        SocketAddr::V6(_) => actix_rt::net::TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

fn is_missing_here(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable || error.kind() == io::ErrorKind::Unsupported
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(listeners: &[TcpListener]) -> Vec<u16> {
        listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
    }

    #[tokio::test]
    async fn every_address_of_a_name_gets_the_same_free_port() {
        let addresses = ["127.0.0.1:0", "127.0.0.2:0", "[::1]:0"].map(|address| address.parse().unwrap());
        let listeners = on_addresses(&addresses).unwrap();
        let ports = ports(&listeners);
        // A machine without IPv6 has two of them.
        assert!(ports.len() >= 2 && ports.iter().all(|port| *port == ports[0] && *port != 0), "{ports:?}");
    }

    #[tokio::test]
    async fn an_address_that_is_not_of_this_machine_is_passed_over_unless_it_is_the_only_one() {
        let foreign = "192.0.2.1:0".parse().unwrap();
        assert_eq!(on_addresses(&[foreign, "127.0.0.1:0".parse().unwrap()]).unwrap().len(), 1);
        let error = on_addresses(&[foreign]).unwrap_err().to_string();
        assert!(error.starts_with("cannot listen on 192.0.2.1:0: "), "{error}");
    }

    #[tokio::test]
    async fn a_port_that_is_taken_on_one_address_is_an_error_that_names_it() {
        let taken = TcpListener::bind("127.0.0.2:0").unwrap().local_addr();
        let holder = TcpListener::bind(taken.unwrap()).unwrap();
        let taken = holder.local_addr().unwrap();
        let other = SocketAddr::new("127.0.0.1".parse().unwrap(), taken.port());
        let error = on_addresses(&[other, taken]).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot listen on {taken}: ")), "{error}");
    }
}
