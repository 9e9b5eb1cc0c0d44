//! Any bytes from a client, cut anywhere:
//!
//! - never panic, and are read to the end;
//! - give the same events and the same violation in one piece, in pieces, and byte by byte;
//! - give only events within the limits, which, framed again, are read as the same events;
//! - never take more memory than the budget has, and give all of it back.

use crate::frames::client_frame;
use roomd::protocol::{Event, InboundBudget, Reader, Violation};

/// Most bytes of a control frame's payload (RFC 6455, section 5.5).
const CONTROL_BYTES_MAX: usize = 125;

/// An event as its frame's first byte and its payload.
type Owned = (u8, Vec<u8>);

/// `data` is the size of the pieces, the limit for messages (two bytes), and what the client sent.
pub(crate) fn check(data: &[u8]) {
    let [piece_bytes, high, low, wire @ ..] = data else { return };
    let piece_bytes = usize::from(*piece_bytes).max(1);
    let limit = usize::from(u16::from_be_bytes([*high, *low]));

    let whole = read(wire, usize::MAX, limit, usize::MAX);
    assert_eq!(read(wire, piece_bytes, limit, usize::MAX), whole, "in pieces of {piece_bytes}");
    assert_eq!(read(wire, 1, limit, usize::MAX), whole, "byte by byte");
    for event in whole.0 {
        assert_eq!(
            read(&client_frame(event.0, &event.1), usize::MAX, limit, 0),
            (vec![event], None),
            "framed again"
        );
    }
    // Violations for want of memory depend on how the bytes are cut: only the budget is looked at.
    read(wire, piece_bytes, limit, limit / 2);
}

/// Reads `wire` as a session does, with a budget of `budget_bytes`.
fn read(
    wire: &[u8],
    piece_bytes: usize,
    limit: usize,
    budget_bytes: usize,
) -> (Vec<Owned>, Option<Violation>) {
    let mut budget = InboundBudget::new(budget_bytes);
    let mut reader = Reader::new();
    let (mut events, mut end) = (Vec::new(), None);
    for piece in wire.to_vec().chunks_mut(piece_bytes) {
        let mut at = 0;
        loop {
            let rest = piece.len() - at;
            match reader.read(&mut piece[at..], limit, &mut budget) {
                Ok((0, None)) => break assert_eq!(rest, 0, "all is read"),
                Ok((taken, event)) => {
                    assert!(taken <= rest && (event.is_some() || taken == rest));
                    events.extend(event.map(|event| owned(event, limit)));
                    at += taken;
                }
                Err(violation) => {
                    assert_eq!(end.replace(violation), None, "a violation is told once");
                    break;
                }
            }
            assert!(budget.used() <= budget_bytes);
        }
    }
    reader.release(&mut budget);
    assert_eq!(budget.used(), 0, "all memory is given back");
    (events, end)
}

fn owned(event: Event<'_>, limit: usize) -> Owned {
    let (first, payload, bytes_max) = match event {
        Event::Text(text) => (0x81, text.as_bytes().to_vec(), limit),
        Event::Binary(bytes) => (0x82, bytes.to_vec(), limit),
        Event::Close { code, reason } => {
            let code = code.map(u16::to_be_bytes);
            (
                0x88,
                [code.as_ref().map_or(&[][..], |code| code), reason.as_bytes()].concat(),
                CONTROL_BYTES_MAX,
            )
        }
        Event::Ping(bytes) => (0x89, bytes.to_vec(), CONTROL_BYTES_MAX),
        Event::Pong(bytes) => (0x8A, bytes.to_vec(), CONTROL_BYTES_MAX),
    };
    assert!(payload.len() <= bytes_max);
    (first, payload)
}
