//! How a connection that has asked for it becomes a client.

use super::{
    door::{Pass, Visitor},
    shared::Shared,
    tally::Outcome,
    transport::line_of,
};
use crate::hub::Promise;
use hyper::upgrade::OnUpgrade;
use std::sync::Arc;

/// Waits for the upgrade, which the HTTP connection completes once its answer is out, and connects the
/// client; whatever had been read behind the request is its first bytes.
pub(super) async fn begin(
    shared: Arc<Shared>,
    upgrade: OnUpgrade,
    promise: Promise,
    visitor: Visitor,
    pass: Pass,
) {
    let Visitor { address, place, query, token } = visitor;
    let upgraded = upgrade.await.ok();
    let line = upgraded.and_then(|upgraded| line_of(upgraded, shared.poller.clone(), pass, place));
    let Some((line, mut read_ahead)) = line else {
        shared.tally.count(Outcome::UpgradeFailed);
        shared.lock().give_back(promise);
        return;
    };
    let (now, mut board) = (shared.now(), shared.lock());
    if board.connect(promise, &query, token, line, &mut read_ahead, now).is_err() {
        tracing::debug!(%address, "no place was left when the upgrade was done");
    }
    drop(board);
    shared.arrival.notify_one();
}
