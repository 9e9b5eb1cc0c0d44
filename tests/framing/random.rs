//! Bytes that nobody chose: whatever comes, only its own connection may suffer.
//!
//! A failure names its seed; the same seed repeats the same bytes.

use crate::support::{
    BINARY, CLOSE, CONTINUATION, Client, FIN, PING, RawClient, TEXT, TestServer, frame, guarded, settings,
};

/// xorshift64*, Vigna 2016.
struct Dice(u64);

impl Dice {
    /// Spreads a small seed over all bits.
    fn seeded(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.roll()).unwrap() % bound
    }

    fn byte(&mut self) -> u8 {
        self.roll().to_le_bytes()[0]
    }
}

/// Valid frames of many kinds, a few of their bytes changed.
fn spoilt(dice: &mut Dice) -> Vec<u8> {
    let texts: [&[u8]; 6] = [
        br#"{"type":"chat","content":"x","id":"i"}"#,
        br#"{"type":"join_room","room":"kitchen","history":5}"#,
        br#"{"type":"leave_room","room":"kitchen"}"#,
        br#"{"type":"list_members","room":"kitchen"}"#,
        br#"{"type":"chat","room":"kitchen","content":"\ud83d\ude00"}"#,
        "words, Wörter, 言葉".as_bytes(),
    ];
    let firsts = [FIN | TEXT, FIN | TEXT, FIN | BINARY, TEXT, CONTINUATION, FIN | CONTINUATION, FIN | PING];
    let mut bytes = Vec::new();
    for _ in 0..=dice.below(6) {
        bytes.extend(frame(firsts[dice.below(firsts.len())], texts[dice.below(texts.len())]));
    }
    for _ in 0..dice.below(4) {
        let at = dice.below(bytes.len());
        bytes[at] ^= 1 << dice.below(8);
    }
    bytes.truncate(1 + dice.below(bytes.len() * 2));
    bytes
}

fn noise(dice: &mut Dice) -> Vec<u8> {
    (0..=dice.below(300)).map(|_| dice.byte()).collect()
}

/// Sends the bytes and the end, and reads what the server makes of them.
async fn suffer(server: &TestServer, bytes: &[u8], seed: u64) {
    let mut client = RawClient::upgrade(server, "username=random").await;
    client.try_write(bytes).await;
    client.shutdown_if_open().await;
    while let Some(frame) = client.next_frame().await {
        if frame.opcode == CLOSE {
            let code = frame.close_code();
            let sent_by_itself = bytes.windows(2).any(|pair| pair[0] & 0x0F == CLOSE && pair[1] & 0x80 != 0);
            assert!(
                [1002, 1007, 1009].contains(&code) || sent_by_itself,
                "seed {seed}: {code} for {bytes:x?}"
            );
        }
    }
}

#[tokio::test]
async fn spoilt_frames_and_noise_end_at_most_their_own_connection() {
    let server = TestServer::start(settings());
    let mut witness = Client::connect_quietly(&server, "witness").await;
    for seed in 1..=400 {
        let mut dice = Dice::seeded(seed);
        let bytes = if seed % 4 == 0 { noise(&mut dice) } else { spoilt(&mut dice) };
        guarded(&format!("the end of seed {seed}"), suffer(&server, &bytes, seed)).await;
    }
    witness.assert_silent().await;
    let mut last = Client::connect(&server, "last").await;
    last.count_becomes(2).await;
}

#[tokio::test]
async fn noise_instead_of_a_handshake_ends_at_most_its_own_connection() {
    let server = TestServer::start(settings());
    let mut witness = Client::connect_quietly(&server, "witness").await;
    for seed in 1..=100 {
        let mut dice = Dice::seeded(seed);
        let mut client = RawClient::connect(&server).await;
        client.try_write(&noise(&mut dice)).await;
        client.shutdown_if_open().await;
        client.expect_end().await;
    }
    witness.assert_silent().await;
}
