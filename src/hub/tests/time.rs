use super::*;
use crate::limits::ANNOUNCE_EVERY_MS;

#[test]
fn a_count_is_told_at_once_and_then_not_before_its_time() {
    let mut desk = Desk::new(tiny());
    let aki = desk.connect("aki");
    desk.read(aki);
    desk.connect("bob");
    assert_eq!(lines(&desk.read(aki)), ["system bob connected"], "the last count was told just now");
    desk.pass(ANNOUNCE_EVERY_MS - 1);
    assert!(desk.read(aki).is_empty());
    desk.connect("cleo");
    desk.pass(1);
    assert_eq!(
        lines(&desk.read(aki)),
        ["client_count 3", "system cleo connected"],
        "values in between are skipped"
    );
    desk.pass(ANNOUNCE_EVERY_MS);
    assert!(desk.read(aki).is_empty(), "nothing has changed");
}

#[test]
fn who_is_silent_is_asked_after_a_heartbeat_and_ended_after_one_and_a_half() {
    let mut desk = Desk::new(tiny());
    let aki = desk.connect("aki");
    desk.read(aki);
    desk.pass(19_999);
    assert!(desk.read(aki).is_empty());
    desk.pass(1);
    assert_eq!(desk.read(aki), [Value::from(9)]);
    desk.pass(9_999);
    assert!(desk.read(aki).is_empty());
    desk.pass(1);
    assert_eq!(desk.departure().0, aki);
    assert_eq!(desk.hub.counters().get(Counter::NoSignOfLife), 1);
}

#[test]
fn with_a_long_heartbeat_a_client_is_gone_after_a_minute() {
    for (heartbeat_s, gone_ms) in [(39, 58_500), (40, 60_000), (41, 60_000), (54, 60_000)] {
        let mut desk = Desk::new(Capacities { heartbeat_s, ..tiny() });
        let aki = desk.connect("aki");
        desk.pass(gone_ms - 1);
        assert!(desk.hub.name(aki).is_some(), "{heartbeat_s}");
        desk.pass(1);
        assert!(desk.hub.name(aki).is_none(), "{heartbeat_s}");
    }
}

#[test]
fn what_is_sent_to_a_client_is_no_sign_of_its_life() {
    let mut desk = Desk::new(tiny());
    let (dead, talker) = (desk.connect("dead"), desk.connect("talker"));
    for _ in 0..30 {
        desk.pass(1_000);
        desk.hub.heard(talker, desk.now);
        desk.chat(talker, "", "news");
        desk.take(dead, usize::MAX);
    }
    assert!(desk.hub.name(dead).is_none());
    assert_eq!(desk.hub.name(talker), Some("talker"));
}

#[test]
fn a_socket_that_takes_nothing_is_ended_at_the_write_timeout() {
    let mut desk = Desk::new(tiny());
    let aki = desk.connect("aki");
    desk.take(aki, 0);
    desk.pass(9_999);
    assert!(desk.hub.name(aki).is_some());
    desk.pass(1);
    assert_eq!(desk.departure().0, aki);
    assert_eq!(desk.hub.counters().get(Counter::NotReadable), 1);
}

#[test]
fn a_socket_is_tried_once_more_before_it_is_ended_for_taking_nothing() {
    for room in [0, 1] {
        let mut desk = Desk::new(tiny());
        let aki = desk.connect("aki");
        desk.take(aki, 0);
        desk.pass(9_499);
        assert!(desk.hub.is_blocked(aki));
        desk.pass(1);
        assert!(!desk.hub.is_blocked(aki) && desk.hub.next_due() == Some(aki));
        assert_eq!(desk.take(aki, room).len(), room);
        assert!(desk.hub.is_blocked(aki));
        desk.pass(499);
        assert!(desk.hub.is_blocked(aki), "it is tried once");
        desk.pass(1);
        assert_eq!(desk.hub.name(aki).is_some(), room > 0, "{room}");
        desk.pass(9_499);
        assert_eq!(desk.hub.name(aki).is_some(), room > 0, "{room}");
        desk.pass(1);
        assert!(desk.hub.name(aki).is_none());
    }
}

#[test]
fn a_socket_that_had_no_room_and_has_some_again_is_a_sign_of_life() {
    let mut desk = Desk::new(tiny());
    let aki = desk.connect("aki");
    for _ in 0..12 {
        desk.take(aki, 1);
        desk.pass(9_000);
    }
    assert!(desk.hub.name(aki).is_some(), "it reads, and says nothing");
}

#[test]
fn one_byte_within_the_write_timeout_is_enough() {
    let mut desk = Desk::new(tiny());
    let aki = desk.connect("aki");
    for _ in 0..5 {
        desk.take(aki, 1);
        desk.hub.heard(aki, desk.now);
        desk.pass(9_999);
    }
    assert!(desk.hub.name(aki).is_some());
}

#[test]
fn a_socket_that_was_blocked_and_has_everything_is_not_ended_later() {
    let mut desk = Desk::new(tiny());
    let aki = desk.connect("aki");
    desk.take(aki, 5);
    desk.take(aki, usize::MAX);
    desk.pass(10_000);
    assert!(desk.hub.name(aki).is_some());
}

#[test]
fn a_slow_reader_is_asked_for_a_sign_of_life_as_well() {
    let mut desk = Desk::new(tiny());
    let aki = desk.connect("aki");
    let mut bytes = Vec::new();
    for pause in [9_000, 9_000, 2_000] {
        desk.pass(pause);
        assert!(desk.hub.name(aki).is_some());
        bytes.extend(desk.take(aki, 3));
        assert!(desk.hub.is_blocked(aki));
    }
    bytes.extend(desk.take(aki, usize::MAX));
    assert!(messages(&bytes).contains(&Value::from(9)), "the ping waits behind what it is behind with");
}

#[test]
fn nobody_is_ended_for_a_silence_in_which_the_process_did_not_run() {
    // It stops before anybody was asked, and while everybody is being asked.
    for silence in [15_000, 25_000] {
        let mut desk = Desk::new(tiny());
        let (aki, dead) = (desk.connect("aki"), desk.connect("dead"));
        desk.pass(silence);
        desk.sleep(18_000);
        assert!(desk.read(aki).contains(&Value::from(9)), "she is asked");
        assert_eq!(desk.hub.client_count(), 2);
        desk.hub.heard(aki, desk.now);
        // Of the pause a tick or two remain counted.
        desk.pass(30_000 - silence - 201);
        assert!(desk.hub.name(dead).is_some());
        desk.pass(1);
        assert!(desk.hub.name(dead).is_none() && desk.hub.name(aki).is_some());
    }
}

#[test]
fn a_tick_that_is_a_little_late_puts_nothing_off_and_a_later_one_what_it_is_late_beyond_that() {
    for (late, put_off) in [(199, 0), (200, 0), (201, 1), (1_200, 1_000)] {
        let mut desk = Desk::new(tiny());
        let aki = desk.connect("aki");
        desk.sleep(late);
        desk.pass(29_999 - late + put_off);
        assert!(desk.hub.name(aki).is_some(), "{late}");
        desk.pass(1);
        assert!(desk.hub.name(aki).is_none(), "{late}");
    }
}

#[test]
fn whoever_spoke_after_a_pause_is_not_given_the_pause_as_well() {
    let mut desk = Desk::new(tiny());
    let aki = desk.connect("aki");
    desk.now.ms += 3_600_000;
    desk.hub.heard(aki, desk.now);
    desk.sleep(0);
    desk.pass(29_999);
    assert!(desk.hub.name(aki).is_some());
    desk.pass(1);
    assert!(desk.hub.name(aki).is_none());
}

#[test]
fn a_socket_is_not_ended_for_what_it_did_not_take_while_the_process_did_not_run() {
    let mut desk = Desk::new(tiny());
    let aki = desk.connect("aki");
    desk.take(aki, 0);
    desk.pass(5_000);
    desk.sleep(18_000);
    desk.pass(4_799);
    assert!(desk.hub.name(aki).is_some());
    desk.pass(1);
    assert!(desk.hub.name(aki).is_none());
    assert_eq!(desk.hub.counters().get(Counter::NotReadable), 1);
}

#[test]
fn everyone_is_told_of_a_restart_and_when_to_come_back() {
    let mut desk = Desk::new(tiny());
    let (aki, bob) = (desk.connect("aki"), desk.connect("bob"));
    desk.read(aki);
    desk.read(bob);
    desk.hub.announce_restart(desk.now);
    let retries = [aki, bob].map(|id| desk.read(id)[0]["retry_ms"].as_u64().unwrap());
    assert!(retries.iter().all(|retry| (500..2_000).contains(retry)), "{retries:?}");
    assert_ne!(retries[0], retries[1], "not all in the same instant");
    assert_eq!(desk.hub.waiting(), 0);
    desk.hub.end_all(crate::protocol::frame::CloseCode::Restart, "again", desk.now);
    assert_eq!(desk.hub.client_count(), 0);
    desk.hub.audit().unwrap();
}

#[test]
fn the_message_above_the_rate_is_refused_with_its_id_and_published_to_nobody() {
    let mut desk = Desk::new(Capacities { messages_per_second: 1, burst: 2, ..tiny() });
    let aki = desk.connect("aki");
    desk.read(aki);
    for number in 0..3 {
        desk.say(aki, &format!(r#"{{"type":"chat","content":"{number}","id":"{number}"}}"#));
    }
    let came = desk.read(aki);
    let refused: Vec<&Value> = came.iter().filter(|message| text(message, "type") == "error").collect();
    assert_eq!((refused.len(), text(refused[0], "code"), text(refused[0], "id")), (1, "rate_limited", "2"));
    for kind in ["ping", "list_rooms"] {
        desk.say(aki, &format!(r#"{{"type":"{kind}","id":"of {kind}"}}"#));
        assert_eq!(text(&desk.read(aki)[0], "id"), format!("of {kind}"));
    }
    desk.now.ms += 1_000;
    desk.chat(aki, "", "again");
    assert_eq!(lines(&desk.read(aki)), ["chat again"]);
}
