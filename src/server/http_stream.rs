//! A connection while it speaks HTTP: when hyper is done with it, it ends as all connections do.

use super::farewell;
use std::{
    io::{self, IoSlice},
    net,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    runtime::Handle,
    time::{Sleep, sleep},
};

/// A stream, and what counts it (`Hold`). Dropped it says farewell, which keeps the count until the kernel
/// holds nothing of it any more. A peer that takes nothing of an answer for `patience` is done with.
#[derive(Debug)]
pub(super) struct HttpStream<Hold: Send + 'static> {
    stream: Option<TcpStream>,
    hold: Option<Hold>,
    patience: Duration,
    /// When the answer under way has not been taken for too long.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<Hold: Send + 'static> HttpStream<Hold> {
    pub(super) const fn new(stream: TcpStream, hold: Hold, patience: Duration) -> Self {
        Self { stream: Some(stream), hold: Some(hold), patience, deadline: None }
    }

    /// The stream, which is no longer HTTP and not counted here.
    pub(super) fn into_std(mut self) -> io::Result<net::TcpStream> {
        self.stream.take().ok_or(io::ErrorKind::NotConnected)?.into_std()
    }

    /// The first bytes that come, which are left to be read; none is the end.
    ///
    /// # Errors
    /// Those of the socket.
    #[cfg(feature = "tls")]
    pub(super) async fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.as_ref().ok_or(io::ErrorKind::NotConnected)?.peek(buffer).await
    }

    /// It is there until it is dropped or taken out.
    fn inner(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// The outcome of a write, unless it has been waited for for too long.
    fn in_time<T>(&mut self, context: &mut Context<'_>, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.deadline = None;
            return outcome;
        }
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(self.patience)));
        deadline.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// Nothing in it is pinned.
impl<Hold: Send + 'static> Unpin for HttpStream<Hold> {}

impl<Hold: Send + 'static> Drop for HttpStream<Hold> {
    fn drop(&mut self) {
        let stream = self.stream.take().and_then(|stream| stream.into_std().ok());
        // When the process ends, so do its connections.
        if let (Some(stream), Ok(runtime)) = (stream, Handle::try_current()) {
            let hold = self.hold.take();
            runtime.spawn(async move {
                farewell::say(stream, Vec::new()).await;
                drop(hold);
            });
        }
    }
}

impl<Hold: Send + 'static> AsyncRead for HttpStream<Hold> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.inner()?.poll_read(context, buffer)
    }
}

impl<Hold: Send + 'static> AsyncWrite for HttpStream<Hold> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = self.inner()?.poll_write(context, bytes);
        self.in_time(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.inner()?.poll_write_vectored(context, slices);
        self.in_time(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner()?.poll_shutdown(context)
    }
}
