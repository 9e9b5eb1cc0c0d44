//! The loop that serves all sockets: look which are ready, read from each, then write to those who are
//! due, in turn, and after so many look again.
//!
//! One task does it for all clients. So everything that came since a member's last turn, from however
//! many clients, goes out to it in one write; a client costs no task and no buffer; and there is no
//! wake-up that could be lost.

use super::{poller::READY_MAX, pulse::Part, shared::Shared};
use crate::{hub::Now, switchboard::Ready};
use std::{
    convert::Infallible,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};
use tokio::{
    io::{Interest, unix::AsyncFd},
    task::yield_now,
};

/// After so many milliseconds without a rest, requests for pages and the ticker have their turn as well. Each
/// turn of theirs costs a look of the runtime's at its own sockets.
const IN_A_ROW_MS: u64 = 4;

/// Serves for as long as it is polled.
pub(super) async fn run(shared: Arc<Shared>, part: Part) -> io::Error {
    match serve(&shared, part).await {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

async fn serve(shared: &Shared, mut part: Part) -> io::Result<Infallible> {
    #[expect(deprecated, reason = "its successor is unsafe; a poller keeps its descriptor open by itself")]
    let sockets = AsyncFd::with_interest(shared.poller.clone(), Interest::READABLE)?;
    let mut ready = Vec::with_capacity(READY_MAX);
    loop {
        let mut any = tokio::select! {
            any = sockets.readable() => Some(any?),
            () = part.asked() => None,
        };
        let (mut is_more_due, mut row_began) = (false, None);
        loop {
            sockets.get_ref().look(&mut ready)?;
            part.answer();
            if ready.is_empty() && !is_more_due {
                break;
            }
            let now = shared.now();
            is_more_due = round(shared, &ready, now);
            if now.ms >= *row_began.get_or_insert(now.ms) + IN_A_ROW_MS {
                row_began = None;
                yield_now().await;
            }
        }
        if let Some(any) = &mut any {
            any.clear_ready();
        }
    }
}

/// Serves whoever was found, and says whether there must be another round at once. A panic ends the
/// client that was being served, as soon as the lock is taken again; the others' turn comes again, for
/// what is not done is found again.
fn round(shared: &Shared, ready: &[Ready], now: Now) -> bool {
    let served = catch_unwind(AssertUnwindSafe(|| shared.lock().round(ready, now)));
    served.unwrap_or_else(|_| {
        drop(shared.lock());
        true
    })
}
