//! Which sockets have something to be done, as the kernel tells it (epoll(7)).
//!
//! Level-triggered: what was not done is told again, so that nothing can be forgotten between two looks.

use crate::{hub::ClientId, switchboard::Ready};
use rustix::{
    event::{
        Timespec,
        epoll::{self, CreateFlags, EventData, EventFlags},
    },
    io::Errno,
};
use std::{
    io,
    mem::MaybeUninit,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd},
    sync::Arc,
};

/// Sockets that one look tells of.
pub(super) const READY_MAX: usize = 256;

/// A handle to the one set of sockets.
#[derive(Debug, Clone)]
pub(super) struct Poller(Arc<OwnedFd>);

impl Poller {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(epoll::create(CreateFlags::CLOEXEC)?)))
    }

    /// Watches a client's socket for bytes to read.
    pub(super) fn add(&self, socket: impl AsFd, id: ClientId) -> io::Result<()> {
        Ok(epoll::add(&*self.0, socket, EventData::new_u64(id.to_bits()), EventFlags::IN)?)
    }

    /// Watches it as well, or no longer, for room to write.
    pub(super) fn watch_room(&self, socket: impl AsFd, id: ClientId, watch: bool) -> io::Result<()> {
        let flags = if watch { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
        Ok(epoll::modify(&*self.0, socket, EventData::new_u64(id.to_bits()), flags)?)
    }

    /// Watches a socket no longer.
    pub(super) fn remove(&self, socket: impl AsFd) {
        // One that could not be added is not there.
        let _ = epoll::delete(&*self.0, socket);
    }

    /// Looks, without waiting, and lists who is ready.
    pub(super) fn look(&self, ready: &mut Vec<Ready>) -> io::Result<()> {
        const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
        ready.clear();
        let mut events = [const { MaybeUninit::uninit() }; READY_MAX];
        match epoll::wait(&*self.0, &mut events, Some(&AT_ONCE)) {
            Ok((events, _)) => ready.extend(events.iter().map(Ready::from)),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// For the runtime: readable while there is something to be done.
impl AsFd for Poller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Poller {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl From<&epoll::Event> for Ready {
    fn from(event: &epoll::Event) -> Self {
        let (data, flags) = (event.data, event.flags);
        // How a broken one is broken is found out by reading.
        let is_broken = flags.intersects(EventFlags::HUP | EventFlags::ERR);
        Self {
            id: ClientId::from_bits(data.u64()),
            to_read: is_broken || flags.contains(EventFlags::IN),
            to_write: is_broken || flags.contains(EventFlags::OUT),
        }
    }
}
