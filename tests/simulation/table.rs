//! What became of a run, as a table to read.

use crate::{book::Sum, world::World};
use roomd::hub::Counter;
use std::fmt::Write as _;

/// The table of one run.
pub(crate) fn table(seed: u64, world: &World) -> String {
    let mut text = format!("seed {seed}\n\nclients     came  delivered   gaps  missed  endings\n");
    for (kind, fate) in &world.fates {
        let mut sum = Sum::default();
        for client in world.clients.iter().filter(|client| client.kind == *kind) {
            sum.delivered += client.sum.delivered;
            sum.gaps += client.sum.gaps;
            sum.missed += client.sum.missed;
        }
        let endings: Vec<_> =
            fate.endings.iter().map(|(code, count)| format!("{} x{count}", ending(*code))).collect();
        let Sum { delivered, gaps, missed } = sum;
        let (kind, endings) = (format!("{kind:?}"), endings.join(", "));
        let _ = writeln!(text, "{kind:10} {:5}  {delivered:9}  {gaps:5}  {missed:6}  {endings}", fate.came);
    }
    text += "\nroom    published  longest lag of a chat, of a line (ms)\n";
    for (room, published) in world.chronicle.published() {
        let lag = |of: &std::collections::BTreeMap<String, u64>| of.get(room).copied().unwrap_or_default();
        let (chats, lines) = (lag(&world.chronicle.chat_lag_ms), lag(&world.chronicle.line_lag_ms));
        let room = if room.is_empty() { "(lobby)" } else { room };
        let _ = writeln!(text, "{room:7} {published:9}  {chats}, {lines}");
    }
    let count = |counter| world.counter(counter);
    let _ = writeln!(
        text,
        "\nowed {} = delivered {} + missed {} + discarded {}\npanics thrown into the server: {}",
        count(Counter::Owed),
        count(Counter::Delivered),
        count(Counter::Missed),
        count(Counter::Discarded),
        world.thrown
    );
    text
}

fn ending(code: u16) -> String {
    if code == 0 { "lost".to_owned() } else { code.to_string() }
}
