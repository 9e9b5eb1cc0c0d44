//! Coming while others talk: neither hole nor double, wherever in the stream it falls.

use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::watch;

use crate::support::{Client, Ledger, TestServer, content_of, seq_of, settings};

const COMERS: usize = 10;
const MESSAGES_MIN: usize = 300;
/// The next one sets out after so many messages more.
const MESSAGES_APART: usize = 20;

/// Talks in a room, and hears each message before the next, until all have come, however long that takes them.
async fn talk(mut talker: Client, room: &str, messages: watch::Sender<usize>) {
    let (mut said, mut come) = (0, 0);
    while said < MESSAGES_MIN || come < COMERS {
        talker.send(json!({"type": "chat", "room": room, "content": said.to_string()})).await;
        loop {
            let event = talker.next_event("its own message").await;
            if event["type"] == "chat" {
                break;
            }
            assert!(content_of(&event).starts_with("comer "), "{event}");
            come += 1;
        }
        said += 1;
        messages.send_replace(said);
    }
    talker.send(json!({"type": "chat", "room": room, "content": "the end"})).await;
}

/// Runs a stream of `talker` in this room together with those who come, each of whom is given its number and
/// sets out at its time.
async fn while_talking<Coming: Future>(talker: Client, room: &str, come: impl Fn(usize) -> Coming) {
    let (messages, on_message) = watch::channel(0);
    let comings = (0..COMERS).map(|number| {
        let (coming, mut on_message) = (come(number), on_message.clone());
        async move {
            on_message.wait_for(|said| *said >= number * MESSAGES_APART).await.unwrap();
            coming.await
        }
    });
    tokio::join!(talk(talker, room, messages), join_all(comings));
}

/// Reads to the end of the stream: nothing is missing.
async fn read_to_the_end(client: &mut Client, ledger: &mut Ledger) {
    loop {
        let message = client.next_event("the end").await;
        ledger.enter(&message);
        if message["content"] == "the end" {
            break;
        }
    }
    assert_eq!(ledger.missed, 0, "{:?}", ledger.gaps);
}

#[tokio::test]
async fn a_newcomer_sees_the_lobby_from_its_own_line_on_without_a_hole() {
    let server = TestServer::start(settings());
    let talker = Client::connect(&server, "talker").await;
    while_talking(talker, "", async |number| {
        let mut newcomer = Client::open(&server, &format!("username=comer%20{number}")).await;
        newcomer.next_must_be("welcome").await;
        let own = newcomer.next_must_be_line("", &format!("comer {number} connected")).await;
        let mut ledger = Ledger::starting_at("", seq_of(&own) + 1);
        read_to_the_end(&mut newcomer, &mut ledger).await;
    })
    .await;
}

#[tokio::test]
async fn a_joining_in_the_middle_of_a_stream_has_neither_hole_nor_double() {
    let server = TestServer::start(settings());
    let mut talker = Client::connect_quietly(&server, "talker").await;
    talker.join("kitchen").await;
    while_talking(talker, "kitchen", async |number| {
        let mut member = Client::connect_quietly(&server, &format!("comer {number}")).await;
        let history = 5 * number as u64;
        member.send(json!({"type": "join_room", "room": "kitchen", "history": history})).await;
        let joined = member.next_must_be("joined").await;
        let replayed = seq_of(&joined).min(history);
        let mut ledger = Ledger::starting_at("kitchen", seq_of(&joined) + 1 - replayed);
        read_to_the_end(&mut member, &mut ledger).await;
    })
    .await;
}
