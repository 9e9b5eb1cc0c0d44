//! How a connection that has asked for it becomes a client.

use super::{
    accept::Handshake,
    door::{Pass, Visitor},
    http_stream::HttpStream,
    line::TcpLine,
    shared::Shared,
    tally::Outcome,
};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::sync::Arc;

/// Waits for the upgrade, which the HTTP connection completes once its answer is out, and connects the
/// client; whatever had been read behind the request is its first bytes.
pub(super) async fn begin(shared: Arc<Shared>, upgrade: OnUpgrade, visitor: Visitor, pass: Pass) {
    let upgraded =
        upgrade.await.ok().and_then(|upgraded| upgraded.downcast::<TokioIo<HttpStream<Handshake>>>().ok());
    let parts = upgraded.and_then(|parts| Some((parts.io.into_inner().into_std().ok()?, parts.read_buf)));
    let Some((stream, read_ahead)) = parts else {
        shared.tally.count(Outcome::UpgradeFailed);
        shared.lock().give_back();
        return;
    };
    let Visitor { address, place, query, token } = visitor;
    let line = TcpLine::new(stream, shared.poller.clone(), pass, place);
    let (now, mut board) = (shared.now(), shared.lock());
    if let Ok(id) = board.connect(&query, token, line, &mut read_ahead.to_vec(), now) {
        // Gone already if its first bytes were wrong.
        let name = board.hub().name(id).unwrap_or("?");
        tracing::debug!(%address, name, "connected");
    } else {
        tracing::debug!(%address, "no place was left when the upgrade was done");
    }
    drop(board);
    shared.arrival.notify_one();
}
