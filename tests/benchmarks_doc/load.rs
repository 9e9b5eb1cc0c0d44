//! The loads in other servers' protocols: what is sent is right, and what comes is told apart.

use roomd::bench::Dialect;

use crate::dialects::DIALECTS;

fn dialect(name: &str) -> Dialect {
    DIALECTS.into_iter().find(|(known, _)| *known == name).unwrap().1
}

/// The payload that is published, with a content of `x`.
fn published(dialect: &Dialect, room: &str, content_bytes: usize) -> Vec<u8> {
    let (before, behind) = (dialect.around)("chat", room, content_bytes);
    [before, vec![b'x'; content_bytes], behind].concat()
}

fn cut(dialect: &Dialect, mut payload: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    while !payload.is_empty() {
        let len = dialect.first.unwrap()(payload);
        lengths.push(len);
        payload = &payload[len..];
    }
    lengths
}

#[test]
fn a_publish_of_mqtt_has_its_length_before_it() {
    let packet = published(&dialect("mqtt"), "den", 3);
    assert_eq!(packet, b"\x30\x24\x00\x03den{\"type\":\"chat\",\"content\":\"xxx\"}");
    for content_bytes in [3, 90, 91, 128, 20_000] {
        let packet = published(&dialect("mqtt"), "", content_bytes);
        assert_eq!(cut(&dialect("mqtt"), &packet), [packet.len()], "{content_bytes}");
    }
}

#[test]
fn packets_of_mqtt_are_told_apart() {
    let greeting = (dialect("mqtt").greeting)("den");
    assert_eq!(greeting, b"\x10\x0C\x00\x04MQTT\x04\x02\x00\x00\x00\x00\x82\x08\x00\x01\x00\x03den\x00");
    assert_eq!(cut(&dialect("mqtt"), &greeting), [14, 10]);
    assert_eq!(dialect("mqtt").first.unwrap()(b"\x30\xFF"), 2);
}

#[test]
fn messages_of_nats_are_told_apart_with_lines_between_them() {
    assert!((dialect("nats").greeting)("den").ends_with(b"}\r\nSUB den 1\r\n"));
    assert_eq!(
        published(&dialect("nats"), "den", 3),
        b"PUB den 31\r\n{\"type\":\"chat\",\"content\":\"xxx\"}\r\n"
    );
    let frame = b"INFO {\"a\":1}\r\nMSG den 1 4\r\n\r\n\r\n\r\nPING\r\nMSG lobby 1 0\r\n\r\n";
    assert_eq!(cut(&dialect("nats"), frame), [14, 19, 6, 17]);
    assert_eq!(dialect("nats").first.unwrap()(b"MSG den"), 7);
}

#[test]
fn an_event_of_socket_io_is_an_array() {
    let event = published(&dialect("socket.io"), "den", 3);
    assert_eq!(event, br#"42["chat",{"type":"chat","content":"xxx"}]"#);
}
