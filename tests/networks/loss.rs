//! Packets that are lost and links that go down cost time, nothing else.

use serde_json::json;

use crate::{
    network::{self, Network},
    support::{Client, Ledger, content_of, seq_of},
};

const ROOM: &str = "kitchen";
const UNLIMITED: [&str; 3] = ["--messages-per-second=0", "--burst=0", "--heartbeat-s=54"];

/// Four members of a room.
async fn members(network: &Network) -> Vec<(Client, Ledger)> {
    let mut members = Vec::new();
    for number in 0..4 {
        let mut client = Client::connect_quietly(&network.server, &format!("member-{number}")).await;
        let joined = client.join(ROOM).await;
        members.push((client, Ledger::starting_at(ROOM, seq_of(&joined) + 2)));
    }
    members
}

/// Each says so much at once.
async fn speak(members: &mut [(Client, Ledger)], lines: usize) {
    for (member, _) in members {
        for line in 0..lines {
            let content = format!("{line} {}", "x".repeat(500));
            member.feed(&json!({"type": "chat", "room": ROOM, "content": content})).await;
        }
        member.flush().await;
    }
}

/// Each receives everything that all said, in one order and without a hole.
async fn listen(members: &mut [(Client, Ledger)], lines: usize) {
    let mut heard: Vec<Vec<String>> = Vec::new();
    let all = lines * members.len();
    for (member, ledger) in members {
        let mut own = Vec::new();
        while own.len() < all {
            let message = member.next("what was said").await;
            ledger.enter(&message);
            if message["type"] == "chat" {
                own.push(format!("{} {}", message["sender"], content_of(&message)));
            }
        }
        assert_eq!(ledger.missed, 0, "{:?}", ledger.gaps);
        heard.push(own);
    }
    assert!(heard.windows(2).all(|pair| pair[0] == pair[1]), "all hear the same in one order");
}

#[test]
fn lost_packets_lose_no_message() {
    network::run(&UNLIMITED, async |network| {
        let mut members = members(&network).await;
        network.lose(15);
        for _ in 0..5 {
            speak(&mut members, 20).await;
            listen(&mut members, 20).await;
        }
    });
}

#[test]
fn a_link_that_goes_down_and_comes_back_loses_no_message() {
    network::run(&UNLIMITED, async |network| {
        let mut members = members(&network).await;
        for _ in 0..3 {
            network.set_link(false);
            speak(&mut members, 20).await;
            network.set_link(true);
            listen(&mut members, 20).await;
        }
    });
}
