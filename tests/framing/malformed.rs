//! Every malformed frame has a row: its bytes and the code that it is answered with.

use serde_json::json;

use crate::support::{
    BINARY, CLOSE, CONTINUATION, Client, FIN, LengthForm, PING, PONG, RawClient, TEXT, TestServer, frame,
    frame_as, settings,
};

const RSV1: u8 = 0x40;
const RSV2: u8 = 0x20;
const RSV3: u8 = 0x10;

/// Sends each row on a connection of its own and compares the close code; a bystander must notice
/// nothing but the coming and going.
async fn check(rows: &[(&str, Vec<u8>, u16)]) {
    let server = TestServer::start(settings());
    let mut bystander = Client::connect(&server, "bystander").await;
    for (situation, bytes, code) in rows {
        let mut offender = RawClient::upgrade(&server, "username=offender").await;
        offender.try_write(bytes).await;
        assert_eq!(offender.expect_close().await, *code, "{situation}");
        bystander.next_must_be_line("", "offender connected").await;
        bystander.next_must_be_line("", "offender disconnected").await;
    }
    bystander.assert_silent().await;
}

fn unmasked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first, u8::try_from(payload.len()).unwrap()];
    bytes.extend(payload);
    bytes
}

#[tokio::test]
async fn an_unmasked_frame_is_a_protocol_error() {
    check(&[
        ("text", unmasked(FIN | TEXT, b"hello"), 1002),
        ("binary", unmasked(FIN | BINARY, b"hello"), 1002),
        ("ping", unmasked(FIN | PING, b""), 1002),
        ("close", unmasked(FIN | CLOSE, &1000_u16.to_be_bytes()), 1002),
        ("empty text", unmasked(FIN | TEXT, b""), 1002),
    ])
    .await;
}

#[tokio::test]
async fn a_reserved_bit_is_a_protocol_error() {
    let mut rows = Vec::new();
    for bits in [RSV1, RSV2, RSV3, RSV1 | RSV2 | RSV3] {
        rows.push(("on text", frame(FIN | bits | TEXT, b"hello"), 1002));
        rows.push(("on binary", frame(FIN | bits | BINARY, b"hello"), 1002));
        rows.push(("on a ping", frame(FIN | bits | PING, b"hello"), 1002));
        rows.push(("on a close", frame(FIN | bits | CLOSE, &1000_u16.to_be_bytes()), 1002));
    }
    check(&rows).await;
}

#[tokio::test]
async fn a_reserved_opcode_is_a_protocol_error() {
    let mut rows = Vec::new();
    for opcode in [0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF] {
        rows.push(("with a payload", frame(FIN | opcode, b"hello"), 1002));
        rows.push(("empty", frame(FIN | opcode, b""), 1002));
        rows.push(("without FIN", frame(opcode, b"hello"), 1002));
    }
    check(&rows).await;
}

#[tokio::test]
async fn a_control_frame_in_pieces_or_too_long_is_a_protocol_error() {
    let long = [b'x'; 126];
    check(&[
        ("a ping without FIN", frame(PING, b"a"), 1002),
        ("a pong without FIN", frame(PONG, b"a"), 1002),
        ("a close without FIN", frame(CLOSE, &1000_u16.to_be_bytes()), 1002),
        ("a ping of 126 bytes", frame(FIN | PING, &long), 1002),
        ("a pong of 126 bytes", frame(FIN | PONG, &long), 1002),
        ("a close of 126 bytes", frame(FIN | CLOSE, &long), 1002),
        ("a ping announced with 64 bits", frame_as(LengthForm::SixtyFour, FIN | PING, 1 << 40, b""), 1002),
    ])
    .await;
}

#[tokio::test]
async fn a_continuation_in_the_wrong_place_is_a_protocol_error() {
    let start = frame(TEXT, b"begun");
    check(&[
        ("a continuation of nothing", frame(FIN | CONTINUATION, b"x"), 1002),
        ("an unfinished continuation of nothing", frame(CONTINUATION, b"x"), 1002),
        ("text within a message", [&start[..], &frame(FIN | TEXT, b"x")].concat(), 1002),
        ("binary within a message", [&start[..], &frame(FIN | BINARY, b"x")].concat(), 1002),
        ("a second beginning", [&start[..], &start[..]].concat(), 1002),
        (
            "a continuation of a finished message",
            [&start[..], &frame(FIN | CONTINUATION, b"x"), &frame(FIN | CONTINUATION, b"y")].concat(),
            1002,
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_length_that_has_a_shorter_form_is_a_protocol_error() {
    let (short, long) = ([b'x'; 125], vec![b'x'; 0xFFFF]);
    check(&[
        ("0 in 16 bits", frame_as(LengthForm::Sixteen, FIN | TEXT, 0, b""), 1002),
        ("125 in 16 bits", frame_as(LengthForm::Sixteen, FIN | TEXT, 125, &short), 1002),
        ("0 in 64 bits", frame_as(LengthForm::SixtyFour, FIN | TEXT, 0, b""), 1002),
        ("125 in 64 bits", frame_as(LengthForm::SixtyFour, FIN | TEXT, 125, &short), 1002),
        ("126 in 64 bits", frame_as(LengthForm::SixtyFour, FIN | TEXT, 126, &long[..126]), 1002),
        ("65535 in 64 bits", frame_as(LengthForm::SixtyFour, FIN | TEXT, 0xFFFF, &long), 1002),
        ("the highest bit set", frame_as(LengthForm::SixtyFour, FIN | TEXT, 1 << 63, b""), 1002),
    ])
    .await;
}

#[tokio::test]
async fn text_that_is_not_utf_8_is_answered_with_1007() {
    let bad: [(&str, &[u8]); 9] = [
        ("a lone continuation byte", b"a\x80"),
        ("an unfinished sequence at the end", b"a\xE2\x82"),
        ("an overlong slash", b"\xC0\xAF"),
        ("an overlong NUL of three bytes", b"\xE0\x80\x80"),
        ("a surrogate", b"\xED\xA0\x80"),
        ("a surrogate pair", b"\xED\xA0\xBD\xED\xB8\x80"),
        ("above U+10FFFF", b"\xF4\x90\x80\x80"),
        ("FE", b"\xFE"),
        ("within JSON", b"{\"type\":\"chat\",\"content\":\"\xFF\"}"),
    ];
    let rows: Vec<_> = bad.iter().map(|(name, text)| (*name, frame(FIN | TEXT, text), 1007)).collect();
    check(&rows).await;
}

#[tokio::test]
async fn text_in_pieces_that_is_not_utf_8_is_answered_with_1007() {
    let pieces = |pieces: &[&[u8]]| -> Vec<u8> {
        let last = pieces.len() - 1;
        let first = |at: usize| if at == 0 { TEXT } else { CONTINUATION } | if at == last { FIN } else { 0 };
        pieces.iter().enumerate().flat_map(|(at, piece)| frame(first(at), piece)).collect()
    };
    check(&[
        ("a bad byte in the last piece", pieces(&[b"good", b"\xFF"]), 1007),
        ("a sequence that goes on wrongly", pieces(&[b"\xE2", b"\x82", b"x"]), 1007),
        ("a sequence that never ends", pieces(&[b"\xE2", b"\x82"]), 1007),
        ("a surrogate over the seam", pieces(&[b"\xED", b"\xA0\x80"]), 1007),
    ])
    .await;
}

#[tokio::test]
async fn a_close_frame_with_a_bad_payload_is_an_error() {
    let mut rows = vec![("half a code", frame(FIN | CLOSE, b"\x03"), 1002)];
    for code in [0_u16, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        rows.push(("a code that may not be sent", frame(FIN | CLOSE, &code.to_be_bytes()), 1002));
    }
    rows.push(("a reason that is not UTF-8", frame(FIN | CLOSE, b"\x03\xE8\xFF\xFE"), 1007));
    check(&rows).await;
}

#[tokio::test]
async fn a_message_announced_too_large_is_ended_before_its_payload_is_read() {
    let most = settings().message_bytes as u64;
    let beyond_32_bits = 1 << 40;
    check(&[
        ("one byte too long", frame_as(LengthForm::SixtyFour, FIN | TEXT, most + 1, b""), 1009),
        ("binary", frame_as(LengthForm::SixtyFour, FIN | BINARY, most + 1, b""), 1009),
        ("its first piece", frame_as(LengthForm::SixtyFour, TEXT, most + 1, b""), 1009),
        ("beyond 32 bits", frame_as(LengthForm::SixtyFour, FIN | TEXT, beyond_32_bits, b""), 1009),
        ("the longest there is", frame_as(LengthForm::SixtyFour, FIN | TEXT, u64::MAX >> 1, b""), 1009),
    ])
    .await;
}

#[tokio::test]
async fn pieces_count_together_towards_the_greatest_size() {
    let most = 2_048;
    let server = TestServer::start(roomd::config::Settings { message_bytes: most, ..settings() });
    let half = vec![b'x'; most / 2];

    let mut on_the_limit = RawClient::upgrade(&server, "quiet=1").await;
    on_the_limit.write(&frame(TEXT, &half)).await;
    on_the_limit.write(&frame(FIN | CONTINUATION, &half)).await;
    assert_eq!(on_the_limit.next_with_opcode(TEXT).await.payload, vec![b'x'; most]);

    let mut above = RawClient::upgrade(&server, "quiet=1").await;
    above.write(&frame(TEXT, &half)).await;
    above.write(&frame_as(LengthForm::Sixteen, FIN | CONTINUATION, half.len() as u64 + 1, b"")).await;
    assert_eq!(above.expect_close().await, 1009);

    let mut in_many_pieces = RawClient::upgrade(&server, "quiet=1").await;
    in_many_pieces.write(&frame(TEXT, b"x")).await;
    for _ in 0..most {
        in_many_pieces.try_write(&frame(CONTINUATION, b"x")).await;
    }
    assert_eq!(in_many_pieces.expect_close().await, 1009);
}

#[tokio::test]
async fn a_message_on_the_limit_passes_and_one_byte_more_does_not() {
    let most = 4_096;
    let server = TestServer::start(roomd::config::Settings { message_bytes: most, ..settings() });
    for size in [most - 1, most] {
        let mut client = RawClient::upgrade(&server, "quiet=1").await;
        let text = vec![b'x'; size];
        client.write(&frame(FIN | TEXT, &text)).await;
        assert_eq!(client.next_with_opcode(TEXT).await.payload, text, "{size} bytes");
        client.write(&frame(FIN | BINARY, &text)).await;
        assert_eq!(client.next_with_opcode(BINARY).await.payload, text, "{size} bytes");
    }
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    client.try_write(&frame(FIN | TEXT, &vec![b'x'; most + 1])).await;
    assert_eq!(client.expect_close().await, 1009);
}

#[tokio::test]
async fn bytes_behind_a_malformed_frame_do_no_harm() {
    let server = TestServer::start(settings());
    let mut witness = Client::connect(&server, "witness").await;
    let mut offender = RawClient::upgrade(&server, "username=offender").await;
    let chat = json!({"type": "chat", "content": "must not come through"}).to_string();
    let mut bytes = frame(FIN | RSV1 | TEXT, b"x");
    bytes.extend(frame(FIN | TEXT, chat.as_bytes()));
    bytes.extend(b"not even a frame \xFF\xFF\xFF\xFF".repeat(100));
    offender.try_write(&bytes).await;
    assert_eq!(offender.expect_close().await, 1002);
    witness.next_must_be_line("", "offender connected").await;
    witness.next_must_be_line("", "offender disconnected").await;
    witness.assert_silent().await;
}
