//! Peers that are gone without a word: noticed, replaced, and freed.

use serde_json::{Value, json};

use crate::{
    network::{self, Network},
    support::{BINARY, Client, FIN, PING, PONG, RawClient, frame, guarded},
};

const TINY: usize = 2_304;
const ROOMY: usize = 64 << 10;

/// What a witness hears until the ghost is announced as gone: how often it was pinged, by which the server's own
/// clock is told.
async fn pings_until_gone(witness: &mut RawClient) -> usize {
    let mut pings = 0;
    loop {
        let frame = witness.next_frame().await.expect("the witness stays");
        if frame.opcode == PING {
            pings += 1;
            witness.write(&crate::support::frame(FIN | PONG, &frame.payload)).await;
        } else if frame.json()["content"] == "ghost disconnected" {
            return pings;
        }
    }
}

/// A witness that has seen the ghost come.
async fn witness_of(network: &Network, buffer: usize) -> (RawClient, RawClient, Value) {
    let mut witness = RawClient::upgrade(&network.server, "username=witness").await;
    let mut ghost = network.ghost("username=ghost", buffer).await;
    let welcome = ghost.next_json().await;
    while witness.next_json().await["content"] != "ghost connected" {}
    (witness, ghost, welcome)
}

/// Nothing of the ghost is left in the kernel.
async fn freed(network: &Network) {
    guarded("the end of the ghost's socket", async {
        while network.sockets_to_ghosts() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
}

#[test]
fn a_peer_that_vanishes_is_announced_within_one_and_a_half_heartbeats() {
    network::run(&["--heartbeat-s=4"], async |network| {
        let (mut witness, _ghost, _) = witness_of(&network, ROOMY).await;
        network.cut_off_ghosts();
        // Every 4 s from its coming: one at 4 s, and the end of the ghost at 6 s.
        assert_eq!(pings_until_gone(&mut witness).await, 1);
        freed(&network).await;
    });
}

#[test]
fn who_comes_back_by_resume_has_its_name_at_once() {
    network::run(&["--heartbeat-s=54"], async |network| {
        let (mut witness, _ghost, welcome) = witness_of(&network, ROOMY).await;
        network.cut_off_ghosts();
        let query = format!("resume={}", welcome["resume"].as_str().unwrap());
        let mut back = Client::open(&network.server, &query).await;
        assert_eq!(back.next_must_be("welcome").await["username"], "ghost");
        assert_eq!(pings_until_gone(&mut witness).await, 0, "nobody waited for the heartbeat");
        freed(&network).await;
    });
}

#[test]
fn a_peer_that_vanishes_with_something_under_way_is_announced_by_then_as_well_and_leaves_nothing() {
    network::run(&["--heartbeat-s=4"], async |network| {
        let (mut witness, _ghost, _) = witness_of(&network, ROOMY).await;
        network.cut_off_ghosts();
        witness.send(&json!({"type": "chat", "content": "are you there"})).await;
        assert_eq!(pings_until_gone(&mut witness).await, 1);
        freed(&network).await;
    });
}

#[test]
fn a_peer_that_vanishes_with_full_buffers_is_ended_and_leaves_nothing() {
    let flags = ["--heartbeat-s=54", "--write-timeout-ms=2000", "--messages-per-second=0", "--burst=0"];
    network::run(&flags, async |network| {
        let (mut witness, mut ghost, _) = witness_of(&network, TINY).await;
        for _ in 0..8 {
            ghost.write(&frame(FIN | BINARY, &[7; 60_000])).await;
        }
        network.cut_off_ghosts();
        assert_eq!(pings_until_gone(&mut witness).await, 0);
        freed(&network).await;
    });
}
