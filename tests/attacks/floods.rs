//! Whole messages and frames, far too many of them.

use crate::{
    attacker::{Attacker, ELSEWHERE},
    site::{SMALL, Site, Talk, UNLIMITED},
    support::{CLOSE, FIN, PING, TEXT, frame},
};

const TINY: usize = 2_304;

#[tokio::test]
async fn pings_come_in_a_flood_and_no_pong_is_read() {
    let site = Site::start("pings", &[&SMALL, &UNLIMITED]);
    let mut talk = Talk::begin(&site).await;
    let mut crowd = Vec::new();
    for _ in 0..126 {
        crowd.push(Attacker::upgrade(&site, ELSEWHERE, "quiet=1", TINY).await.unwrap());
    }
    let pings = frame(FIN | PING, &[7; 125]).repeat(100);
    for _ in 0..30 {
        for attacker in &crowd {
            attacker.push(&pings);
        }
        talk.exchange(1).await;
    }
    site.finish(talk).await;
}

#[tokio::test]
async fn rooms_and_names_come_in_a_flood() {
    let site = Site::start("names of rooms and users", &[&SMALL, &UNLIMITED]);
    let mut talk = Talk::begin(&site).await;
    let mut crowd = Vec::new();
    for number in 0..126 {
        // The longest name, and as many rooms as a head holds; all but eight are refused.
        let rooms: String = (0..900).map(|room| format!("&room=q{number}.{room}")).collect();
        let query = format!("username={}{rooms}", "%F0%9F%98%80".repeat(24));
        crowd.push(Attacker::upgrade(&site, ELSEWHERE, &query, TINY).await.unwrap());
        if number % 10 == 0 {
            talk.exchange(1).await;
        }
    }
    for round in 0..40 {
        for (number, attacker) in crowd.iter().enumerate() {
            let room = format!("{round}-{number}-{}", "r".repeat(30));
            let join = format!(r#"{{"type":"join_room","room":"{room}","history":9}}"#);
            let leave = format!(r#"{{"type":"leave_room","room":"{room}"}}"#);
            let list = r#"{"type":"list_members","room":""}"#;
            let messages = [join.as_str(), list, &leave].map(|text| frame(FIN | TEXT, text.as_bytes()));
            attacker.push(&messages.concat());
        }
        talk.exchange(1).await;
    }
    assert!(site.status().await["rooms"].as_u64().unwrap() <= 16);
    site.finish(talk).await;
}

/// The rate is in force: whoever floods is refused, then ended, and nobody else feels it.
#[tokio::test]
async fn who_floods_above_the_rate_is_ended_with_1008() {
    let site = Site::start("messages above the rate", &[&SMALL]);
    let mut talk = Talk::begin(&site).await;
    let flood = frame(FIN | TEXT, br#"{"type":"chat","content":"flood"}"#).repeat(500);
    for _ in 0..20 {
        let mut attacker = Attacker::upgrade(&site, ELSEWHERE, "quiet=1", 64 << 10).await.unwrap();
        attacker.try_write(&flood).await;
        let answers = attacker.read_to_end().await;
        let code = 1_008_u16.to_be_bytes();
        assert!(
            answers.windows(4).any(|at| at[0] == FIN | CLOSE && at[2..] == code),
            "it is ended with 1008"
        );
    }
    let published = site.counter("published").await;
    assert!(published < 20 * 100, "their bursts of 40 are about all that got through, not {published}");
    talk.exchange(1).await;
    site.finish(talk).await;
}
