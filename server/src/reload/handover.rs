//! The hand-over of listening sockets to a child process: through a Unix socket that is the child's standard input,
//! the one place where a descriptor is inherited without unsafe code.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::cmsg_space;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};

use crate::listen::MAX_ADDRESSES;

/// The child's end of a socket that holds copies of all `listeners`.
pub(super) fn send(listeners: &[TcpListener]) -> io::Result<OwnedFd> {
    let (ours, theirs) = UnixStream::pair()?;
    let descriptors: Vec<BorrowedFd<'_>> = listeners.iter().map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MAX_ADDRESSES))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(io::Error::other("too many listening sockets"));
    }
    // Descriptors travel with at least one byte.
    sendmsg(&ours, &[IoSlice::new(&[0])], &mut control, SendFlags::empty())?;
    Ok(theirs.into())
}

/// The listeners that came through `socket`.
pub(super) fn receive(socket: BorrowedFd<'_>) -> io::Result<Vec<TcpListener>> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MAX_ADDRESSES))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    recvmsg(socket, &mut [IoSliceMut::new(&mut [0])], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let mut listeners = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            listeners.extend(descriptors.map(TcpListener::from));
        }
    }
    if listeners.is_empty() {
        return Err(io::Error::other("the watcher has handed over no listening socket"));
    }
    Ok(listeners)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_listeners_arrive_in_their_order() {
        let listeners: Vec<_> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let handed_over = receive(send(&listeners).unwrap().as_fd()).unwrap();
        let addresses = |listeners: &[TcpListener]| -> Vec<_> {
            listeners.iter().map(|listener| listener.local_addr().unwrap()).collect()
        };
        assert_eq!(addresses(&handed_over), addresses(&listeners));
    }
}
