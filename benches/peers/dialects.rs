//! How other servers are spoken to: MQTT, NATS and socket.io over WebSocket, as far as a run needs it.
//!
//! Their pings are not answered: the first that counts comes after 25 seconds or later, when a run
//! of `scripts/bench-peers` has ended.

use roomd::bench::Dialect;

/// All of them, by name.
pub(crate) const DIALECTS: [(&str, Dialect); 3] = [("mqtt", MQTT), ("nats", NATS), ("socket.io", SOCKET_IO)];

/// MQTT 3.1.1, quality of service 0, a topic for each room.
const MQTT: Dialect = Dialect {
    path: "/mqtt?",
    headers: "Sec-WebSocket-Protocol: mqtt\r\n",
    is_binary: true,
    greeting: |room| {
        // Protocol name and level, a clean session, no keep-alive, a client id of the server's choice.
        let connect = packet(0x10, b"\x00\x04MQTT\x04\x02\x00\x00\x00\x00");
        let subscribe = packet(0x82, &[b"\x00\x01", &counted(topic(room))[..], b"\x00"].concat());
        [connect, subscribe].concat()
    },
    welcome: b"",
    around: |kind, room, content_bytes| {
        let (head, tail) = json(kind);
        let topic = counted(topic(room));
        let mut before = vec![0x30];
        before.extend(remaining_length(topic.len() + head.len() + content_bytes + tail.len()));
        ([before, topic, head].concat(), tail)
    },
    first: Some(|payload| {
        let (mut len, mut shift) = (0_usize, 0);
        for (at, byte) in payload.iter().enumerate().skip(1).take(4) {
            len |= usize::from(byte & 0x7F) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return at + 1 + len;
            }
        }
        payload.len()
    }),
};

/// The text protocol of NATS, a subject for each room.
const NATS: Dialect = Dialect {
    path: "/?",
    headers: "",
    is_binary: true,
    greeting: |room| {
        let options = r#"{"verbose":false,"pedantic":false,"lang":"rust","version":"0","protocol":1}"#;
        format!("CONNECT {options}\r\nSUB {} 1\r\n", topic(room)).into_bytes()
    },
    welcome: b"",
    around: |kind, room, content_bytes| {
        let (head, tail) = json(kind);
        let len = head.len() + content_bytes + tail.len();
        let line = format!("PUB {} {len}\r\n", topic(room));
        ([line.into_bytes(), head].concat(), [tail, b"\r\n".to_vec()].concat())
    },
    // Lines; behind that of a MSG stands as much as its last word says, and another end of line.
    first: Some(|payload| {
        let Some(line) = payload.windows(2).position(|window| window == b"\r\n") else {
            return payload.len();
        };
        let last = payload[..line].rsplit(|byte| *byte == b' ').next().unwrap_or_default();
        let bytes = std::str::from_utf8(last).ok().and_then(|word| word.parse::<usize>().ok());
        let behind = bytes.filter(|_| payload.starts_with(b"MSG ")).map_or(0, |bytes| bytes + 2);
        line + 2 + behind
    }),
};

/// Events of socket.io in the default namespace, over engine.io 4; the room is in the query.
const SOCKET_IO: Dialect = Dialect {
    path: "/socket.io/?EIO=4&transport=websocket&",
    headers: "",
    is_binary: false,
    greeting: |_| b"40".to_vec(),
    // An event that comes before it ends the connection.
    welcome: b"40",
    around: |kind, _, _| {
        let (head, tail) = json(kind);
        ([format!("42[\"{kind}\",").into_bytes(), head].concat(), [tail, b"]".to_vec()].concat())
    },
    first: None,
};

/// The message that all of them carry.
fn json(kind: &str) -> (Vec<u8>, Vec<u8>) {
    (format!("{{\"type\":\"{kind}\",\"content\":\"").into_bytes(), b"\"}".to_vec())
}

fn topic(room: &str) -> &str {
    if room.is_empty() { "lobby" } else { room }
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    [vec![kind], remaining_length(body.len()), body.to_vec()].concat()
}

/// Seven bits a byte, the lowest first (MQTT 3.1.1, section 2.2.3).
fn remaining_length(mut len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (len % 128).to_le_bytes()[0];
        len /= 128;
        bytes.push(if len > 0 { low | 0x80 } else { low });
        if len == 0 {
            return bytes;
        }
    }
}

/// A string with its length before it (section 1.5.3).
fn counted(text: &str) -> Vec<u8> {
    let len = u16::try_from(text.len()).expect("rooms have short names");
    [&len.to_be_bytes()[..], text.as_bytes()].concat()
}
