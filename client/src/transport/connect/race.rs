//! Connects to the first of several addresses that answers (RFC 8305, "Happy Eyeballs").

use std::{collections::VecDeque, io, net::SocketAddr, time::Duration};

use futures::{StreamExt, stream::FuturesUnordered};
use tokio::time::sleep;

/// How long an address has before the next one is tried beside it (RFC 8305, 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// The addresses in the order in which they are tried: both families in turn, that of the first address first.
pub(super) fn interleaved(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (preferred, other): (VecDeque<_>, VecDeque<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut preferred, mut other) = (preferred.into_iter(), other.into_iter());
    let mut order = VecDeque::new();
    loop {
        let pair = [preferred.next(), other.next()];
        if pair == [None, None] {
            return order;
        }
        order.extend(pair.into_iter().flatten());
    }
}

/// Connects to the addresses one after the other, the next one after a while or at once when one has failed, until
/// one connects. The others are dropped. When none connects, the error is that of the first.
pub(super) async fn connect<T, F>(
    mut addresses: VecDeque<SocketAddr>,
    connect: impl Fn(SocketAddr) -> F,
) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    let mut under_way = FuturesUnordered::new();
    let mut first_error = None;
    loop {
        let next = addresses.pop_front();
        let more = !addresses.is_empty();
        match next {
            Some(address) => under_way.push(connect(address)),
            None if under_way.is_empty() => {
                return Err(first_error.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()));
            }
            None => {}
        }
        tokio::select! {
            biased;
            Some(result) = under_way.next() => match result {
                Ok(connection) => return Ok(connection),
                Err(error) => {
                    first_error.get_or_insert(error);
                }
            },
            () = sleep(ATTEMPT_DELAY), if more => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, net::IpAddr};

    use tokio::time::Instant;

    use super::*;

    fn v4(host: u8) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, host], 80))
    }

    fn v6(host: u16) -> SocketAddr {
        SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, host], 80))
    }

    #[test]
    fn the_families_take_turns() {
        for (given, expected) in [
            (vec![], vec![]),
            (vec![v4(1)], vec![v4(1)]),
            (vec![v6(1), v6(2), v6(3), v4(1), v4(2)], vec![v6(1), v4(1), v6(2), v4(2), v6(3)]),
            (vec![v4(1), v4(2), v6(1)], vec![v4(1), v6(1), v4(2)]),
        ] {
            assert_eq!(interleaved(given), expected);
        }
    }

    /// How an address behaves in a test: after so many milliseconds it connects or fails; or it never answers.
    #[derive(Clone, Copy)]
    enum Behaviour {
        Connects(u64),
        Fails(u64),
        DropsPackets,
    }

    /// How the addresses behave; the winner; when it won; when each was tried.
    type Case = (&'static [Behaviour], Result<u8, &'static str>, u64, &'static [u64]);

    async fn behave(behaviour: Behaviour) -> io::Result<()> {
        let after = |ms| sleep(Duration::from_millis(ms));
        match behaviour {
            Behaviour::Connects(ms) => {
                after(ms).await;
                Ok(())
            }
            Behaviour::Fails(ms) => {
                after(ms).await;
                Err(io::Error::other(format!("failed after {ms}")))
            }
            Behaviour::DropsPackets => std::future::pending().await,
        }
    }

    #[actix_rt::test]
    async fn the_first_address_that_connects_wins() {
        use Behaviour::{Connects, DropsPackets, Fails};
        tokio::time::pause();
        let table: [Case; 8] = [
            (&[Connects(10)], Ok(0), 10, &[0]),
            (&[Connects(10), Connects(1)], Ok(0), 10, &[0]),
            (&[DropsPackets, Connects(10)], Ok(1), 260, &[0, 250]),
            (&[DropsPackets, DropsPackets, Connects(1)], Ok(2), 501, &[0, 250, 500]),
            (&[Fails(1), Connects(10)], Ok(1), 11, &[0, 1]),
            (&[Connects(300), Connects(100)], Ok(0), 300, &[0, 250]),
            (&[Fails(20), Fails(5), Fails(7)], Err("failed after 20"), 32, &[0, 20, 25]),
            (&[Fails(300), Fails(5)], Err("failed after 5"), 300, &[0, 250]),
        ];
        for (n, (behaviours, winner, when, tried)) in table.into_iter().enumerate() {
            let begun = Instant::now();
            let starts = RefCell::new(Vec::new());
            let addresses = (0..behaviours.len()).map(|host| v4(u8::try_from(host).unwrap())).collect();
            let result = connect(addresses, |address| {
                starts.borrow_mut().push(u64::try_from(begun.elapsed().as_millis()).unwrap());
                let IpAddr::V4(ip) = address.ip() else { panic!("{address}") };
                let host = ip.octets()[3];
                async move { behave(behaviours[usize::from(host)]).await.map(|()| host) }
            })
            .await;
            assert_eq!(result.map_err(|error| error.to_string()), winner.map_err(str::to_owned), "case {n}");
            // A timer ends at a whole millisecond, and several of them add up.
            let about = |one: u64, other: u64| one.abs_diff(other) < 5;
            assert!(
                about(begun.elapsed().as_millis().try_into().unwrap(), when),
                "case {n}: {:?}",
                begun.elapsed()
            );
            let starts = starts.into_inner();
            let as_told = starts.iter().zip(tried).all(|(start, tried)| about(*start, *tried));
            assert!(as_told && starts.len() == tried.len(), "case {n}: {starts:?}");
        }
    }

    #[actix_rt::test]
    async fn no_address_is_an_error() {
        let result = connect(VecDeque::new(), |_| async { Ok(()) }).await;
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);
    }
}
