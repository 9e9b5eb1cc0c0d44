//! Slow and stalled readers: they lose, and are told what; nobody else does.

use std::time::Duration;

use roomd::config::Settings;
use serde_json::{Value, json};

use crate::support::{
    Client, FIN, GUARD, Ledger, PING, PONG, RawClient, TEXT, TestServer, content_of, frame, seq_of, settings,
};

/// A log and kernel buffers so small that a stalled reader falls behind at once.
fn small() -> Settings {
    Settings {
        log_bytes: 64 << 10,
        log_messages: 64,
        message_bytes: 8 << 10,
        send_buffer_bytes: 4_096,
        ..settings()
    }
}

fn chat(room: &str, content: &str) -> Value {
    json!({"type": "chat", "content": content, "room": room})
}

/// A reader with a tiny buffer in a room, and what it knows of the room.
async fn stalled_member(server: &TestServer, room: &str) -> (RawClient, Ledger) {
    let query = format!("quiet=1&username=stalled&room={room}");
    let mut stalled = RawClient::upgrade_narrow(server, &query).await;
    let joined = stalled.next_json().await;
    let mut ledger = Ledger::after_joined(&joined);
    ledger.enter(&stalled.next_json().await);
    (stalled, ledger)
}

/// Reads on until this seq is accounted for.
async fn catch_up(reader: &mut RawClient, ledger: &mut Ledger, head: u64) {
    while ledger.last() < head {
        ledger.enter(&reader.next_json().await);
    }
}

/// Publishes `count` messages of `bytes` each, in batches that the log holds and that each of
/// `members` takes in before the next, and returns the head.
async fn publish_in_step(
    publisher: &mut Client,
    members: &mut [(Client, Ledger)],
    count: usize,
    bytes: usize,
) -> u64 {
    let content = "m".repeat(bytes);
    let batch = ((32 << 10) / (bytes + 256)).clamp(1, 16);
    let mut head = 0;
    for first in (0..count).step_by(batch) {
        let batch = batch.min(count - first);
        for _ in 0..batch {
            publisher.feed(&chat("kitchen", &content)).await;
        }
        publisher.flush().await;
        for _ in 0..batch {
            head = seq_of(&publisher.next_must_be("chat").await);
        }
        for (member, ledger) in members.iter_mut() {
            while ledger.last() < head {
                ledger.enter(&member.next("a message of the room").await);
            }
        }
    }
    head
}

#[tokio::test]
async fn one_stalled_reader_among_a_hundred_loses_alone_and_knows_exactly_what() {
    let server = TestServer::start(small());
    let (mut stalled, mut ledger_of_stalled) = stalled_member(&server, "kitchen").await;
    let mut members = Vec::new();
    for number in 0..98 {
        let mut member = Client::connect_quietly(&server, &format!("member {number}")).await;
        let joined = member.join("kitchen").await;
        members.push((member, Ledger::starting_at("kitchen", seq_of(&joined) + 2)));
    }
    let mut publisher = Client::connect_quietly(&server, "publisher").await;
    publisher.join("kitchen").await;

    let head = publish_in_step(&mut publisher, &mut members, 480, 1_000).await;
    for (_, ledger) in &members {
        assert_eq!(ledger.missed, 0, "{:?}", ledger.gaps);
    }

    catch_up(&mut stalled, &mut ledger_of_stalled, head).await;
    assert_eq!(ledger_of_stalled.gaps.len(), 1, "{:?}", ledger_of_stalled.gaps);
    let gap = &ledger_of_stalled.gaps[0];
    assert_eq!(gap["reason"], "slow");
    assert!(ledger_of_stalled.missed > 300, "far more than the log holds was published: {gap}");
    assert!(head - gap["to"].as_u64().unwrap() <= 64, "not more than the log holds is kept: {gap}");

    let head = publish_in_step(&mut publisher, &mut members, 16, 10).await;
    catch_up(&mut stalled, &mut ledger_of_stalled, head).await;
    assert_eq!(ledger_of_stalled.gaps.len(), 1, "awake again, it misses nothing more");
}

#[tokio::test]
async fn a_reader_that_stalls_again_and_again_is_told_each_time() {
    let server = TestServer::start(small());
    let (mut stalled, mut ledger) = stalled_member(&server, "kitchen").await;
    let mut publisher = Client::connect_quietly(&server, "publisher").await;
    publisher.join("kitchen").await;
    for round in 1..=5 {
        let head = publish_in_step(&mut publisher, &mut [], 320, 1_000).await;
        catch_up(&mut stalled, &mut ledger, head).await;
        assert_eq!(ledger.gaps.len(), round, "{:?}", ledger.gaps);
    }
}

#[tokio::test]
async fn a_gap_in_one_room_is_none_in_another() {
    let server = TestServer::start(small());
    let (mut stalled, mut kitchen) = stalled_member(&server, "kitchen").await;
    stalled.send(&json!({"type": "join_room", "room": "cellar"})).await;
    let mut cellar = Ledger::after_joined(&stalled.next_json().await);
    cellar.enter(&stalled.next_json().await);
    let mut publisher = Client::connect_quietly(&server, "publisher").await;
    publisher.join("kitchen").await;
    publisher.join("cellar").await;
    let head_of_kitchen = publish_in_step(&mut publisher, &mut [], 320, 1_000).await;
    publisher.send(chat("cellar", "calm down here")).await;
    let head_of_cellar = seq_of(&publisher.next_of_type("chat").await);
    while kitchen.last() < head_of_kitchen || cellar.last() < head_of_cellar {
        let message = stalled.next_json().await;
        kitchen.enter(&message);
        cellar.enter(&message);
    }
    assert_eq!((kitchen.gaps.len(), cellar.gaps.len()), (1, 0));
}

#[tokio::test]
async fn a_frame_of_which_half_was_sent_is_sent_to_its_end() {
    // Messages larger than the buffers: a stall cuts each of them, and the log runs over it.
    let server = TestServer::start(small());
    let (mut stalled, mut ledger) = stalled_member(&server, "kitchen").await;
    let mut publisher = Client::connect_quietly(&server, "publisher").await;
    publisher.join("kitchen").await;
    for _ in 0..4 {
        let head = publish_in_step(&mut publisher, &mut [], 48, 7_900).await;
        catch_up(&mut stalled, &mut ledger, head).await;
    }
    assert!(ledger.missed > 0 && ledger.received > 0, "{ledger:?}");
}

#[tokio::test]
async fn a_stalled_reader_is_still_heard_and_every_answer_comes_or_is_told_as_dropped() {
    let server = TestServer::start(small());
    let mut stalled = RawClient::upgrade_narrow(&server, "quiet=1").await;
    // Far more echoes than its outbox and both kernels hold; the server must go on reading.
    let sent = 600;
    for number in 0..sent {
        stalled.send_text(&format!("{number:04} {}", "e".repeat(2_000))).await;
    }
    stalled.send_text("fence").await;
    let (mut echoes, mut dropped, mut last) = (0, 0, None);
    let mut fenced = false;
    while !fenced || echoes + dropped < sent {
        let answer = stalled.next_with_opcode(TEXT).await;
        if answer.payload == b"fence" {
            fenced = true;
            continue;
        }
        if answer.payload.starts_with(b"{") {
            let error = answer.json();
            assert_eq!(error["code"], "too_slow");
            let count = error["content"].as_str().and_then(|text| text.split(' ').next()).unwrap();
            dropped += count.parse::<usize>().unwrap();
            continue;
        }
        let number: usize = std::str::from_utf8(&answer.payload[..4]).unwrap().parse().unwrap();
        assert!(last < Some(number), "echoes out of order: {number} after {last:?}");
        last = Some(number);
        echoes += 1;
    }
    assert!(echoes < sent, "the buffers are not that large");
    assert_eq!(echoes + dropped, sent, "each answer comes or is told as dropped, and once");
    stalled.send_text("and now").await;
    assert_eq!(stalled.next_with_opcode(TEXT).await.payload, b"and now");
}

#[tokio::test]
async fn a_reader_that_keeps_up_is_never_told_to_be_slow() {
    let server = TestServer::start(settings());
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    let chat = json!({"type": "chat", "content": "x", "id": "i"}).to_string();
    let rows = [
        ("echoes", frame(FIN | TEXT, b"echo"), TEXT),
        ("pongs", frame(FIN | PING, b"ping"), PONG),
        ("acks", frame(FIN | TEXT, chat.as_bytes()), TEXT),
        ("errors", frame(FIN | TEXT, br#"{"type":"chat"}"#), TEXT),
    ];
    for (answers, message, opcode) in rows {
        // What a client may say at once, in a single write, and far more than an outbox holds.
        for count in [settings().outbox_messages + 1, Settings::default().burst as usize, 500] {
            client.write(&message.repeat(count)).await;
            for _ in 0..count {
                let answer = client.next_frame().await.unwrap();
                assert_eq!(answer.opcode, opcode, "{answers}, {count} at once: {answer:?}");
                let is_told = String::from_utf8_lossy(&answer.payload).contains("too_slow");
                assert!(!is_told, "{answers}, {count} at once: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_reader_that_takes_a_little_now_and_then_is_not_ended() {
    let write_timeout = Duration::from_millis(1_500);
    let server = TestServer::start(Settings { write_timeout_ms: 1_500, ..small() });
    let query = "quiet=1&username=slow&room=kitchen";
    let mut slow = RawClient::upgrade_with_receive_buffer(&server, query, 16 << 10).await;
    let joined = slow.next_json().await;
    let mut ledger = Ledger::after_joined(&joined);
    let mut publisher = Client::connect_quietly(&server, "publisher").await;
    publisher.join("kitchen").await;
    #[expect(clippy::disallowed_methods, reason = "the pace is the situation")]
    let now = tokio::time::Instant::now;
    // Slower than the stream, faster than the timeout.
    let end = now() + 4 * write_timeout;
    let mut head = 0;
    while now() < end {
        head = publish_in_step(&mut publisher, &mut [], 32, 1_000).await;
        for _ in 0..10 {
            ledger.enter(&slow.next_json().await);
        }
        tokio::time::sleep(write_timeout / 10).await;
    }
    catch_up(&mut slow, &mut ledger, head).await;
    assert!(ledger.missed > 0, "it was slower than the stream");
    slow.send_text("still here").await;
    assert_eq!(slow.next_with_opcode(TEXT).await.payload, b"still here");
}

#[tokio::test]
#[ignore = "stalls for 25 seconds, longer than any timeout but the one that was set"]
async fn a_long_write_timeout_is_kept_to() {
    let server = TestServer::start(Settings { write_timeout_ms: 120_000, ..small() });
    let (mut stalled, mut ledger) = stalled_member(&server, "kitchen").await;
    let mut publisher = Client::connect_quietly(&server, "publisher").await;
    publisher.join("kitchen").await;
    let head = publish_in_step(&mut publisher, &mut [], 320, 1_000).await;
    tokio::time::sleep(Duration::from_secs(25)).await;
    publisher.assert_silent().await;
    catch_up(&mut stalled, &mut ledger, head).await;
}

/// As over a thin link: a small receive buffer, segments of Ethernet, and so many bytes a second.
#[tokio::test]
#[ignore = "reads slowly for a minute: longer than any timeout, and than kernels take to lose patience"]
async fn readers_that_read_slowly_all_the_time_are_never_ended() {
    const EVERY: Duration = Duration::from_millis(100);
    let Settings { write_timeout_ms, heartbeat_s, .. } = Settings::default();
    let server = TestServer::start(Settings { write_timeout_ms, heartbeat_s, ..settings() });
    let mut readers = Vec::new();
    for (bytes_per_second, speaks) in [(5_000, true), (8_000, true), (9_000, false), (12_000, true)] {
        let query = "quiet=1&room=kitchen";
        let reader = RawClient::upgrade_over_small_segments(&server, query, 16_384, 1_460).await;
        readers.push((reader, bytes_per_second / 10, speaks));
    }
    let mut publisher = Client::connect_quietly(&server, "publisher").await;
    publisher.join("kitchen").await;
    for tenth in 0..600 {
        publish_in_step(&mut publisher, &mut [], 5, 2_000).await;
        for (reader, bytes, speaks) in &mut readers {
            assert!(reader.read_some(*bytes).await, "ended after {tenth} tenths of a second at {bytes} each");
            if *speaks && tenth % 10 == 0 {
                reader.write(&frame(FIN | PING, b"")).await;
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

#[tokio::test]
async fn many_stalled_readers_slow_nobody() {
    let server = TestServer::start(small());
    let mut stalled = Vec::new();
    for number in 0..30 {
        let query = format!("quiet=1&username=stalled-{number}&room=kitchen");
        stalled.push(RawClient::upgrade_narrow(&server, &query).await);
    }
    let mut reader = Client::connect_quietly(&server, "reader").await;
    let joined = reader.join("kitchen").await;
    let mut members = [(reader, Ledger::starting_at("kitchen", seq_of(&joined) + 2))];
    let mut publisher = Client::connect_quietly(&server, "publisher").await;
    publisher.join("kitchen").await;
    let publishing = publish_in_step(&mut publisher, &mut members, 480, 1_000);
    tokio::time::timeout(GUARD, publishing).await.expect("nobody waits for the stalled");
    assert_eq!(members[0].1.missed, 0, "{:?}", members[0].1.gaps);
}

#[tokio::test]
async fn a_stalled_reader_may_leave_and_come_back_while_the_stream_goes_on() {
    let server = TestServer::start(small());
    let (mut stalled, _) = stalled_member(&server, "kitchen").await;
    let mut publisher = Client::connect_quietly(&server, "publisher").await;
    publisher.join("kitchen").await;
    publish_in_step(&mut publisher, &mut [], 320, 1_000).await;
    stalled.send(&json!({"type": "leave_room", "room": "kitchen"})).await;
    publisher.expect("the leaving", |m| m["content"] == "stalled left the room").await;
    stalled.send(&json!({"type": "join_room", "room": "kitchen"})).await;
    let line = publisher.expect("the joining", |m| m["content"] == "stalled joined the room").await;
    let joined = loop {
        let message = stalled.next_json().await;
        if message["type"] == "joined" {
            break message;
        }
    };
    let mut ledger = Ledger::after_joined(&joined);
    let own = stalled.next_json().await;
    ledger.enter(&own);
    assert_eq!((seq_of(&own), content_of(&own)), (seq_of(&line), "stalled joined the room"));
}
