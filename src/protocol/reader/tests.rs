//! The reader against RFC 6455, section by section. Each row of the table is read in one piece, byte by
//! byte, and cut in two at every byte: the outcome must be the same.

#![allow(clippy::unwrap_used)]

use super::*;

/// The mask of the RFC's own examples (section 5.7).
const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
/// The limit that the table is read with: one above the longest length of 7 bits.
const TABLE_MAX: usize = 126;

pub(super) const TEXT: u8 = 0x81;
pub(super) const BINARY: u8 = 0x82;
pub(super) const CLOSE: u8 = 0x88;
pub(super) const PING: u8 = 0x89;
pub(super) const PONG: u8 = 0x8A;
pub(super) const TEXT_BEGINS: u8 = 0x01;
pub(super) const BINARY_BEGINS: u8 = 0x02;
pub(super) const CONTINUES: u8 = 0x00;
pub(super) const ENDS: u8 = 0x80;

/// An event that outlives the reader's buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owned {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
}

impl From<Event<'_>> for Owned {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Text(text) => Self::Text(text.into()),
            Event::Binary(bytes) => Self::Binary(bytes.into()),
            Event::Ping(bytes) => Self::Ping(bytes.into()),
            Event::Pong(bytes) => Self::Pong(bytes.into()),
            Event::Close { code, reason } => Self::Close(code, reason.into()),
        }
    }
}

/// All that came out, and the violation that ended it, if one did.
pub(super) type Outcome = (Vec<Owned>, Option<Violation>);

/// A client's frame with this first byte, its length in the shortest form.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    masked(first, payload, MASK)
}

pub(super) fn masked(first: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let mut wire = announced(first, payload.len());
    wire.extend(mask);
    wire.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
    wire
}

/// The header of a client's frame up to its length, in the shortest form.
fn announced(first: u8, len: usize) -> Vec<u8> {
    let form = if len < 126 {
        0
    } else if len < 65_536 {
        2
    } else {
        8
    };
    announced_in(first, len as u64, form)
}

/// The same in the form with `form` bytes of length.
fn announced_in(first: u8, len: u64, form: usize) -> Vec<u8> {
    let short = match form {
        0 => len.to_le_bytes()[0],
        2 => 126,
        _ => 127,
    };
    let mut wire = vec![first, 0x80 | short];
    wire.extend(&len.to_be_bytes()[8 - form..]);
    wire
}

/// Reads `wire` in pieces of the given sizes, the last one being what is left, as a session does; and
/// checks on the way what holds for every input.
pub(super) fn read(wire: &[u8], sizes: impl IntoIterator<Item = usize>, message_bytes_max: usize) -> Outcome {
    let mut budget = InboundBudget::new(usize::MAX);
    let mut reader = Reader::new();
    let (mut wire, mut sizes) = (wire.to_vec(), sizes.into_iter());
    let (mut rest, mut events, mut end) = (&mut wire[..], Vec::new(), None);
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at_mut(sizes.next().unwrap_or(usize::MAX).clamp(1, rest.len()));
        rest = behind;
        if let Err(violation) = read_piece(&mut reader, piece, message_bytes_max, &mut budget, &mut events) {
            assert_eq!(end.replace(violation), None, "a violation is told once");
        }
        let closes = events.iter().position(|event| matches!(event, Owned::Close(..)));
        assert!(closes.is_none_or(|at| at + 1 == events.len() && end.is_none()), "nothing follows a close");
    }
    reader.release(&mut budget);
    assert_eq!(budget.used(), 0, "all memory was given back");
    assert_eq!(reader.buffer.capacity(), 0);
    (events, end)
}

fn read_piece(
    reader: &mut Reader,
    piece: &mut [u8],
    message_bytes_max: usize,
    budget: &mut InboundBudget,
    events: &mut Vec<Owned>,
) -> Result<(), Violation> {
    let mut at = 0;
    loop {
        let (taken, event) = reader.read(&mut piece[at..], message_bytes_max, budget)?;
        let event = event.map(Owned::from);
        assert!(event.is_none() || taken > 0, "an event takes at least a byte");
        assert!(event.is_some() || at + taken == piece.len(), "without an event, all is taken");
        events.extend(event);
        at += taken;
        let held = reader.held as usize;
        assert_eq!(budget.used(), held, "the budget knows what the buffer stands for");
        assert!(reader.buffer.len() <= held && held <= reader.buffer.capacity());
        assert!(
            held <= message_bytes_max.clamp(BUFFER_BYTES_MIN, MESSAGE_BYTES_MAX) + CONTROL_PAYLOAD_BYTES_MAX
        );
        if taken == 0 {
            return Ok(());
        }
    }
}

/// Reads in one piece.
fn read_whole(wire: &[u8], message_bytes_max: usize) -> Outcome {
    read(wire, [], message_bytes_max)
}

/// One row of the table: what it shows, the wire's bytes, what comes out, and how it ends: the close
/// code and a word of the reason.
struct Row {
    shows: &'static str,
    wire: Vec<u8>,
    events: Vec<Owned>,
    end: Option<(u16, &'static str)>,
}

fn row(
    shows: &'static str,
    frames: impl IntoIterator<Item = Vec<u8>>,
    events: impl IntoIterator<Item = Owned>,
    end: impl Into<Option<(u16, &'static str)>>,
) -> Row {
    let wire = frames.into_iter().flatten().collect();
    Row { shows, wire, events: events.into_iter().collect(), end: end.into() }
}

fn text(content: &str) -> Owned {
    Owned::Text(content.into())
}

fn section_5_2_the_header() -> Vec<Row> {
    let mut rows = vec![
        row("nothing at all", [], [], None),
        row("half a header", [vec![TEXT]], [], None),
        row("0xFF is the reserved bits first", [vec![0xFF, 0xFF]], [], (1002, "reserved bit")),
        row("an unmasked text", [vec![TEXT, 0x05], b"Hello".to_vec()], [], (1002, "masked")),
        row("an unmasked close", [vec![CLOSE, 0x00]], [], (1002, "masked")),
        row("125 bytes in 7 bits", [frame(BINARY, &[1; 125])], [Owned::Binary(vec![1; 125])], None),
        row("126 bytes in 16 bits", [frame(BINARY, &[1; 126])], [Owned::Binary(vec![1; 126])], None),
        row("125 bytes in 16 bits", [announced_in(TEXT, 125, 2)], [], (1002, "shortest")),
        row("0 bytes in 16 bits", [announced_in(TEXT, 0, 2)], [], (1002, "shortest")),
        row("65,535 bytes in 64 bits", [announced_in(TEXT, 65_535, 8)], [], (1002, "shortest")),
        row("65,536 bytes in 64 bits", [announced_in(TEXT, 65_536, 8)], [], (1009, "message_bytes")),
        row("the greatest length", [announced_in(TEXT, u64::MAX >> 1, 8)], [], (1009, "message_bytes")),
        row("the top bit of a length", [announced_in(TEXT, 1 << 63, 8)], [], (1002, "top bit")),
        row("half a length is not judged", [vec![TEXT, 0xFE, 0xFF]], [], None),
        row("too large is told before the mask", [announced(TEXT, 127)], [], (1009, "message_bytes")),
    ];
    for bit in [0x40, 0x20, 0x10] {
        rows.push(row("a reserved bit", [frame(TEXT | bit, b"x")], [], (1002, "reserved bit")));
        rows.push(row("a reserved bit on a ping", [frame(PING | bit, b"")], [], (1002, "reserved bit")));
    }
    for opcode in [0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF] {
        rows.push(row("a reserved opcode", [frame(0x80 | opcode, b"")], [], (1002, "opcode")));
        rows.push(row("a reserved opcode, not final", [frame(opcode, b"")], [], (1002, "opcode")));
    }
    rows
}

fn section_5_4_fragmentation() -> Vec<Row> {
    let begin = || frame(TEXT_BEGINS, b"Hel");
    let end = || frame(ENDS, b"lo");
    let ping = || Owned::Ping(b"?".to_vec());
    vec![
        row("two fragments", [begin(), end()], [text("Hello")], None),
        row(
            "binary in three",
            [frame(BINARY_BEGINS, b"\xFF"), frame(CONTINUES, b"\xC0"), frame(ENDS, b"\x80")],
            [Owned::Binary(b"\xFF\xC0\x80".to_vec())],
            None,
        ),
        row(
            "fragments of nothing",
            [frame(TEXT_BEGINS, b""), frame(CONTINUES, b""), frame(ENDS, b"")],
            [text("")],
            None,
        ),
        row("an empty last fragment", [begin(), frame(ENDS, b"")], [text("Hel")], None),
        row("an empty first fragment", [frame(TEXT_BEGINS, b""), end()], [text("lo")], None),
        row("a ping within a message", [begin(), frame(PING, b"?"), end()], [ping(), text("Hello")], None),
        row(
            "a pong within an empty beginning",
            [frame(TEXT_BEGINS, b""), frame(PONG, b"!"), end()],
            [Owned::Pong(b"!".to_vec()), text("lo")],
            None,
        ),
        row(
            "control frames between all fragments",
            [frame(PING, b"?"), begin(), frame(PING, b"?"), frame(PING, b"?"), end(), frame(PING, b"?")],
            [ping(), ping(), ping(), text("Hello"), ping()],
            None,
        ),
        row(
            "a close within a message",
            [begin(), frame(CLOSE, b""), end()],
            [Owned::Close(None, String::new())],
            None,
        ),
        row("a continuation of nothing", [frame(ENDS, b"x")], [], (1002, "without a message")),
        row("one that is not final", [frame(CONTINUES, b"x")], [], (1002, "without a message")),
        row("one after the end", [begin(), end(), end()], [text("Hello")], (1002, "without a message")),
        row("a text within a text", [begin(), frame(TEXT, b"x")], [], (1002, "new message")),
        row(
            "a binary within an empty text",
            [frame(TEXT_BEGINS, b""), frame(BINARY, b"x")],
            [],
            (1002, "new message"),
        ),
        row("a beginning within a text", [begin(), begin()], [], (1002, "new message")),
        row(
            "a message follows another",
            [begin(), end(), begin(), end()],
            [text("Hello"), text("Hello")],
            None,
        ),
    ]
}

fn section_5_5_control_frames() -> Vec<Row> {
    let full = || vec![b'x'; 125];
    let bye = |payload: &[u8]| vec![frame(CLOSE, payload), frame(TEXT, b"unheard"), vec![0xFF; 3]];
    let closed = |code, reason: &str| [Owned::Close(code, reason.to_string())];
    let mut rows = vec![
        row("an empty ping", [frame(PING, b"")], [Owned::Ping(vec![])], None),
        row("a full ping", [frame(PING, &full())], [Owned::Ping(full())], None),
        row("a ping too full", [announced(PING, 126)], [], (1002, "125")),
        row("a pong too full in 64 bits", [announced(PONG, 65_536)], [], (1002, "125")),
        row("a pong unasked", [frame(PONG, b"a")], [Owned::Pong(b"a".to_vec())], None),
        row("a ping in fragments", [frame(PING & 0x7F, b"")], [], (1002, "fragmented")),
        row("a close in fragments", [frame(CLOSE & 0x7F, b"")], [], (1002, "fragmented")),
        row("a close without a code", bye(b""), closed(None, ""), None),
        row("half a code", bye(b"\x03"), [], (1002, "half a code")),
        row("a code alone", bye(b"\x03\xE8"), closed(Some(1000), ""), None),
        row("code and reason", bye(b"\x0F\xA1gr\xC3\xBC\xC3\x9Fe"), closed(Some(4001), "grüße"), None),
        row("a reason that is not UTF-8", bye(b"\x03\xE8\xFF"), [], (1007, "UTF-8")),
        row("a reason cut within a character", bye(b"\x03\xE8\xC3"), [], (1007, "UTF-8")),
        row("a close too full", [announced(CLOSE, 126)], [], (1002, "125")),
    ];
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
        rows.push(row("a code not to be sent", bye(&code.to_be_bytes()), [], (1002, "close code")));
    }
    for code in [1000_u16, 1003, 1007, 1014, 3000, 4999] {
        rows.push(row("a code to be sent", bye(&code.to_be_bytes()), closed(Some(code), ""), None));
    }
    rows
}

fn section_8_1_utf_8() -> Vec<Row> {
    let bad = Some((1007, "UTF-8"));
    let good = "κόσμε, \u{10FFFF} \u{FFFF} \u{D7FF}\0";
    let mut rows = vec![
        row("whole", [frame(TEXT, good.as_bytes())], [text(good)], None),
        row(
            "every byte a fragment",
            [frame(TEXT_BEGINS, b"")]
                .into_iter()
                .chain(good.bytes().map(|byte| frame(CONTINUES, &[byte])))
                .chain([frame(ENDS, b"")]),
            [text(good)],
            None,
        ),
        row("cut at the end", [frame(TEXT, b"\xCE\xBA\xE1\xBD")], [], bad),
        row("cut at the last fragment's end", [frame(TEXT_BEGINS, b"\xCE"), frame(ENDS, b"")], [], bad),
        row("cut at another's end is no harm", [frame(TEXT_BEGINS, b"\xCE")], [], None),
        row("bad in a fragment, told before its end", [frame(TEXT_BEGINS, b"ok\xC0")], [], bad),
        row(
            "bad across fragments",
            [frame(TEXT_BEGINS, b"\xF0\x9F"), frame(CONTINUES, b"\x98"), frame(CONTINUES, b"x")],
            [],
            bad,
        ),
        row(
            "a ping within a character",
            [frame(TEXT_BEGINS, b"\xF0\x9F"), frame(PING, b"\xFF"), frame(ENDS, b"\x98\x80")],
            [Owned::Ping(b"\xFF".to_vec()), text("😀")],
            None,
        ),
        row("a text after a text cut short", [frame(TEXT, b"\xCE"), frame(TEXT, b"\xBA")], [], bad),
    ];
    // Each is bad at its last byte and could not be known before.
    for sequence in [
        &b"\x80"[..],
        b"\xBF",
        b"\xC0",
        b"\xC1",
        b"\xC2\x00",
        b"\xE0\x9F",
        b"\xED\xA0",
        b"\xE1\x80\xC0",
        b"\xF0\x8F",
        b"\xF4\x90",
        b"\xF1\x80\x80\x7F",
        b"\xF5",
        b"\xFE",
        b"\xFF",
    ] {
        let mut partial = announced(TEXT, 100);
        partial.extend(frame(TEXT, sequence).drain(2..));
        rows.push(row("told at the bad byte, within a frame", [partial.clone()], [], bad));
        partial.pop();
        rows.push(row("not told before it", [partial], [], None));
    }
    rows
}

#[test]
fn every_row_of_the_rfc_is_the_same_however_it_is_cut() {
    let sections = [
        section_5_2_the_header(),
        section_5_4_fragmentation(),
        section_5_5_control_frames(),
        section_8_1_utf_8(),
    ];
    for Row { shows, wire, events, end } in sections.into_iter().flatten() {
        let whole = read_whole(&wire, TABLE_MAX);
        assert_eq!(whole.0, events, "{shows}: {wire:02x?}");
        assert_eq!(whole.1.map(|violation| violation.close_code().code()), end.map(|end| end.0), "{shows}");
        assert!(whole.1.is_none_or(|told| told.reason().contains(end.unwrap().1)), "{shows}: {whole:?}");
        assert_eq!(read(&wire, std::iter::repeat(1), TABLE_MAX), whole, "{shows}, byte by byte");
        for cut in 1..wire.len() {
            assert_eq!(read(&wire, [cut], TABLE_MAX), whole, "{shows}, cut at {cut}");
        }
    }
}

#[test]
fn the_examples_of_section_5_7_are_read() {
    let hello = [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58];
    assert_eq!(read_whole(&hello, 5), (vec![text("Hello")], None));
    let pong = [0x8A, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58];
    assert_eq!(read_whole(&pong, 0), (vec![Owned::Pong(b"Hello".to_vec())], None));
}

/// Lengths around every change of form, and around the limits themselves.
#[test]
fn a_message_of_the_greatest_size_passes_and_one_byte_more_does_not() {
    for max in [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, MESSAGE_BYTES_MAX] {
        for len in [max.saturating_sub(1), max, max + 1] {
            let payload = vec![b'x'; len];
            let expected = if len <= max {
                (vec![Owned::Binary(payload.clone())], None)
            } else {
                (vec![], Some(Violation::TooLarge))
            };
            let wire = frame(BINARY, &payload);
            assert_eq!(read_whole(&wire, max), expected, "{len} of {max}");
            assert_eq!(read(&wire, [20, 1], max), expected, "{len} of {max}, in pieces");
            assert_eq!(read_whole(&wire, max.min(MESSAGE_BYTES_MAX)), expected);

            let (front, back) = payload.split_at(len / 2);
            let wire = [frame(BINARY_BEGINS, front), frame(PING, b""), frame(ENDS, back)].concat();
            let (events, end) = read_whole(&wire, max);
            assert_eq!(end, expected.1, "{len} of {max}, in fragments");
            assert_eq!(events[1..], expected.0);
        }
    }
}

#[test]
fn no_limit_of_the_caller_goes_above_the_ceiling() {
    let header = announced(TEXT, MESSAGE_BYTES_MAX + 1);
    assert_eq!(read_whole(&header, usize::MAX).1, Some(Violation::TooLarge));
    assert_eq!(read_whole(&announced(TEXT, MESSAGE_BYTES_MAX), usize::MAX).1, None);
}

#[test]
fn a_message_is_too_large_as_soon_as_it_is_announced() {
    for len in [11, 126, 65_536] {
        let header = announced(TEXT, len);
        let (last, before) = header.split_last().unwrap();
        let mut reader = Reader::new();
        let mut budget = InboundBudget::new(0);
        assert_eq!(reader.read(&mut before.to_vec(), 10, &mut budget), Ok((before.len(), None)));
        assert_eq!(reader.read(&mut [*last], 10, &mut budget), Err(Violation::TooLarge));
    }
}

#[test]
fn a_limit_lowered_within_a_message_ends_it() {
    let mut budget = InboundBudget::new(1_000);
    let mut reader = Reader::new();
    reader.read(&mut frame(BINARY_BEGINS, &[0; 10]), 10, &mut budget).unwrap();
    assert_eq!(reader.read(&mut frame(ENDS, &[0]), 5, &mut budget), Err(Violation::TooLarge));
}

#[test]
fn events_come_one_by_one_and_leave_the_rest_alone() {
    let mut wire = [frame(TEXT, b"one"), frame(PING, b"2"), frame(BINARY, b"three")].concat();
    let (before, mut budget) = (wire.clone(), InboundBudget::new(0));
    let mut reader = Reader::new();
    assert_eq!(reader.read(&mut wire, 10, &mut budget), Ok((9, Some(Event::Text("one")))));
    assert_eq!(wire[9..], before[9..], "not unmasked yet");
    assert_eq!(reader.read(&mut wire[9..], 10, &mut budget), Ok((7, Some(Event::Ping(b"2")))));
    assert_eq!(reader.read(&mut wire[16..], 10, &mut budget), Ok((11, Some(Event::Binary(b"three")))));
    assert_eq!(reader.read(&mut [], 10, &mut budget), Ok((0, None)));
}

#[test]
fn a_message_whole_in_its_input_is_not_copied() {
    let mut wire = frame(TEXT, &[b'x'; 300]);
    let payload = wire.as_ptr_range().end;
    let mut reader = Reader::new();
    let mut budget = InboundBudget::new(0);
    let Ok((_, Some(Event::Text(text)))) = reader.read(&mut wire, 300, &mut budget) else { panic!() };
    assert_eq!(text.as_bytes().as_ptr_range().end, payload);
}

#[test]
fn payloads_of_every_length_are_unmasked_from_every_alignment() {
    let mask = [0x01, 0x80, 0x5A, 0xFF];
    let plain: Vec<u8> = (0..64).collect();
    for start in 0..16 {
        for len in 0..40 {
            let mut bytes = plain.clone();
            unmask(&mut bytes[start..start + len], mask);
            let expected: Vec<u8> = (0..64_u8)
                .map(|at| match usize::from(at).checked_sub(start) {
                    Some(within) if within < len => at ^ mask[within % 4],
                    _ => at,
                })
                .collect();
            assert_eq!(bytes, expected, "{len} bytes from {start}");
        }
    }
}

#[test]
fn a_long_message_is_the_same_in_pieces_of_every_small_size() {
    let content = "Grüße 😀 ".repeat(60);
    let wire = [frame(TEXT, content.as_bytes()), frame(PING, b"?")].concat();
    for size in 1..40 {
        let outcome = read(&wire, std::iter::repeat(size), content.len());
        assert_eq!(outcome, (vec![text(&content), Owned::Ping(b"?".to_vec())], None), "pieces of {size}");
    }
}

#[test]
fn after_a_close_or_a_violation_all_is_taken_and_dropped() {
    for last in [frame(CLOSE, b"\x03\xE8"), frame(TEXT, b"\xFF"), vec![0xF1, 0x00], frame(CLOSE, b"\x03")] {
        let mut budget = InboundBudget::new(1_000);
        let mut reader = Reader::new();
        let mut half = [frame(TEXT_BEGINS, b"half"), frame(PING, b"")].concat();
        half.extend(announced(PING, 3));
        let _ = reader.read(&mut frame(BINARY_BEGINS, b"half"), 10, &mut budget);
        assert!(budget.used() > 0);
        let _ = reader.read(&mut last.clone(), 10, &mut budget);
        for rest in [&mut half[..], &mut [0xFF; 100], &mut []] {
            let len = rest.len();
            assert_eq!(reader.read(rest, 10, &mut budget), Ok((len, None)));
            assert_eq!(budget.used(), 0, "the next call frees what was half-received");
        }
    }
}

#[test]
fn an_idle_reader_is_small_and_holds_nothing() {
    assert!(size_of::<Reader>() <= 56, "{}", size_of::<Reader>());
    let mut reader = Reader::new();
    let mut budget = InboundBudget::new(1_000);
    for mut wire in [frame(TEXT, &[b'x'; 500]), frame(PING, &[0; 125])] {
        let (front, back) = wire.split_at_mut(50);
        assert_eq!(reader.read(front, 500, &mut budget), Ok((50, None)));
        assert!(budget.used() > 0);
        let len = back.len();
        assert!(matches!(reader.read(back, 500, &mut budget), Ok((taken, Some(_))) if taken == len));
        assert_eq!(reader.read(&mut [], 500, &mut budget), Ok((0, None)));
        assert_eq!((budget.used(), reader.buffer.capacity()), (0, 0));
    }
}

#[test]
fn memory_follows_what_has_come_and_not_what_was_announced() {
    let mut budget = InboundBudget::new(usize::MAX);
    let mut reader = Reader::new();
    let max = 64 << 10;
    let mut wire = frame(BINARY, &vec![7; max]);
    for (at, byte) in wire.iter_mut().enumerate() {
        let taken = reader.read(std::slice::from_mut(byte), max, &mut budget).unwrap().0;
        assert_eq!(taken, 1);
        assert!(budget.used() <= (2 * at).max(BUFFER_BYTES_MIN).min(max), "{} at {at}", budget.used());
    }
    assert_eq!(budget.used(), max, "a message in one frame never takes more than its length");
    reader.release(&mut budget);
    assert_eq!(budget.used(), 0);
}

/// A copy of all that came so far is paid for by as much that comes: else small frames cost much work.
#[test]
fn a_message_grows_few_times_whatever_comes_between_its_fragments() {
    let max = 4_096;
    for between in [vec![], frame(PING, &[0; 125])] {
        let mut budget = InboundBudget::new(usize::MAX);
        let mut reader = Reader::new();
        reader.read(&mut frame(BINARY_BEGINS, b""), max, &mut budget).unwrap();
        let (mut held, mut growths) = (0, 0);
        for _ in 0..max {
            for half in [frame(CONTINUES, b"x"), between.clone()].concat().chunks_mut(130) {
                reader.read(half, max, &mut budget).unwrap();
                growths += usize::from(budget.used() != held);
                held = budget.used();
            }
        }
        assert_eq!(reader.message_bytes as usize, max);
        assert!(held <= max + CONTROL_PAYLOAD_BYTES_MAX);
        assert!(growths <= 6, "{growths}");
        reader.release(&mut budget);
    }
}

#[test]
fn a_small_message_in_pieces_takes_no_more_than_its_length() {
    let mut budget = InboundBudget::new(10);
    let mut reader = Reader::new();
    let mut wire = frame(TEXT, b"0123456789");
    let (front, back) = wire.split_at_mut(7);
    assert_eq!(reader.read(front, 1_000, &mut budget), Ok((7, None)));
    assert_eq!(budget.used(), 10);
    assert_eq!(reader.read(back, 1_000, &mut budget), Ok((9, Some(Event::Text("0123456789")))));
}

/// The budget one below, on and one above what a half-received message needs; another reader's message
/// that needs none still passes.
#[test]
fn a_budget_used_up_ends_the_message_that_asks_for_more() {
    let whole = Ok((9, Some(Event::Text("0123456789"))));
    for (spare, expected) in [(9, Err(Violation::NoMemory)), (10, whole), (11, whole)] {
        let mut budget = InboundBudget::new(100 + spare);
        budget.take(100).unwrap();
        let mut reader = Reader::new();
        let mut wire = frame(TEXT, b"0123456789");
        let (front, back) = wire.split_at_mut(7);
        assert_eq!(reader.read(front, 1_000, &mut budget), Ok((7, None)));
        assert_eq!(reader.read(back, 1_000, &mut budget), expected);
        assert_eq!(budget.used(), if expected.is_ok() { 110 } else { 101 });

        let mut whole = frame(TEXT, &[b'x'; 500]);
        assert!(matches!(Reader::new().read(&mut whole, 500, &mut budget), Ok((_, Some(Event::Text(_))))));
        reader.release(&mut budget);
        assert_eq!(budget.used(), 100);
    }
}

#[test]
fn a_budget_used_up_while_a_message_grows_gives_back_what_it_held() {
    for (bytes_max, passes) in [(999, false), (1_000, true), (1_001, true)] {
        let mut budget = InboundBudget::new(bytes_max);
        let mut reader = Reader::new();
        let mut wire = frame(BINARY, &[0; 1_000]);
        let (front, back) = wire.split_at_mut(8 + 400);
        assert_eq!(reader.read(front, 1_000, &mut budget), Ok((408, None)));
        assert!((400..999).contains(&budget.used()));
        let read = reader.read(back, 1_000, &mut budget);
        let expected =
            if passes { Ok((600, Some(Event::Binary(&[0; 1_000])))) } else { Err(Violation::NoMemory) };
        assert_eq!(read, expected, "{bytes_max}");
        reader.release(&mut budget);
        assert_eq!(budget.used(), 0);
    }
}

#[test]
fn a_budget_that_holds_the_largest_message_holds_it_in_whatever_pieces() {
    for pieces in [&[600, 10][..], &[600, 400], &[1, 999], &[999, 1], &[400, 400, 200], &[1_000, 0]] {
        let (mut budget, mut reader) = (InboundBudget::new(1_000), Reader::new());
        for (index, &bytes) in pieces.iter().enumerate() {
            let begins = if index == 0 { BINARY_BEGINS } else { 0 };
            let ends = if index + 1 == pieces.len() { ENDS } else { 0 };
            let mut wire = frame(begins | ends, &vec![7; bytes]);
            let (_, event) = reader.read(&mut wire, 1_000, &mut budget).unwrap();
            assert_eq!(event.is_some(), ends == ENDS, "{pieces:?}");
        }
    }
}

#[test]
fn a_connection_that_ends_within_anything_gives_its_memory_back() {
    let wire =
        [frame(TEXT_BEGINS, b"Hel"), frame(PING, b"?!"), frame(ENDS, b"lo"), frame(CLOSE, b"\x03\xE8bye")]
            .concat();
    for cut in 0..=wire.len() {
        for size in [1, 4, usize::MAX] {
            // `read` releases at the end and checks the budget.
            read(&wire[..cut], std::iter::repeat(size), 100);
        }
    }
}

#[test]
fn every_violation_has_its_code_and_a_reason_that_fits_a_close_frame() {
    use crate::protocol::frame::{CLOSE_REASON_BYTES_MAX, close_frame};
    for (violation, code) in [
        (Violation::Protocol("how"), 1002),
        (Violation::NotUtf8, 1007),
        (Violation::TooLarge, 1009),
        (Violation::NoMemory, 1013),
    ] {
        assert_eq!(violation.close_code().code(), code);
        assert!(violation.reason().len() <= CLOSE_REASON_BYTES_MAX);
        let frame = close_frame(violation.close_code(), violation.reason());
        assert_eq!(frame[4..], *violation.to_string().as_bytes());
    }
}
