use super::*;

fn gap(message: &Value) -> (u64, u64, u64, &str) {
    let number = |field: &str| message[field].as_u64().unwrap();
    (number("from"), number("to"), number("missed"), text(message, "reason"))
}

/// A hub with a writer, and a reader that has everything.
fn writer_and_reader(capacities: Capacities) -> (Desk, ClientId, ClientId) {
    let mut desk = Desk::new(capacities);
    let (writer, reader) = (desk.connect("writer"), desk.connect("reader"));
    desk.read(writer);
    desk.read(reader);
    (desk, writer, reader)
}

#[test]
fn a_reader_that_is_as_far_behind_as_the_log_is_long_misses_nothing() {
    let (mut desk, writer, reader) = writer_and_reader(tiny());
    for text in ["1", "2", "3", "4"] {
        desk.chat(writer, "", text);
    }
    assert_eq!(lines(&desk.read(reader)), ["chat 1", "chat 2", "chat 3", "chat 4"]);
}

#[test]
fn a_reader_that_is_one_message_further_behind_is_told_of_one() {
    let (mut desk, writer, reader) = writer_and_reader(tiny());
    for text in ["1", "2", "3", "4", "5"] {
        desk.chat(writer, "", text);
    }
    let came = desk.read(reader);
    assert_eq!(gap(&came[0]), (3, 3, 1, "slow"));
    assert_eq!(lines(&came[1..]), ["chat 2", "chat 3", "chat 4", "chat 5"]);
}

#[test]
fn a_frame_that_is_half_sent_survives_the_log_that_it_was_in() {
    let (mut desk, writer, reader) = writer_and_reader(tiny());
    desk.chat(writer, "", "cut in two");
    let mut bytes = desk.take(reader, 10);
    for number in 0..9 {
        desk.chat(writer, "", &number.to_string());
    }
    bytes.extend(desk.take(reader, usize::MAX));
    let came = messages(&bytes);
    assert_eq!(lines(&came[..1]), ["chat cut in two"]);
    assert_eq!(gap(&came[1]), (4, 8, 5, "slow"));
    assert_eq!(lines(&came[2..]), ["chat 5", "chat 6", "chat 7", "chat 8"]);
}

#[test]
fn two_holes_are_two_gaps_each_in_its_place() {
    let (mut desk, writer, reader) = writer_and_reader(tiny());
    let mut came = Vec::new();
    for round in 0..2 {
        for number in 0..6 {
            desk.chat(writer, "", &format!("{round}{number}"));
        }
        came.extend(desk.read(reader));
    }
    assert_eq!((gap(&came[0]), gap(&came[5])), ((3, 4, 2, "slow"), (9, 10, 2, "slow")));
    assert_eq!(lines(&came[6..7]), ["chat 12"]);
}

#[test]
fn who_leaves_while_blocked_is_told_what_it_will_never_get() {
    let (mut desk, writer, reader) = writer_and_reader(tiny());
    desk.join(writer, "k");
    desk.join(reader, "k");
    desk.read(reader);
    desk.chat(writer, "k", "1");
    desk.chat(writer, "k", "2");
    desk.take(reader, 0);
    desk.say(reader, r#"{"type":"leave_room","room":"k"}"#);
    let came = desk.read(reader);
    assert_eq!(gap(&came[0]), (3, 4, 2, "slow"));
    assert_eq!(lines(&came[1..]), ["left You left k."]);
}

#[test]
fn who_leaves_in_the_middle_of_a_frame_gets_the_rest_of_it() {
    let (mut desk, writer, reader) = writer_and_reader(tiny());
    desk.join(writer, "k");
    desk.join(reader, "k");
    desk.read(reader);
    desk.chat(writer, "k", "cut in two");
    desk.chat(writer, "k", "never sent");
    let mut bytes = desk.take(reader, 9);
    desk.say(reader, r#"{"type":"leave_room","room":"k"}"#);
    bytes.extend(desk.take(reader, usize::MAX));
    let came = messages(&bytes);
    assert_eq!(lines(&came[..1]), ["chat cut in two"]);
    assert_eq!(gap(&came[1]), (4, 4, 1, "slow"));
    assert_eq!(text(&came[2], "type"), "left");
}

#[test]
fn answers_that_were_dropped_are_told_once() {
    let (mut desk, _, reader) = writer_and_reader(tiny());
    for number in 0..7 {
        desk.say(reader, &number.to_string());
    }
    let bytes = desk.take(reader, usize::MAX);
    let told: Vec<Value> = messages(&bytes).into_iter().filter(Value::is_object).collect();
    assert_eq!((told.len(), text(&told[0], "code")), (1, "too_slow"));
    assert!(text(&told[0], "content").starts_with("3 answers"), "{told:?}");
    assert_eq!(desk.hub.counters().get(Counter::AnswersDropped), 3);
    assert!(desk.read(reader).is_empty());
}

#[test]
fn a_gap_is_not_lost_among_answers() {
    let (mut desk, writer, reader) = writer_and_reader(tiny());
    for number in 0..6 {
        desk.chat(writer, "", &number.to_string());
    }
    // The gap is in the outbox, and no byte of it is on the wire.
    desk.take(reader, 0);
    for number in 0..20 {
        desk.say(reader, &number.to_string());
    }
    let came: Vec<Value> =
        messages(&desk.take(reader, usize::MAX)).into_iter().filter(Value::is_object).collect();
    assert_eq!(gap(&came[0]), (3, 4, 2, "slow"));
}

#[test]
fn who_only_makes_more_gaps_and_reads_none_is_ended() {
    let (mut desk, writer, reader) = writer_and_reader(tiny());
    desk.join(writer, "k");
    let mut rounds = 0;
    while desk.hub.name(reader).is_some() {
        desk.join(reader, "k");
        desk.take(reader, 0);
        desk.say(reader, r#"{"type":"leave_room","room":"k"}"#);
        rounds += 1;
        assert!(rounds < 20);
    }
    assert_eq!(rounds, tiny().outbox_messages, "all but the front frame, which may be half sent");
    let words = desk.departure().1;
    assert_eq!(
        words[words.len() - 2 - "Read what is sent before you ask for more.".len()..][..2],
        1008u16.to_be_bytes()
    );
}
