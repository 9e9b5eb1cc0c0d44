//! Before the upgrade: heads that never end or are too large, and answers that nobody reads.

use std::net::Ipv4Addr;

use crate::{
    attacker::{Attacker, ELSEWHERE},
    site::{SMALL, Site, TALKATIVE, Talk},
    support::Client,
};

const TINY: usize = 2_304;

/// A newcomer of good will gets in, whatever an address elsewhere does.
async fn newcomer_gets_in(site: &Site) {
    Client::connect_quietly(&site.server, "newcomer").await.leave().await;
}

#[tokio::test]
async fn handshakes_are_begun_and_never_ended() {
    let site = Site::start("half-open handshakes", &[&SMALL, &TALKATIVE]);
    let mut talk = Talk::begin(&site).await;
    let mut crowd: Vec<Attacker> = Vec::new();
    for round in 0..60 {
        for _ in 0..10 {
            if let Some(attacker) = Attacker::connect(&site, ELSEWHERE, TINY).await {
                attacker.push(b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ");
                crowd.push(attacker);
            }
        }
        crowd.retain(|attacker| attacker.push(b"s"));
        talk.exchange(1).await;
        if round % 10 == 0 {
            newcomer_gets_in(&site).await;
        }
    }
    let refused = &site.status().await["requests_refused"]["too_many_handshakes"];
    assert!(refused.as_u64().unwrap() > 100, "{refused}");
    site.finish(talk).await;
}

#[tokio::test]
async fn heads_are_as_large_as_they_may_be_and_larger() {
    let site = Site::start("header floods", &[&SMALL, &TALKATIVE]);
    let mut talk = Talk::begin(&site).await;
    for round in 0..40 {
        let mut crowd = Vec::new();
        // From several addresses, so that every place is taken.
        for number in 0..16 {
            let from = Ipv4Addr::new(127, 0, 1, number);
            let Some(mut attacker) = Attacker::connect(&site, from, TINY).await else { continue };
            let lines: String = (0..90).map(|line| format!("X-{line}: {}\r\n", "h".repeat(165))).collect();
            let head = format!("GET /ws?room=a HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}");
            attacker.try_write(head.as_bytes()).await;
            crowd.push(attacker);
        }
        for (number, attacker) in crowd.iter_mut().enumerate() {
            // One ends within the bound, the next goes beyond it, the next is cut off.
            match number % 3 {
                0 => attacker.try_write(b"\r\n").await,
                1 => attacker.try_write(&[b'h'; 4_096]).await,
                _ => true,
            };
        }
        drop(crowd);
        if round % 4 == 0 {
            talk.exchange(1).await;
        }
    }
    newcomer_gets_in(&site).await;
    site.finish(talk).await;
}

#[tokio::test]
async fn requests_are_pipelined_and_no_answer_is_read() {
    let site = Site::start("pipelining without reading", &[&SMALL, &TALKATIVE]);
    let mut talk = Talk::begin(&site).await;
    let host = site.server.host();
    let page = format!("GET /app.js HTTP/1.1\r\nHost: {host}\r\n\r\n").repeat(100);
    let mut crowd = Vec::new();
    for round in 0..100_u8 {
        let from = Ipv4Addr::new(127, 0, 2, round);
        if let Some(mut attacker) = Attacker::connect(&site, from, TINY).await {
            attacker.push(page.as_bytes());
            // Some wait for what they do not read, most say that they are done and leave it to the kernel.
            if round % 40 != 0 {
                attacker.half_close().await;
            }
            crowd.push(attacker);
        }
        talk.exchange(1).await;
    }
    newcomer_gets_in(&site).await;
    site.finish(talk).await;
}
