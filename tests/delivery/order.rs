//! One order for all members of a room.

use serde_json::json;

use crate::support::{Client, Ledger, TestServer, content_of, room_of, seq_of, settings};

const PUBLISHERS: usize = 4;
const MESSAGES: usize = 200;

/// Publishes and returns, in the order of its acks, the seq that each of its messages got.
async fn publish(mut publisher: Client, name: usize) -> Vec<(u64, String)> {
    let mut own = Vec::new();
    for number in 0..MESSAGES {
        let content = format!("{name}:{number}");
        publisher.send(json!({"type": "chat", "content": content, "room": "kitchen", "id": content})).await;
        let ack = publisher.next_of_type("ack").await;
        assert_eq!(ack["id"], content);
        own.push((seq_of(&ack), content));
    }
    own
}

/// Reads until every message of every publisher was seen and returns the order.
async fn observe(mut member: Client) -> Vec<(u64, String)> {
    let mut seen = Vec::new();
    let mut ledger: Option<Ledger> = None;
    while seen.len() < PUBLISHERS * MESSAGES {
        let message = member.next("a message of the room").await;
        if room_of(&message) != "kitchen" {
            continue;
        }
        ledger.get_or_insert_with(|| Ledger::starting_at("kitchen", seq_of(&message))).enter(&message);
        if message["type"] == "chat" {
            seen.push((seq_of(&message), content_of(&message).to_owned()));
        }
    }
    assert_eq!(ledger.unwrap().missed, 0, "the log holds them all");
    seen
}

async fn check(server: &TestServer) {
    let mut observers = Vec::new();
    for number in 0..5 {
        let mut member = Client::connect_quietly(server, &format!("observer {number}")).await;
        member.join("kitchen").await;
        observers.push(member);
    }
    let mut publishers = Vec::new();
    for number in 0..PUBLISHERS {
        let mut publisher = Client::connect_quietly(server, &format!("publisher {number}")).await;
        publisher.join("kitchen").await;
        publishers.push(publisher);
    }
    let observers: Vec<_> = observers.into_iter().map(|member| tokio::spawn(observe(member))).collect();
    let publishers: Vec<_> = publishers
        .into_iter()
        .enumerate()
        .map(|(name, publisher)| tokio::spawn(publish(publisher, name)))
        .collect();

    let mut published = Vec::new();
    for publisher in publishers {
        let own = publisher.await.unwrap();
        assert!(own.is_sorted(), "a client's own messages stay in their order");
        published.extend(own);
    }
    published.sort();
    for observer in observers {
        assert!(observer.await.unwrap() == published, "an observer saw another order than the acks told");
    }
}

#[tokio::test]
async fn all_members_see_the_messages_of_several_publishers_in_one_order() {
    check(&TestServer::start(settings())).await;
}

#[tokio::test]
async fn the_order_is_one_with_several_workers_too() {
    check(&TestServer::start_with_workers(settings(), 3)).await;
}

#[tokio::test]
async fn joinings_and_leavings_have_their_place_in_the_order() {
    let server = TestServer::start(settings());
    let mut first = Client::connect_quietly(&server, "first").await;
    let mut second = Client::connect_quietly(&server, "second").await;
    first.join("kitchen").await;
    second.join("kitchen").await;
    first.next_must_be_line("kitchen", "second joined the room").await;
    let churn = async {
        let mut tasks = Vec::new();
        for number in 0..10 {
            let mut client = Client::connect_quietly(&server, &format!("churn {number}")).await;
            tasks.push(tokio::spawn(async move {
                for _ in 0..10 {
                    client.send(json!({"type": "join_room", "room": "kitchen"})).await;
                    client.next_of_type("joined").await;
                    client.send(json!({"type": "chat", "content": "in and out", "room": "kitchen"})).await;
                    client.send(json!({"type": "leave_room", "room": "kitchen"})).await;
                    client.next_of_type("left").await;
                }
            }));
        }
        for task in tasks {
            task.await.unwrap();
        }
    };
    let churn = async {
        churn.await;
        let mut last = Client::connect_quietly(&server, "last").await;
        last.join("kitchen").await;
        last
    };
    let watch = |mut client: Client| async move {
        let mut seen = Vec::new();
        loop {
            let message = client.next("a message of the room").await;
            let line = (seq_of(&message), content_of(&message).to_owned());
            seen.push(line.clone());
            if line.1 == "last joined the room" {
                return seen;
            }
        }
    };
    let (_last, of_first, of_second) = tokio::join!(churn, watch(first), watch(second));
    assert!(of_first == of_second, "two members saw two orders");
    assert_eq!(of_first.len(), 10 * 10 * 3 + 1);
    assert!(of_first.windows(2).all(|pair| pair[1].0 == pair[0].0 + 1), "without a hole");
}
