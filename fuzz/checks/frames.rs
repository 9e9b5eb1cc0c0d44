//! Frames as a client sees them (RFC 6455, section 5.2): written with a mask, read without.

#![allow(dead_code, reason = "some checks only write, some only read")]

/// A client's frame: masked, its length in the shortest form. `first` is FIN, the reserved bits and the
/// opcode.
pub(crate) fn client_frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];
    let len = (payload.len() as u64).to_be_bytes();
    let (short, form) = match payload.len() {
        0..126 => (len[7], 0),
        126..65_536 => (126, 2),
        _ => (127, 8),
    };
    let mut wire = vec![first, 0x80 | short];
    wire.extend(&len[8 - form..]);
    wire.extend(MASK);
    wire.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
    wire
}

/// The first frame of a server's bytes, if it is there as a whole: opcode, payload, and what follows.
pub(crate) fn server_frame(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[first, second], rest) = bytes.split_first_chunk::<2>()?;
    assert_eq!((first & 0x70, first & 0x80, second & 0x80), (0, 0x80, 0), "a whole frame without mask");
    let (len, rest) = match second {
        126 => {
            let (len, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*len)), rest)
        }
        127 => {
            let (len, rest) = rest.split_first_chunk::<8>()?;
            (usize::try_from(u64::from_be_bytes(*len)).expect("a length"), rest)
        }
        len => (usize::from(len), rest),
    };
    let (payload, after) = rest.split_at_checked(len)?;
    Some((first & 0xF, payload, after))
}
