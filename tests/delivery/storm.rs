//! A thousand clients come, join, leave and go.

use std::{sync::Arc, time::Duration};

use roomd::config::Settings;
use serde_json::json;
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
    time::timeout,
};

use crate::support::{Client, Ledger, TestServer, seq_of, settings};

const CLIENTS: usize = 1_000;
const ROOMS: usize = 10;
/// A storm, but one in which each handshake has its turn on a machine that does other things too.
const HANDSHAKES: usize = 64;
/// As [`crate::support::GUARD`], for a thousand clients on a busy machine.
const STORM_GUARD: Duration = Duration::from_mins(4);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Coming,
    HalfGoing,
    AllGoing,
}

/// What all clients share.
struct Storm {
    server: TestServer,
    handshakes: Semaphore,
}

/// What each client does: it comes, joins a room, sees the full house, and goes or sees the others go.
async fn visit(
    storm: Arc<Storm>,
    number: usize,
    mut phase: watch::Receiver<Phase>,
    seen: watch::Sender<usize>,
) {
    let turn = storm.handshakes.acquire().await.unwrap();
    let mut client = Client::open(&storm.server, &format!("username=client-{number}")).await;
    let welcome = client.next("welcome").await;
    assert_eq!(welcome["username"], format!("client-{number}"));
    drop(turn);
    let own = client.next_must_be_line("", &format!("client-{number} connected")).await;
    let mut lobby = Ledger::starting_at("", seq_of(&own));
    lobby.enter(&own);
    client.send(json!({"type": "join_room", "room": format!("room-{}", number % ROOMS)})).await;
    read_until_count(&mut client, &mut lobby, CLIENTS).await;
    seen.send_modify(|clients| *clients += 1);
    phase.wait_for(|phase| *phase != Phase::Coming).await.unwrap();
    match number % 4 {
        0 => client.leave().await,
        2 => client.vanish(),
        _ => {
            read_until_count(&mut client, &mut lobby, CLIENTS / 2).await;
            seen.send_modify(|clients| *clients += 1);
            phase.wait_for(|phase| *phase == Phase::AllGoing).await.unwrap();
        }
    }
}

/// Reads, keeping the book of the lobby, until the newest count is this.
async fn read_until_count(client: &mut Client, lobby: &mut Ledger, count: usize) {
    let count = count.to_string();
    while client.count["content"] != *count {
        lobby.enter(&client.next("the last count").await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_clients_come_and_go_and_nobody_misses_the_last_count() {
    let settings = Settings { clients: CLIENTS, ..settings() };
    let storm = Storm { server: TestServer::start(settings), handshakes: Semaphore::new(HANDSHAKES) };
    let storm = Arc::new(storm);
    let (phase, on_phase) = watch::channel(Phase::Coming);
    let (seen, mut on_seen) = watch::channel(0);
    let mut visits = JoinSet::new();
    for number in 0..CLIENTS {
        visits.spawn(visit(storm.clone(), number, on_phase.clone(), seen.clone()));
    }
    let weather = async {
        let all_there = on_seen.wait_for(|clients| *clients == CLIENTS);
        tokio::select! {
            _ = all_there => {}
            Some(Err(error)) = visits.join_next() => panic!("{error}"),
        }
        seen.send_replace(0);
        phase.send_replace(Phase::HalfGoing);
        on_seen.wait_for(|clients| *clients == CLIENTS / 2).await.unwrap();

        let mut latecomer = Client::open_when_there_is_room(&storm.server, "username=latecomer").await;
        latecomer.count_becomes(CLIENTS / 2 + 1).await;
        latecomer.send(json!({"type": "list_rooms"})).await;
        let rooms = latecomer.next_of_type("rooms").await;
        let rooms = rooms["rooms"].as_array().unwrap();
        assert_eq!(rooms.len(), ROOMS);
        let members: u64 = rooms.iter().map(|room| room["members"].as_u64().unwrap()).sum();
        assert_eq!(members, CLIENTS as u64 / 2, "members and clients agree");

        phase.send_replace(Phase::AllGoing);
        while let Some(visit) = visits.join_next().await {
            visit.unwrap();
        }
        latecomer.count_becomes(1).await;
    };
    timeout(STORM_GUARD, weather).await.expect("the storm is over");
}
