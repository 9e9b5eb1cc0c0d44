//! Coming and going without end, and secrets that are guessed.

use crate::{
    attacker::{Attacker, ELSEWHERE},
    site::{SMALL, Site, TALKATIVE, Talk, UNLIMITED},
    support::Client,
};

const TINY: usize = 2_304;

#[tokio::test]
async fn one_address_reconnects_without_end() {
    let site = Site::start("reconnecting", &[&SMALL, &TALKATIVE]);
    let mut talk = Talk::begin(&site).await;
    let mut came = 0;
    for number in 0..4_000 {
        came += u64::from(Attacker::upgrade(&site, ELSEWHERE, "username=again", TINY).await.is_some());
        if number % 100 == 0 {
            talk.exchange(1).await;
            Client::connect_quietly(&site.server, "newcomer").await.leave().await;
        }
    }
    let refused = &site.status().await["requests_refused"]["too_many_attempts"];
    assert!(refused.as_u64().unwrap() > 0 && came >= 1_024, "{came} came, {refused} were refused");
    site.finish(talk).await;
}

#[tokio::test]
async fn secrets_to_resume_with_are_collected_and_guessed() {
    let site = Site::start("secrets to resume with", &[&SMALL, &UNLIMITED]);
    let mut talk = Talk::begin(&site).await;
    for number in 0..1_500_u128 {
        let query = format!("username=n{number}&resume={:032x}", number * 0x1234_5678_9ABC_DEF1);
        Attacker::upgrade(&site, ELSEWHERE, &query, TINY).await;
        if number % 100 == 0 {
            talk.exchange(1).await;
        }
    }
    assert_eq!(site.counter("taken_over").await, 0, "no guess was right");
    site.finish(talk).await;
}
