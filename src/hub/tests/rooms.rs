use super::*;

fn error(message: &Value) -> (&str, &str) {
    (text(message, "code"), text(message, "room"))
}

/// A hub with two clients that have read what there was.
fn two(capacities: Capacities) -> (Desk, ClientId, ClientId) {
    let mut desk = Desk::new(capacities);
    let (aki, bob) = (desk.connect("aki"), desk.connect("bob"));
    desk.read(aki);
    desk.read(bob);
    (desk, aki, bob)
}

#[test]
fn the_joiner_is_told_where_it_stands_and_then_reads_its_own_line() {
    let (mut desk, aki, bob) = two(tiny());
    desk.join(aki, "k");
    let came = desk.read(aki);
    assert_eq!((came[0]["seq"].clone(), came[0]["members"].clone()), (0.into(), serde_json::json!(["aki"])));
    assert_eq!(lines(&came[1..]), ["system aki joined the room"]);
    desk.join(bob, "k");
    assert_eq!(desk.read(bob)[0]["seq"], 1);
    assert_eq!(lines(&desk.read(aki)), ["system bob joined the room"]);
}

#[test]
fn joining_again_tells_the_head_and_nothing_else_happens() {
    let (mut desk, aki, bob) = two(tiny());
    desk.join(aki, "k");
    desk.join(bob, "k");
    desk.read(aki);
    desk.join(aki, "k");
    let came = desk.read(aki);
    assert_eq!((came.len(), came[0]["seq"].clone()), (1, 2.into()));
}

#[test]
fn nobody_writes_into_a_room_without_being_in_it() {
    let (mut desk, aki, bob) = two(tiny());
    desk.join(aki, "k");
    desk.read(aki);
    desk.chat(bob, "k", "hello?");
    desk.chat(bob, "nowhere", "hello?");
    assert_eq!(
        desk.read(bob).iter().map(error).collect::<Vec<_>>(),
        [("not_in_room", "k"), ("not_in_room", "nowhere")]
    );
    assert!(desk.read(aki).is_empty());
}

#[test]
fn the_room_above_those_that_a_client_may_be_in_is_refused() {
    let (mut desk, aki, _) = two(tiny());
    desk.join(aki, "a");
    desk.read(aki);
    desk.join(aki, "b");
    assert_eq!(desk.read(aki).iter().map(error).collect::<Vec<_>>(), [("too_many_rooms", "b")]);
    desk.say(aki, r#"{"type":"leave_room","room":"a"}"#);
    desk.join(aki, "b");
    assert_eq!(
        lines(&desk.read(aki)),
        ["left You left a.", "joined You joined b.", "system aki joined the room"]
    );
}

#[test]
fn the_room_above_the_table_is_refused_while_all_are_peopled() {
    let (mut desk, aki, bob) = two(tiny());
    desk.join(aki, "a");
    desk.join(bob, "b");
    let cleo = desk.connect("cleo");
    desk.read(cleo);
    desk.join(cleo, "c");
    assert_eq!(desk.read(cleo).iter().map(error).collect::<Vec<_>>(), [("rooms_full", "c")]);
}

#[test]
fn of_empty_rooms_the_one_empty_for_longest_gives_way_and_lives_anew_later() {
    let (mut desk, aki, bob) = two(tiny());
    desk.join(aki, "first");
    desk.say(aki, r#"{"type":"leave_room","room":"first"}"#);
    desk.join(bob, "second");
    desk.say(bob, r#"{"type":"leave_room","room":"second"}"#);
    desk.read(bob);
    desk.join(bob, "first");
    assert_eq!(desk.read(bob)[0]["seq"], 2, "a room that empties keeps its history");
    desk.say(bob, r#"{"type":"leave_room","room":"first"}"#);
    desk.join(bob, "third");
    desk.read(bob);
    desk.say(bob, r#"{"type":"list_rooms"}"#);
    let rooms = desk.read(bob)[0]["rooms"].clone();
    assert_eq!(
        rooms.as_array().unwrap().iter().map(|room| text(room, "room")).collect::<Vec<_>>(),
        ["first", "third"]
    );
    desk.say(bob, r#"{"type":"leave_room","room":"third"}"#);
    desk.join(bob, "second");
    let joined = &desk.read(bob)[1];
    assert_eq!((text(joined, "epoch"), joined["seq"].clone()), ("epoch-4", 0.into()), "a new life");
}

#[test]
fn a_message_of_a_quarter_of_the_log_fits_and_one_byte_more_is_too_large() {
    let capacities = Capacities { log_bytes: 1_024, ..tiny() };
    let (mut desk, aki, bob) = two(capacities.clone());
    desk.chat(aki, "", "");
    let envelope = desk.take(bob, usize::MAX).len();
    // Above 125 bytes a frame's header has two bytes more.
    let largest = capacities.entry_bytes() - envelope - 2;
    desk.chat(aki, "", &"x".repeat(largest));
    assert_eq!(desk.take(bob, usize::MAX).len(), capacities.entry_bytes());
    desk.read(aki);
    desk.say(aki, &format!(r#"{{"type":"chat","content":"{}","id":"7"}}"#, "x".repeat(largest + 1)));
    let came = desk.read(aki);
    assert_eq!((error(&came[0]), text(&came[0], "id")), (("too_large", ""), "7"));
    assert!(desk.read(bob).is_empty());
}

#[test]
fn a_list_of_members_is_cut_to_an_outbox_and_says_how_many_there_are() {
    let (mut desk, aki, _) = two(Capacities { clients: 200, outbox_bytes: 2_048, ..tiny() });
    for _ in 0..150 {
        desk.connect("somebody with quite a long name");
    }
    desk.read(aki);
    desk.say(aki, r#"{"type":"list_members","room":""}"#);
    let bytes = desk.take(aki, usize::MAX);
    assert!(bytes.len() <= 2_048, "{}", bytes.len());
    let members = messages(&bytes).remove(0);
    assert_eq!(members["member_count"], 152);
    assert!((10..152).contains(&members["members"].as_array().unwrap().len()));
}

#[test]
fn joined_lists_64_members_at_most() {
    for (present, listed) in [(63, 63), (64, 64), (65, 64)] {
        let mut desk = Desk::new(Capacities { clients: 80, ..tiny() });
        let ids: Vec<_> = (0..present).map(|number| desk.connect(&format!("n{number}"))).collect();
        for &id in &ids {
            desk.join(id, "k");
        }
        desk.read(ids[0]);
        desk.join(ids[0], "k");
        let joined = &desk.read(ids[0])[0];
        assert_eq!(
            (joined["members"].as_array().unwrap().len(), joined["member_count"].clone()),
            (listed, present.into())
        );
    }
}
