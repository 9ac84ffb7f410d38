//! Reading while a request is still being written (RFC 9112, 9.5).
//!
//! awc writes the whole request before it reads. A server that refuses a body may reply, and then close the connection
//! or stop reading; one that replies as it reads waits for its reply to be taken.

use std::{
    io,
    mem::MaybeUninit,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    fault::{WireFault, is_end},
    stream::{Sending, Wire},
};
use crate::transport::context;

/// How much is read at a time while a request is being written.
const AHEAD: usize = 16 * 1024;
/// How much of a reply may be held beyond the longest body while its request is being written.
const AHEAD_SLACK: u64 = 512 * 1024;

/// What reading ahead has found.
enum Ahead {
    Quiet,
    Progress,
    /// The reply, or the end of the stream, makes the rest of the request useless.
    EndsTheRequest,
}

impl<S: AsyncRead + Unpin> Wire<S> {
    /// Reads what the server sends while the request is still being written (RFC 9112, 9.5).
    fn read_ahead(&mut self, cx: &mut Context<'_>) -> Ahead {
        let mut found = Ahead::Quiet;
        let longest = context::max_body().saturating_add(AHEAD_SLACK);
        let mut space = [MaybeUninit::<u8>::uninit(); AHEAD];
        loop {
            let Some(stream) = &mut self.stream else { return Ahead::EndsTheRequest };
            let mut buf = ReadBuf::uninit(&mut space);
            match stream.poll_look(cx, &mut buf) {
                Poll::Pending => return found,
                Poll::Ready(Err(error)) => {
                    // An error of TLS says more than that of the write before it.
                    if !is_end(&error) {
                        self.broken = Some(error);
                    } else if WireFault::inside(&error).is_none() {
                        self.broken.get_or_insert(error);
                    }
                    return Ahead::EndsTheRequest;
                }
                Poll::Ready(Ok(())) => found = Ahead::Progress,
            }
            if let Err(fault) = self.reply.hold(buf.filled()) {
                self.broken = Some(fault.into_io());
                return Ahead::EndsTheRequest;
            }
            self.publish_fields();
            let refused = self.reply.status().is_some_and(|status| status >= 400);
            if refused || self.reply.due().len() as u64 > longest {
                return Ahead::EndsTheRequest;
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Reads ahead when a write has failed or is pending, because the server may have replied already.
    pub(super) fn poll_beside_reading<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
        all: T,
    ) -> Poll<io::Result<T>> {
        let ahead = match written {
            Poll::Ready(Ok(written)) => {
                if let Some(stream) = &mut self.stream {
                    stream.restart();
                }
                return Poll::Ready(Ok(written));
            }
            Poll::Ready(Err(error)) => {
                self.broken = Some(error);
                self.read_ahead(cx);
                Ahead::EndsTheRequest
            }
            Poll::Pending => self.read_ahead(cx),
        };
        let Some(stream) = &mut self.stream else { return Poll::Ready(Err(WireFault::Closed.into_io())) };
        match ahead {
            Ahead::EndsTheRequest => {
                self.request = Sending::Void;
                return Poll::Ready(Ok(all));
            }
            Ahead::Progress => stream.restart(),
            Ahead::Quiet => {}
        }
        stream.poll_write_silence(cx).map(Err)
    }
}
