//! Reading masked text messages: roomd's reader beside tungstenite's `WebSocket`, both fed from memory
//! in pieces as a socket gives them. Prints messages and megabytes per second, the best of several
//! rounds in turn, and the ratio. `cargo bench --bench frame_reader`.
//!
//! What each does is what a server would have it do: roomd's reads one buffer that all connections
//! share and lends the message out; tungstenite's owns its buffer and hands a message out that owns
//! its text. The copy from "the socket" is in both figures.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::cast_precision_loss)]

use std::{
    hint::black_box,
    io::{self, Read, Write},
    time::{Duration, Instant},
};

use roomd::protocol::{Event, InboundBudget, Reader};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::{Role, WebSocket, WebSocketConfig},
};

const MESSAGE_BYTES_MAX: usize = 64 << 10;
/// Bytes read in each round.
const ROUND_BYTES: usize = 64 << 20;
const ROUNDS: usize = 9;

fn main() {
    println!("content, kind and read | roomd msg/s   MB/s | tungstenite msg/s   MB/s | ratio");
    for (len, read_bytes) in [(128, 16 << 10), (16 << 10, 16 << 10), (16 << 10, 64 << 10)] {
        let mixed = "Grüße, 你好 ".repeat(len / 16);
        for (kind, content) in [("ascii", "x".repeat(len)), ("mixed", mixed)] {
            compare(kind, &content, read_bytes);
        }
    }
}

/// `read_bytes` is what one read takes from the socket at most: the buffer of roomd's worker, and
/// tungstenite's read buffer.
fn compare(kind: &str, content: &str, read_bytes: usize) {
    let frame = client_frame(content.as_bytes());
    let messages = ROUND_BYTES / frame.len();
    let wire = frame.repeat(messages);
    let (mut own, mut other) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        own = own.min(timed(|| roomd(&wire, read_bytes), messages));
        other = other.min(timed(|| tungstenite(&wire, read_bytes), messages));
    }
    let per_second = |time: Duration| messages as f64 / time.as_secs_f64();
    let megabytes = |time: Duration| wire.len() as f64 / 1e6 / time.as_secs_f64();
    println!(
        "{:>7} {kind} {read_bytes:>8} | {:>11.0} {:>6.0} | {:>17.0} {:>6.0} | {:.2}",
        content.len(),
        per_second(own),
        megabytes(own),
        per_second(other),
        megabytes(other),
        other.as_secs_f64() / own.as_secs_f64(),
    );
}

#[expect(clippy::disallowed_methods, reason = "this is the measure")]
fn timed(read: impl Fn() -> usize, messages: usize) -> Duration {
    let start = Instant::now();
    assert_eq!(black_box(read()), messages, "every message was read");
    start.elapsed()
}

/// Reads all of `wire`, and returns how many messages it held.
fn roomd(wire: &[u8], read_bytes: usize) -> usize {
    let (mut socket, mut buffer) = (wire, vec![0; read_bytes]);
    let (mut reader, mut budget) = (Reader::new(), InboundBudget::new(MESSAGE_BYTES_MAX));
    let mut messages = 0;
    loop {
        let filled = socket.read(&mut buffer).unwrap();
        if filled == 0 {
            return messages;
        }
        let mut at = 0;
        loop {
            let (taken, event) =
                reader.read(&mut buffer[at..filled], MESSAGE_BYTES_MAX, &mut budget).unwrap();
            if taken == 0 {
                break;
            }
            if let Some(Event::Text(text)) = event {
                black_box(text);
                messages += 1;
            }
            at += taken;
        }
    }
}

/// The same with tungstenite, its buffer as large as roomd's.
fn tungstenite(wire: &[u8], read_bytes: usize) -> usize {
    let config = WebSocketConfig::default()
        .read_buffer_size(read_bytes)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let mut socket = WebSocket::from_raw_socket(Socket(wire), Role::Server, Some(config));
    let mut messages = 0;
    while let Ok(message) = socket.read() {
        if let Message::Text(text) = message {
            black_box(text.as_str());
            messages += 1;
        }
    }
    messages
}

/// Readable memory that takes writes and forgets them: tungstenite wants both.
struct Socket<'a>(&'a [u8]);

impl Read for Socket<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A whole text message as a client sends it.
fn client_frame(content: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
    let len = u16::try_from(content.len()).unwrap();
    let mut wire = vec![0x81, 0xFE];
    wire.extend(len.to_be_bytes());
    wire.extend(MASK);
    wire.extend(content.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
    wire
}
