//! Clients that take nothing, or give what they announced never, or a byte at a time.

use std::net::Ipv4Addr;

use crate::{
    attacker::{Attacker, ELSEWHERE},
    site::{SMALL, Site, Talk, UNLIMITED},
    support::{BINARY, CONTINUATION, FIN, LengthForm, TEXT, frame, frame_as},
};

/// Nobody is ended while the buffers fill, on however slow a machine.
const PATIENT: [&str; 2] = ["--write-timeout-ms=600000", "--heartbeat-s=54"];
/// The least that Linux gives a socket for receiving: the attacker holds little, the server all it will.
const TINY: usize = 2_304;
/// What makes the server's kernel begin segments as large as it can.
const WIDE: usize = 256 << 10;
const MESSAGE_BYTES: usize = 64 << 10;

/// As many as find a place, each in a room.
async fn crowd(site: &Site, most: usize, rooms: usize, buffer: usize) -> Vec<Attacker> {
    let mut crowd = Vec::new();
    for number in 0..most {
        let query = format!("username=stalled-{number}&room=r{}", number % rooms);
        match Attacker::upgrade(site, ELSEWHERE, &query, buffer).await {
            Some(attacker) => crowd.push(attacker),
            None => return crowd,
        }
    }
    crowd
}

/// Fills what there is: the log of each room, the budget for halves, then every send buffer and every outbox
/// with echoes that nobody reads, until no socket takes anything, and some more.
async fn fill(site: &Site, crowd: &mut [Attacker], talk: &mut Talk, rooms: usize) {
    // A quarter of the greatest size each: as halves all of them at once find room in the budget.
    let text = "x".repeat(MESSAGE_BYTES / 4);
    let echo = frame(FIN | BINARY, text.as_bytes());
    let (mut rounds, mut all_blocked) = (0, 0);
    while all_blocked < 5 {
        for (number, attacker) in crowd.iter_mut().enumerate() {
            let say = format!(r#"{{"type":"chat","room":"r{}","content":"{text}"}}"#, number % rooms);
            if rounds < 2 {
                attacker.try_write(&frame(FIN | TEXT, say.as_bytes())).await;
            }
            attacker.try_write(&echo).await;
        }
        talk.exchange(2).await;
        rounds += 1;
        let blocked = site.status().await["blocked"].as_u64().unwrap();
        all_blocked += usize::from(blocked == crowd.len() as u64);
    }
    for attacker in &mut *crowd {
        attacker.try_write(&frame(BINARY, &vec![7; MESSAGE_BYTES / 2])).await;
    }
    talk.exchange(2).await;
}

/// Those that went, or took nothing, are ended in the end.
async fn until_they_are_gone(site: &Site, talk: &mut Talk) {
    while site.status().await["clients"] != 2 {
        talk.exchange(2).await;
    }
}

#[tokio::test]
async fn every_place_is_taken_and_stalled_with_full_buffers() {
    for (attack, buffer) in [("all stalled, small windows", TINY), ("all stalled, wide windows", WIDE)] {
        let site = Site::start(attack, &[&SMALL, &UNLIMITED, &PATIENT]);
        let mut talk = Talk::begin(&site).await;
        let mut crowd = crowd(&site, 200, 15, buffer).await;
        assert_eq!(crowd.len(), 126, "all places but those of the healthy");
        fill(&site, &mut crowd, &mut talk, 15).await;
        drop(crowd);
        until_they_are_gone(&site, &mut talk).await;
        site.finish(talk).await;
    }
}

#[tokio::test]
async fn every_place_of_the_default_settings_is_stalled_with_full_buffers() {
    let site = Site::start("all stalled, default settings", &[&UNLIMITED, &PATIENT]);
    let mut talk = Talk::begin(&site).await;
    let mut crowd = crowd(&site, 1_100, 60, TINY).await;
    assert_eq!(crowd.len(), 1_022);
    fill(&site, &mut crowd, &mut talk, 60).await;
    site.finish(talk).await;
}

/// They take nothing until the write timeout is over; all have last words.
#[tokio::test]
async fn everyone_is_ended_at_once_with_full_buffers() {
    let site = Site::start("all ended at once", &[&SMALL, &UNLIMITED]);
    let mut talk = Talk::begin(&site).await;
    let mut crowd = crowd(&site, 126, 15, TINY).await;
    let echo = frame(FIN | BINARY, &vec![7; MESSAGE_BYTES / 4]);
    for attacker in &mut crowd {
        for _ in 0..16 {
            attacker.try_write(&echo).await;
        }
    }
    until_they_are_gone(&site, &mut talk).await;
    assert!(site.counter("not_readable").await > 100);
    site.finish(talk).await;
}

#[tokio::test]
async fn everyone_begins_the_largest_message_and_goes_on_a_byte_at_a_time() {
    let site = Site::start("largest messages, a byte at a time", &[&SMALL, &UNLIMITED]);
    let mut talk = Talk::begin(&site).await;
    let mut crowd = crowd(&site, 126, 15, TINY).await;
    let message = frame(FIN | BINARY, &vec![7; MESSAGE_BYTES]);
    let most = message.len() - 200;
    for attacker in &mut crowd {
        attacker.try_write(&message[..most]).await;
    }
    for byte in &message[most..message.len() - 1] {
        for attacker in &crowd {
            attacker.push(&[*byte]);
        }
        talk.exchange(1).await;
    }
    assert!(site.status().await["inbound_bytes"].as_u64().unwrap() <= 4 << 20);
    site.finish(talk).await;
}

#[tokio::test]
async fn payloads_are_announced_and_never_sent() {
    let site = Site::start("announced, never sent", &[&SMALL, &UNLIMITED]);
    let mut talk = Talk::begin(&site).await;
    let crowd = crowd(&site, 126, 15, TINY).await;
    for (number, attacker) in crowd.iter().enumerate() {
        // The largest that is let in, one that is not, and one that no machine could hold.
        let length = [MESSAGE_BYTES as u64, MESSAGE_BYTES as u64 + 1, u64::MAX >> 1][number % 3];
        attacker.push(&frame_as(LengthForm::SixtyFour, FIN | TEXT, length, b""));
    }
    talk.exchange(20).await;
    assert!(site.status().await["inbound_bytes"].as_u64().unwrap() < 1_024, "nothing came, nothing is held");
    site.finish(talk).await;
}

#[tokio::test]
async fn messages_come_in_a_flood_of_fragments() {
    let site = Site::start("fragments", &[&SMALL, &UNLIMITED]);
    let mut talk = Talk::begin(&site).await;
    let crowd = crowd(&site, 126, 15, TINY).await;
    for attacker in &crowd {
        attacker.push(&frame(TEXT, b"x"));
    }
    // Of no byte, which never end, and of one byte each.
    let empty = frame(CONTINUATION, b"").repeat(1_000);
    let single = frame(CONTINUATION, b"x").repeat(1_000);
    for _ in 0..30 {
        for (number, attacker) in crowd.iter().enumerate() {
            attacker.push(if number % 2 == 0 { &empty } else { &single });
        }
        talk.exchange(1).await;
    }
    site.finish(talk).await;
}

/// The server sees the end of each and is done with it; its kernel must not be left with what each never took.
#[tokio::test]
async fn who_never_took_its_answers_says_goodbye_and_comes_again() {
    let site = Site::start("full buffers left behind", &[&SMALL, &UNLIMITED]);
    let mut talk = Talk::begin(&site).await;
    let echo = frame(FIN | BINARY, &vec![7; MESSAGE_BYTES - 16]);
    let mut left = Vec::new();
    for number in 0..1_500 {
        let attacker = Attacker::upgrade(&site, Ipv4Addr::LOCALHOST, "quiet=1", TINY).await;
        if let Some(mut attacker) = attacker {
            for _ in 0..4 {
                attacker.try_write(&echo).await;
            }
            attacker.half_close().await;
            left.push(attacker);
        }
        if number % 10 == 0 {
            talk.exchange(1).await;
        }
    }
    assert!(left.len() > 100, "{} came", left.len());
    site.finish(talk).await;
}
