//! What is right, however oddly it is cut, comes back as it was.

use crate::support::{
    BINARY, CONTINUATION, Client, FIN, Handshake, PING, PONG, RawClient, TEXT, TestServer, frame, settings,
};

/// Bytes without a period that a mask of four could hide behind.
fn payload(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect()
}

#[tokio::test]
async fn a_binary_message_of_every_length_class_comes_back_byte_for_byte() {
    let server = TestServer::start(settings());
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    for length in (0..=17).chain([124, 125, 126, 127, 1_000, 65_534, 65_535, 65_536]) {
        let bytes = payload(length);
        client.write(&frame(FIN | BINARY, &bytes)).await;
        let echo = client.next_frame().await.unwrap();
        assert_eq!(echo.opcode, BINARY);
        assert!(echo.payload == bytes, "{length} bytes changed on the way");
    }
}

#[tokio::test]
async fn a_mask_of_zeros_is_a_mask() {
    let server = TestServer::start(settings());
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    client.write(b"\x81\x85\0\0\0\0plain").await;
    assert_eq!(client.next_frame().await.unwrap().payload, b"plain");
}

#[tokio::test]
async fn a_message_in_pieces_comes_back_whole() {
    let server = TestServer::start(settings());
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    let rows: [(u8, &[&str], &str); 6] = [
        (TEXT, &["one ", "two ", "three"], "one two three"),
        (BINARY, &["one ", "two ", "three"], "one two three"),
        (TEXT, &["", "", "late", ""], "late"),
        (TEXT, &["", ""], ""),
        (TEXT, &["nothing but a start", ""], "nothing but a start"),
        (BINARY, &["", "x"], "x"),
    ];
    for (opcode, pieces, whole) in rows {
        let last = pieces.len() - 1;
        for (at, piece) in pieces.iter().enumerate() {
            let fin = if at == last { FIN } else { 0 };
            let opcode = if at == 0 { opcode } else { CONTINUATION };
            client.write(&frame(fin | opcode, piece.as_bytes())).await;
        }
        let echo = client.next_frame().await.unwrap();
        assert_eq!((echo.opcode, &*echo.payload), (opcode, whole.as_bytes()), "{pieces:?}");
    }
}

#[tokio::test]
async fn a_character_cut_at_every_byte_is_still_a_character() {
    let server = TestServer::start(settings());
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    let text = "aé€😀 z";
    for cut in 0..=text.len() {
        let (start, end) = text.as_bytes().split_at(cut);
        client.write(&[frame(TEXT, start), frame(FIN | CONTINUATION, end)].concat()).await;
        assert_eq!(client.next_frame().await.unwrap().payload, text.as_bytes(), "cut at {cut}");
    }
}

#[tokio::test]
async fn a_thousand_pieces_of_one_byte_are_one_message() {
    let server = TestServer::start(settings());
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    let bytes = payload(1_000);
    let mut stream = frame(BINARY, &bytes[..1]);
    for byte in &bytes[1..] {
        stream.extend(frame(CONTINUATION, &[*byte]));
    }
    stream.extend(frame(FIN | CONTINUATION, b""));
    client.write(&stream).await;
    let echo = client.next_frame().await.unwrap();
    assert_eq!((echo.opcode, echo.payload), (BINARY, bytes));
}

#[tokio::test]
async fn control_frames_between_pieces_are_answered_at_once() {
    let server = TestServer::start(settings());
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    client.write(&frame(TEXT, b"first ")).await;
    client.write(&frame(FIN | PING, b"are you there")).await;
    let pong = client.next_frame().await.unwrap();
    assert_eq!((pong.opcode, &*pong.payload), (PONG, &b"are you there"[..]));
    client.write(&frame(FIN | PONG, b"unasked")).await;
    client.write(&frame(CONTINUATION, b"second ")).await;
    client.write(&frame(FIN | PING, b"")).await;
    assert_eq!(client.next_frame().await.unwrap().opcode, PONG);
    client.write(&frame(FIN | CONTINUATION, b"third")).await;
    assert_eq!(client.next_frame().await.unwrap().payload, b"first second third");
}

#[tokio::test]
async fn a_ping_of_every_size_comes_back_as_its_pong() {
    let server = TestServer::start(settings());
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    for length in [0, 1, 4, 124, 125] {
        let bytes = payload(length);
        client.write(&frame(FIN | PING, &bytes)).await;
        let pong = client.next_frame().await.unwrap();
        assert_eq!((pong.opcode, pong.payload), (PONG, bytes));
    }
}

#[tokio::test]
async fn an_unasked_pong_is_ignored() {
    let server = TestServer::start(settings());
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    client.write(&[frame(FIN | PONG, b"hello"), frame(FIN | TEXT, b"fence")].concat()).await;
    assert_eq!(client.next_frame().await.unwrap().payload, b"fence");
}

#[tokio::test]
async fn frames_dribbled_byte_by_byte_are_read_the_same() {
    let server = TestServer::start(settings());
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    let long = payload(300);
    let stream =
        [frame(FIN | TEXT, "dribbled é".as_bytes()), frame(FIN | PING, b"p"), frame(FIN | BINARY, &long)];
    for byte in stream.concat() {
        client.write(&[byte]).await;
        // Each byte is to have its own turn at the server.
        tokio::task::yield_now().await;
    }
    assert_eq!(client.next_frame().await.unwrap().payload, "dribbled é".as_bytes());
    assert_eq!(client.next_frame().await.unwrap().payload, b"p");
    assert_eq!(client.next_frame().await.unwrap().payload, long);
}

#[tokio::test]
async fn frames_cut_at_every_place_are_read_the_same() {
    let server = TestServer::start(settings());
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    let medium = payload(130);
    let stream = [frame(FIN | TEXT, b"short"), frame(FIN | BINARY, &medium)].concat();
    for cut in 1..stream.len() {
        client.write(&stream[..cut]).await;
        if cut > 11 {
            assert_eq!(client.next_frame().await.unwrap().payload, b"short", "cut at {cut}");
        }
        client.write(&stream[cut..]).await;
        if cut <= 11 {
            assert_eq!(client.next_frame().await.unwrap().payload, b"short", "cut at {cut}");
        }
        assert_eq!(client.next_frame().await.unwrap().payload, medium, "cut at {cut}");
    }
}

#[tokio::test]
async fn many_frames_in_one_write_are_answered_in_order() {
    let server = TestServer::start(settings());
    let mut client = RawClient::upgrade(&server, "quiet=1").await;
    // Fewer than the outbox holds: answers beyond it may be dropped.
    let texts: Vec<_> = (0..settings().outbox_messages).map(|number| format!("number {number}")).collect();
    let stream: Vec<u8> = texts.iter().flat_map(|text| frame(FIN | TEXT, text.as_bytes())).collect();
    client.write(&stream).await;
    for text in &texts {
        assert_eq!(client.next_frame().await.unwrap().payload, text.as_bytes());
    }
}

#[tokio::test]
async fn bytes_right_behind_the_handshake_are_not_lost() {
    let server = TestServer::start(settings());
    let request = Handshake::new(&server, "quiet=1").bytes();
    let stream = [request, frame(FIN | TEXT, b"too eager"), frame(FIN | TEXT, b"and again")].concat();
    for cut in [stream.len(), stream.len() - 1, stream.len() - 20, stream.len() - 30] {
        let mut client = RawClient::connect(&server).await;
        client.write(&stream[..cut]).await;
        let head = client.read_head().await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        client.write(&stream[cut..]).await;
        assert_eq!(client.next_frame().await.unwrap().payload, b"too eager", "cut at {cut}");
        assert_eq!(client.next_frame().await.unwrap().payload, b"and again", "cut at {cut}");
    }
}

#[tokio::test]
async fn a_large_pipelined_message_is_not_lost_either() {
    let server = TestServer::start(settings());
    let bytes = payload(60_000);
    let stream = [Handshake::new(&server, "quiet=1").bytes(), frame(FIN | BINARY, &bytes)].concat();
    let mut client = RawClient::connect(&server).await;
    client.write(&stream).await;
    client.read_head().await;
    assert_eq!(client.next_frame().await.unwrap().payload, bytes);
}

#[tokio::test]
async fn half_received_messages_are_bounded_together_and_the_others_live_on() {
    let most = 16 << 10;
    let server = TestServer::start(roomd::config::Settings {
        message_bytes: most,
        inbound_bytes: 4 * most,
        ..settings()
    });
    let mut bystander = Client::connect_quietly(&server, "bystander").await;
    let mut hoarders = Vec::new();
    for _ in 0..16 {
        let mut hoarder = RawClient::upgrade(&server, "quiet=1").await;
        hoarder.try_write(&frame(BINARY, &payload(most - 1))).await;
        hoarders.push(hoarder);
    }
    bystander.assert_silent().await;
    drop(hoarders);
    // The memory is there again: a message in pieces of the greatest size passes.
    let (start, end) = (payload(most / 2), payload(most / 2));
    let whole = [&start[..], &end[..]].concat();
    let attempts = async {
        loop {
            let mut client = RawClient::upgrade(&server, "quiet=1").await;
            client.try_write(&[frame(BINARY, &start), frame(FIN | CONTINUATION, &end)].concat()).await;
            if client.next_frame().await.is_some_and(|echo| echo.payload == whole) {
                return;
            }
        }
    };
    crate::support::guarded("memory for a message", attempts).await;
}
