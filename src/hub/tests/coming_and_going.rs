use super::*;
use crate::{
    limits::{LINE_WRITES_MAX, RESUME_MS},
    protocol::frame::{CloseCode, close_echo, close_frame},
    table::Full,
};

#[test]
fn the_welcome_comes_first_and_then_the_line_of_its_own_coming() {
    let mut desk = Desk::new(tiny());
    let aki = desk.connect("aki");
    let came = desk.read(aki);
    assert_eq!(lines(&came), ["welcome Welcome, aki!", "client_count 1", "system aki connected"]);
    assert_eq!(came[0]["epoch"], "epoch-0");
    assert_eq!(came[2]["seq"], 1);
}

#[test]
fn the_client_above_the_last_place_is_refused_and_a_place_given_back_is_free() {
    let mut desk = Desk::new(tiny());
    desk.connect("a");
    desk.connect("b");
    let promise = desk.hub.reserve(None).unwrap();
    assert_eq!(desk.hub.reserve(None), Err(Full));
    desk.hub.give_back(promise);
    desk.connect("c");
    assert_eq!(desk.hub.reserve(None), Err(Full));
    assert_eq!(desk.hub.counters().get(Counter::RefusedFull), 2);
}

#[test]
fn a_name_that_is_present_gets_the_next_number_and_a_free_one_is_used_again() {
    let mut desk = Desk::new(Capacities { clients: 64, ..tiny() });
    let names: Vec<_> = (0..40)
        .map(|_| {
            let id = desk.connect("aki");
            (id, desk.hub.name(id).unwrap().to_owned())
        })
        .collect();
    assert_eq!(
        names[..3].iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>(),
        ["aki", "aki-2", "aki-3"]
    );
    desk.hub.audit().unwrap();
    desk.hub.end(names[1].0, Ending::Lost, desk.now);
    let again = desk.connect("aki");
    assert_eq!(desk.hub.name(again), Some("aki-2"));
}

/// In a release build nothing tells that a number has become too large: it would begin anew, for ever.
#[test]
fn a_name_whose_doubled_numbers_are_all_present_still_gets_one_that_is_free() {
    let mut desk = Desk::new(Capacities { clients: 128, ..tiny() });
    desk.connect("aki");
    let doubled = (0..64).map(|power| 9_u64.wrapping_shl(power)).take_while(|&number| number != 0);
    for number in (0..9).chain(doubled) {
        let id = desk.connect(&format!("aki-{number}"));
        assert_eq!(desk.hub.name(id), Some(&*format!("aki-{number}")));
    }
    let names: Vec<_> = (0..3)
        .map(|_| {
            let id = desk.connect("aki");
            desk.hub.name(id).unwrap().to_owned()
        })
        .collect();
    assert_eq!(names, ["aki-145", "aki-146", "aki-147"]);
    desk.hub.audit().unwrap();
}

#[test]
fn who_has_no_usable_name_gets_a_number_that_nobody_has() {
    let mut desk = Desk::new(tiny());
    let first = desk.connect("User1");
    let second = desk.connect("SYSTEM");
    assert_eq!((desk.hub.name(first), desk.hub.name(second)), (Some("User1"), Some("User2")));
}

#[test]
fn who_goes_leaves_its_room_first_and_is_then_announced_to_everyone() {
    let mut desk = Desk::new(tiny());
    let (aki, bob) = (desk.connect("aki"), desk.connect("bob"));
    desk.join(aki, "k");
    desk.join(bob, "k");
    desk.read(bob);
    desk.hub.end(aki, Ending::Lost, desk.now);
    assert_eq!(lines(&desk.read(bob)), ["system aki left the room", "system aki disconnected"]);
}

#[test]
fn a_client_that_is_gone_is_a_no_op_for_the_next_tenant_of_its_slot() {
    let mut desk = Desk::new(tiny());
    let aki = desk.connect("aki");
    desk.hub.end(aki, Ending::Lost, desk.now);
    let bob = desk.connect("bob");
    assert_eq!(aki.index(), bob.index());
    desk.read(bob);
    desk.chat(aki, "", "from the dead");
    desk.hub.end(aki, Ending::Lost, desk.now);
    desk.hub.block(aki, desk.now);
    assert_eq!(desk.hub.name(bob), Some("bob"));
    assert!(desk.read(bob).is_empty());
}

#[test]
fn a_resumed_client_has_its_name_and_the_half_open_one_ends() {
    let mut desk = Desk::new(tiny());
    let old = desk.connect("aki");
    let token = desk.hub.token(old);
    let new = desk.connect_as("somebody", token).unwrap();
    assert_eq!(desk.hub.name(new), Some("aki"));
    let (gone, words) = desk.departure();
    assert_eq!(gone, old);
    assert!(
        words.ends_with(&close_frame(CloseCode::TakenOver, "Another connection has resumed this client."))
    );
    let third = desk.connect_as("aki", token).unwrap();
    assert_eq!(desk.hub.name(third), Some("aki-2"), "a token is good once");
}

#[test]
fn a_full_table_lets_in_who_replaces_itself() {
    let mut desk = Desk::new(tiny());
    let ids = ["a", "b", "c"].map(|name| desk.connect(name));
    let token = desk.hub.token(ids[1]);
    assert_eq!(desk.connect_as("x", None), Err(Full));
    let back = desk.connect_as("x", token).unwrap();
    assert_eq!(desk.hub.name(back), Some("b"));
    assert_eq!(desk.hub.client_count(), 3);
    desk.hub.audit().unwrap();
}

#[test]
fn of_two_handshakes_with_one_token_the_second_takes_no_place_that_is_promised_to_another() {
    let mut desk = Desk::new(tiny());
    let ids = ["a", "b", "c"].map(|name| desk.connect(name));
    let [a, b] = [ids[0], ids[1]].map(|id| desk.hub.token(id));
    desk.hub.end(ids[0], Ending::Lost, desk.now);
    let promises = [a, b, b].map(|resume| desk.hub.reserve(resume).unwrap());
    let [of_a, first, second] = promises;
    let mut connect = |promise, number, resume| {
        let token = Token::new([number; 16]);
        let hello = Hello { username: "y", quiet: false, resume, token, replay: Replay::None };
        let connected = desk.hub.connect(promise, &hello, desk.now);
        desk.hub.audit().unwrap();
        connected.map(|id| desk.hub.name(id).unwrap().to_owned())
    };
    assert_eq!(connect(first, 11, b).as_deref(), Ok("b"));
    assert_eq!(connect(second, 12, b), Err(Full));
    assert_eq!(connect(of_a, 13, a).as_deref(), Ok("a"));
}

#[test]
fn whoever_was_promised_the_place_of_its_former_self_has_its_name_when_it_comes_again() {
    let mut desk = Desk::new(tiny());
    let ids = ["a", "b", "c"].map(|name| desk.connect(name));
    let a = desk.hub.token(ids[0]);
    let promise = desk.hub.reserve(a).unwrap();
    desk.hub.end(ids[0], Ending::Lost, desk.now);
    let other = desk.connect("d");
    let hello = |number| {
        let token = Token::new([number; 16]);
        Hello { username: "y", quiet: false, resume: a, token, replay: Replay::None }
    };
    assert_eq!(desk.hub.connect(promise, &hello(11), desk.now), Err(Full));
    desk.hub.end(other, Ending::Lost, desk.now);
    let promise = desk.hub.reserve(a).unwrap();
    let back = desk.hub.connect(promise, &hello(12), desk.now).unwrap();
    assert_eq!(desk.hub.name(back), Some("a"));
}

#[test]
fn a_name_comes_back_for_five_minutes_unless_somebody_has_it() {
    for (after, name) in [(RESUME_MS - 1, "aki"), (RESUME_MS, "x")] {
        let mut desk = Desk::new(tiny());
        let aki = desk.connect("aki");
        let token = desk.hub.token(aki);
        desk.hub.end(aki, Ending::Lost, desk.now);
        desk.now.ms += after;
        let back = desk.connect_as("x", token).unwrap();
        assert_eq!(desk.hub.name(back), Some(name), "after {after}");
    }
    let mut desk = Desk::new(tiny());
    let aki = desk.connect("aki");
    let token = desk.hub.token(aki);
    desk.hub.end(aki, Ending::Lost, desk.now);
    desk.connect("aki");
    let back = desk.connect_as("x", token).unwrap();
    assert_eq!(desk.hub.name(back), Some("aki-2"));
}

#[test]
fn answers_that_wait_are_said_before_the_close_is_answered() {
    let mut desk = Desk::new(tiny());
    let aki = desk.connect("aki");
    desk.read(aki);
    desk.say(aki, "echo me");
    desk.hub.end(aki, Ending::Said(Some(1000)), desk.now);
    let (_, words) = desk.departure();
    assert_eq!(words, [b"\x81\x07echo me", &close_echo(Some(1000))[..]].concat());
}

#[test]
fn a_frame_that_is_half_sent_is_finished_before_the_close_frame() {
    for ending in [Ending::Said(None), Ending::By(CloseCode::NotReadable, "late")] {
        let mut desk = Desk::new(tiny());
        let aki = desk.connect("aki");
        desk.read(aki);
        desk.chat(aki, "", "a long text that is cut in two");
        desk.chat(aki, "", "never sent");
        let mut bytes = desk.take(aki, 20);
        desk.hub.end(aki, ending, desk.now);
        bytes.extend(desk.departure().1);
        let all = messages(&bytes);
        assert_eq!((all.len(), all[1].clone()), (2, 8.into()), "{ending:?}");
        assert_eq!(lines(&all[..1]), ["chat a long text that is cut in two"]);
    }
}

#[test]
fn the_small_outbox_that_is_kept_stays_when_a_large_one_comes_back() {
    let mut desk = Desk::new(Capacities { message_bytes: 8_192, ..tiny() });
    let (aki, bob) = (desk.connect("aki"), desk.connect("bob"));
    desk.read(bob);
    desk.say(aki, &"x".repeat(5_000));
    desk.take(aki, usize::MAX);
    assert!(desk.hub.spare_outbox.is_some());
}

#[test]
fn a_lost_socket_is_told_nothing() {
    let mut desk = Desk::new(tiny());
    let aki = desk.connect("aki");
    desk.hub.end(aki, Ending::Lost, desk.now);
    assert!(desk.departure().1.is_empty());
    assert!(desk.hub.next_departure().is_none());
}

/// Writes that a storm causes in which so many come within a millisecond and join one room.
fn writes_of_a_storm(clients: u8, quiet: bool) -> usize {
    let of_a_board = Capacities { log_messages: 1_024, log_bytes: 256 << 10, outbox_messages: 64, ..tiny() };
    let mut desk = Desk::new(Capacities { clients: clients.into(), ..of_a_board });
    let mut writes = 0;
    for number in 0..clients {
        let promise = desk.hub.reserve(None).unwrap();
        let token = Token::new([number; 16]);
        let hello = Hello { username: "aki", quiet, resume: None, token, replay: Replay::None };
        let id = desk.hub.connect(promise, &hello, desk.now).unwrap();
        desk.join(id, "square");
        while let Some(due) = desk.hub.next_due() {
            desk.read(due);
            writes += 1;
        }
    }
    writes
}

#[test]
fn a_storm_into_one_room_causes_writes_for_each_newcomer_and_not_for_each_pair() {
    for quiet in [false, true] {
        for clients in [50, 100, 200] {
            let (writes, most) =
                (writes_of_a_storm(clients, quiet), LINE_WRITES_MAX + 3 * usize::from(clients));
            assert!(writes <= most, "{writes} for {clients}, quiet: {quiet}");
        }
    }
}
