//! How many bytes of a TCP connection its peer has not acknowledged yet.
//!
//! The kernel says so over a netlink socket (`sock_diag(7)`): one question, one answer, whatever the number of
//! connections. Other systems than Linux do not say it.

use tokio::net::TcpStream;

/// Asks the system; `None` where it does not say.
#[cfg(target_os = "linux")]
pub(super) fn of(stream: &TcpStream) -> Option<usize> {
    linux::ask(stream.local_addr().ok()?, stream.peer_addr().ok()?)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn of(_: &TcpStream) -> Option<usize> {
    None
}

#[cfg(target_os = "linux")]
mod linux {
    use std::net::SocketAddr;

    use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
    use rustix::net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with,
    };

    /// `SOCK_DIAG_BY_FAMILY` of `linux/sock_diag.h`.
    const BY_FAMILY: u16 = 20;
    /// `NLM_F_REQUEST` of `linux/netlink.h`.
    const IS_REQUEST: u16 = 1;
    const TCP: u8 = 6;
    const LENGTH_OF_REQUEST: usize = 72;
    /// Where `idiag_wqueue` stands in an answer: behind a `nlmsghdr` of 16 bytes and 60 bytes of `inet_diag_msg`.
    const UNACKNOWLEDGED: usize = 76;

    pub(super) fn ask(local: SocketAddr, peer: SocketAddr) -> Option<usize> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let kernel = socket_with(AddressFamily::NETLINK, SocketType::DGRAM, flags, Some(SOCK_DIAG)).ok()?;
        let to = SocketAddrNetlink::new(0, 0);
        sendto(&kernel, &request(local, peer), SendFlags::empty(), &to).ok()?;
        // The kernel has answered before the call that sends the question returns.
        let mut answer = [0; 1024];
        let (length, _) = recv(&kernel, &mut answer, RecvFlags::empty()).ok()?;
        read(&answer[..length])
    }

    /// A `nlmsghdr` and an `inet_diag_req_v2` that ask for one socket.
    fn request(local: SocketAddr, peer: SocketAddr) -> Vec<u8> {
        let (family, scope) = match local {
            SocketAddr::V4(_) => (AddressFamily::INET, 0),
            SocketAddr::V6(local) => (AddressFamily::INET6, local.scope_id()),
        };
        let mut message = Vec::with_capacity(LENGTH_OF_REQUEST);
        message.extend(72_u32.to_ne_bytes());
        message.extend(BY_FAMILY.to_ne_bytes());
        message.extend(IS_REQUEST.to_ne_bytes());
        message.extend([0; 8]);
        message.extend([u8::try_from(family.as_raw()).unwrap_or_default(), TCP, 0, 0]);
        // In any state.
        message.extend(u32::MAX.to_ne_bytes());
        message.extend(local.port().to_be_bytes());
        message.extend(peer.port().to_be_bytes());
        message.extend(address(local));
        message.extend(address(peer));
        message.extend(scope.to_ne_bytes());
        // Whatever its cookie.
        message.extend([u8::MAX; 8]);
        message
    }

    fn address(address: SocketAddr) -> [u8; 16] {
        match address {
            SocketAddr::V4(address) => {
                let mut bytes = [0; 16];
                bytes[..4].copy_from_slice(&address.ip().octets());
                bytes
            }
            SocketAddr::V6(address) => address.ip().octets(),
        }
    }

    fn read(answer: &[u8]) -> Option<usize> {
        let kind = answer.get(4..6)?.try_into().ok().map(u16::from_ne_bytes)?;
        let bytes =
            answer.get(UNACKNOWLEDGED..UNACKNOWLEDGED + 4)?.try_into().ok().map(u32::from_ne_bytes)?;
        (kind == BY_FAMILY).then_some(bytes as usize)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn what_a_client_cannot_take_is_not_acknowledged_and_what_it_takes_is() {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(host).await.unwrap();
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (mut server, _) = listener.accept().await.unwrap();
            assert_eq!(of(&server), Some(0), "{host}");
            // More than all buffers between the two hold: some of it stays here.
            let mut sent = 0;
            while let Ok(Ok(more)) =
                tokio::time::timeout(std::time::Duration::from_millis(200), server.write(&[0; 65536])).await
            {
                sent += more;
            }
            assert!(of(&server).is_some_and(|left| left > 0 && left < sent), "{:?} of {sent}", of(&server));
            let mut taken = vec![0; sent];
            client.read_exact(&mut taken).await.unwrap();
            while of(&server) != Some(0) {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        }
    }
}
