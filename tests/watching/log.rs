//! The lines that name whoever is too slow, as they are logged.

use std::{
    io,
    sync::{LazyLock, Once},
};

use roomd::config::Settings;
use serde_json::json;
use tokio::sync::watch;

use super::{settings, small, support::*};

/// Everything that the servers of this process have logged at `warn`.
static LOGGED: LazyLock<watch::Sender<String>> = LazyLock::new(|| watch::Sender::new(String::new()));

struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.send_modify(|all| all.push_str(&String::from_utf8_lossy(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn listen_to_the_log() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let level = tracing::Level::WARN;
        tracing_subscriber::fmt().with_max_level(level).with_ansi(false).with_writer(|| Log).init();
    });
}

/// The first line that has this in it.
async fn line_with(part: &str) -> String {
    let mut logged = LOGGED.subscribe();
    let all = guarded(part, logged.wait_for(|all| all.lines().any(|line| line.contains(part)))).await;
    let all = all.unwrap().clone();
    all.lines().find(|line| line.contains(part)).unwrap().to_owned()
}

/// The number in front of a word.
fn before(line: &str, word: &str) -> u64 {
    let text = line.split(word).next().unwrap().trim_end();
    text.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

async fn flood(server: &TestServer, room: &str) {
    let mut publisher = Client::connect_quietly(server, "publisher").await;
    publisher.join(room).await;
    for _ in 0..20 {
        for _ in 0..16 {
            publisher.feed(&json!({"type": "chat", "room": room, "content": "m".repeat(1_000)})).await;
        }
        publisher.flush().await;
        for _ in 0..16 {
            publisher.next_of_type("chat").await;
        }
    }
}

#[tokio::test]
async fn a_reader_that_loses_messages_is_named_with_its_lag_in_one_line() {
    listen_to_the_log();
    let server = TestServer::start(small());
    let query = format!("quiet=1&room=kitchen&username={}", encode("sleepy \"cat\""));
    let mut sleepy = RawClient::upgrade_narrow(&server, &query).await;
    flood(&server, "kitchen").await;
    let gap = loop {
        let message = sleepy.next_json().await;
        if message["type"] == "gap" {
            break message;
        }
    };
    let line = line_with("sleepy").await;
    let (_, rest) =
        line.split_once(r#"; slowest: "sleepy \"cat\"" at 127.0.0.1 ("#).unwrap_or_else(|| panic!("{line}"));
    assert!(line.contains("messages dropped for slow readers: "), "{line}");
    assert_eq!(Some(before(rest, " dropped")), gap["missed"].as_u64(), "{line}");
    assert!(
        rest.contains(" behind, ") && rest.contains(" waiting, heard ") && rest.ends_with(" s ago)"),
        "{line}"
    );
    let lines = LOGGED.borrow().lines().filter(|line| line.contains("sleepy")).count();
    assert_eq!(lines, 1, "one line, however many messages");
}

#[tokio::test]
async fn who_takes_nothing_or_gives_no_sign_of_life_is_named_when_it_is_ended() {
    listen_to_the_log();
    let server = TestServer::start(Settings { write_timeout_ms: 2_000, ..small() });
    let query = "quiet=1&room=kitchen&username=deaf";
    let _deaf = RawClient::upgrade_narrow(&server, query).await;
    flood(&server, "kitchen").await;
    let line = line_with("\"deaf\" at 127.0.0.1 (ended with 4002, ").await;
    assert!(line.contains("clients ended that took nothing for the write timeout: 1"), "{line}");
    // What the log no longer kept was dropped if the kernel took a few bytes more meanwhile; else it is behind.
    let logged = LOGGED.borrow().clone();
    let named = logged.lines().filter_map(|line| line.split_once("\"deaf\" at "));
    let dropped: u64 = named.map(|(_, rest)| before(rest, " dropped, ")).sum();
    assert!(dropped + before(&line, " behind, ") > 64, "more than the log keeps: {logged}");

    let server = TestServer::start(Settings { heartbeat_s: 1, ..settings() });
    let _dead = RawClient::upgrade(&server, "quiet=1&username=dead").await;
    let line = line_with("\"dead\" at 127.0.0.1 (ended with 4003, ").await;
    assert!(line.contains("clients ended that gave no sign of life: 1"), "{line}");
    assert!(before(&line, " s ago)") >= 1, "{line}");
}
