//! Random streams against a model that is as plain as can be: it has the whole stream before it, keeps
//! every message for itself and checks text character by character.
//!
//! - However a stream is cut, the outcome is that of the model: the same events, the same violation.
//! - What a budget holds is what the reader says it holds, and all of it is given back.

#![allow(clippy::unwrap_used)]

use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    tests::{
        BINARY, BINARY_BEGINS, CLOSE, CONTINUES, ENDS, Outcome, Owned, PING, PONG, TEXT, TEXT_BEGINS, masked,
        read,
    },
    *,
};

const MAX: usize = 300;

/// What the model makes of a stream: it stops with `Err` at a violation, with `Ok` where bytes are missing.
struct Model<'a> {
    wire: &'a [u8],
    at: usize,
    message: Option<(u8, Vec<u8>)>,
    events: Vec<Owned>,
}

impl Model<'_> {
    fn outcome(wire: &[u8]) -> Outcome {
        let mut model = Model { wire, at: 0, message: None, events: Vec::new() };
        let end = loop {
            match model.frame() {
                Ok(Some(())) if matches!(model.events.last(), Some(Owned::Close(..))) => break None,
                Ok(Some(())) => {}
                Ok(None) => break None,
                Err(violation) => break Some(violation),
            }
        };
        (model.events, end)
    }

    fn bytes(&mut self, len: usize) -> Option<&[u8]> {
        let found = self.wire.get(self.at..self.at + len)?;
        self.at += len;
        Some(found)
    }

    fn number(&mut self, len: usize) -> Option<u64> {
        Some(self.bytes(len)?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    fn frame(&mut self) -> Result<Option<()>, Violation> {
        let protocol = |wrong: bool| if wrong { Err(Violation::Protocol("")) } else { Ok(()) };
        let Some(head) = self.number(2) else { return Ok(None) };
        let (fin, reserved, opcode) = (head >> 15 == 1, head >> 12 & 7, (head >> 8 & 15) as u8);
        let (is_masked, short) = (head >> 7 & 1 == 1, head & 127);
        protocol(reserved != 0 || !is_masked || ![0, 1, 2, 8, 9, 10].contains(&opcode))?;
        protocol(opcode >= 8 && (!fin || short > 125))?;
        protocol(opcode < 8 && (opcode == 0) != self.message.is_some())?;

        let len = match short {
            126 => self.number(2),
            127 => self.number(8),
            short => Some(short),
        };
        let Some(len) = len else { return Ok(None) };
        protocol(short == 126 && len < 126 || short == 127 && !(1 << 16..1 << 63).contains(&len))?;
        let before = self.message.as_ref().map_or(0, |message| message.1.len() as u64);
        if opcode < 8 && before + len > MAX as u64 {
            return Err(Violation::TooLarge);
        }

        let Some(mask) = self.bytes(4).map(<[u8]>::to_vec) else { return Ok(None) };
        let have = (self.wire.len() - self.at).min(usize::try_from(len).unwrap());
        let payload: Vec<u8> =
            self.bytes(have).unwrap().iter().zip(mask.iter().cycle()).map(|(b, m)| b ^ m).collect();
        let whole = have as u64 == len;
        match opcode {
            8.. if !whole => {}
            8 => self.close(&payload)?,
            9 => self.events.push(Owned::Ping(payload)),
            10 => self.events.push(Owned::Pong(payload)),
            _ => {
                let message = self.message.get_or_insert((opcode, Vec::new()));
                message.1.extend(payload);
                if message.0 == 1 && !may_become_text(&message.1, whole && fin) {
                    return Err(Violation::NotUtf8);
                }
                if whole && fin {
                    let (opcode, bytes) = self.message.take().unwrap();
                    self.events.push(match opcode {
                        1 => Owned::Text(String::from_utf8(bytes).unwrap()),
                        _ => Owned::Binary(bytes),
                    });
                }
            }
        }
        Ok(whole.then_some(()))
    }

    fn close(&mut self, payload: &[u8]) -> Result<(), Violation> {
        let (code, reason) = match payload {
            [] => (None, &[][..]),
            [_] => return Err(Violation::Protocol("")),
            [high, low, reason @ ..] => (Some(u16::from(*high) * 256 + u16::from(*low)), reason),
        };
        if code.is_some_and(|code| {
            code < 1000 || (1004..=1006).contains(&code) || (1015..=2999).contains(&code) || code >= 5000
        }) {
            return Err(Violation::Protocol(""));
        }
        let reason = String::from_utf8(reason.to_vec()).map_err(|_| Violation::NotUtf8)?;
        self.events.push(Owned::Close(code, reason));
        Ok(())
    }
}

/// Whether some text begins with `bytes`, or they are text already where nothing more comes. By the
/// table of well-formed sequences (Unicode, table 3-7), a byte at a time.
fn may_become_text(bytes: &[u8], complete: bool) -> bool {
    let mut open: &[(u8, u8)] = &[];
    for &byte in bytes {
        const TAIL: (u8, u8) = (0x80, 0xBF);
        open = match open {
            [(least, greatest), rest @ ..] if (*least..=*greatest).contains(&byte) => rest,
            [] => match byte {
                0x00..=0x7F => &[],
                0xC2..=0xDF => &[TAIL],
                0xE0 => &[(0xA0, 0xBF), TAIL],
                0xED => &[(0x80, 0x9F), TAIL],
                0xE1..=0xEF => &[TAIL, TAIL],
                0xF0 => &[(0x90, 0xBF), TAIL, TAIL],
                0xF1..=0xF3 => &[TAIL, TAIL, TAIL],
                0xF4 => &[(0x80, 0x8F), TAIL, TAIL],
                _ => return false,
            },
            _ => return false,
        };
    }
    !complete || open.is_empty()
}

/// Text, and now and then bytes that are none.
fn content() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[a-zé€😀]{0,60}".prop_map(String::into_bytes),
        1 => "[a-z]{120,310}".prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..8),
    ]
}

/// What a client may send: messages in one frame or in fragments cut at any byte, with control frames
/// between them.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let control = (select(&[PING, PONG][..]), vec(any::<u8>(), 0..126), any::<[u8; 4]>());
    let between = vec(control, 0..3);
    (content(), any::<bool>(), vec((any::<usize>(), any::<[u8; 4]>(), between), 1..5)).prop_map(
        |(content, is_text, cuts)| {
            let (mut wire, mut rest, last) = (Vec::new(), &content[..], cuts.len() - 1);
            for (at, (cut, mask, between)) in cuts.into_iter().enumerate() {
                let first = match (at == 0, at == last) {
                    (true, true) => {
                        if is_text {
                            TEXT
                        } else {
                            BINARY
                        }
                    }
                    (true, false) => {
                        if is_text {
                            TEXT_BEGINS
                        } else {
                            BINARY_BEGINS
                        }
                    }
                    (false, true) => ENDS,
                    (false, false) => CONTINUES,
                };
                let len = if at == last { rest.len() } else { cut % (rest.len() + 1) };
                wire.extend(masked(first, &rest[..len], mask));
                rest = &rest[len..];
                for (first, payload, mask) in between {
                    wire.extend(masked(first, &payload, mask));
                }
            }
            wire
        },
    )
}

/// What a client may also send.
fn oddity() -> impl Strategy<Value = Vec<u8>> {
    let close =
        (select(&[0_u16, 999, 1000, 1005, 1014, 1015, 3000, 5000][..]), content()).prop_map(|(code, why)| {
            masked(CLOSE, &[&code.to_be_bytes()[..], &why[..why.len().min(123)]].concat(), [1, 2, 3, 4])
        });
    prop_oneof![
        2 => (any::<u8>(), content()).prop_map(|(first, payload)| masked(first, &payload, [9, 8, 7, 6])),
        1 => vec(any::<u8>(), 0..20),
        2 => close,
        1 => Just(masked(CLOSE, b"", [0; 4])),
        1 => (select(&[0xFE_u8, 0xFF][..]), vec(select(&[0_u8, 1, 0x80][..]), 0..12))
            .prop_map(|(form, len)| [vec![BINARY, form], len].concat()),
    ]
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    (vec(message(), 0..5), prop_oneof![1 => Just(Vec::new()), 1 => oddity()], vec(message(), 0..2))
        .prop_map(|(before, odd, after)| [before.concat(), odd, after.concat()].concat())
}

/// Violations of the protocol are alike: the model does not word its reasons.
fn unworded((events, end): Outcome) -> Outcome {
    let unword =
        |violation| if let Violation::Protocol(_) = violation { Violation::Protocol("") } else { violation };
    (events, end.map(unword))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_stream_cut_anywhere_is_read_as_the_model_reads_it(
        wire in stream(),
        sizes in vec(1..40_usize, 0..60),
        lost in 0..8_usize,
    ) {
        let wire = &wire[..wire.len().saturating_sub(lost)];
        let expected = Model::outcome(wire);
        let whole = read(wire, [], MAX);
        prop_assert_eq!(unworded(whole.clone()), expected);
        prop_assert_eq!(&read(wire, sizes, MAX), &whole);
        prop_assert_eq!(&read(wire, std::iter::repeat(1), MAX), &whole, "byte by byte");
    }

    #[test]
    fn readers_that_share_a_small_budget_keep_within_it_and_give_all_back(
        streams in vec(stream(), 1..6),
        bytes_max in 0..2_000_usize,
        size in 1..40_usize,
    ) {
        let mut budget = InboundBudget::new(bytes_max);
        let mut readers: Vec<_> = streams.into_iter().map(|wire| (Reader::new(), wire, 0)).collect();
        while readers.iter().any(|(_, wire, at)| *at < wire.len()) {
            for (reader, wire, at) in &mut readers {
                let end = wire.len().min(*at + size);
                while *at < end {
                    *at += match reader.read(&mut wire[*at..end], MAX, &mut budget) {
                        Ok((taken, _)) => taken,
                        Err(_) => end - *at,
                    };
                }
            }
            let held: usize = readers.iter().map(|(reader, ..)| reader.held as usize).sum();
            prop_assert_eq!(budget.used(), held);
            prop_assert!(held <= bytes_max);
        }
        for (reader, ..) in &mut readers {
            reader.release(&mut budget);
        }
        prop_assert_eq!(budget.used(), 0);
    }
}
