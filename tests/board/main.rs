//! The life of a board, from its first boot on: the binary for ARM, the units as they are shipped, a real systemd
//! and kernel, on the virtual board of `scripts/board`.
//!
//! One test, since each chapter goes on where the last one ended. `scripts/test board` builds what it needs, and
//! runs it.

#![allow(clippy::unwrap_used)]

mod board;
mod memory;
mod power;
mod service;
mod story;
#[path = "../support/mod.rs"]
mod support;
mod watching;

use board::Board;
use story::Story;

#[tokio::test(flavor = "multi_thread")]
async fn the_life_of_a_board() {
    let board = Board::boot();
    let mut story = Story::default();
    story.chapter("A board comes up for the first time", service::comes_up(&board)).await;
    story.chapter("roomd is installed, and ready", service::is_installed(&board)).await;
    story.chapter("People open the page, and talk", service::people_talk(&board)).await;
    story.chapter("Nothing is written to its flash", watching::nothing_is_written(&board)).await;
    story.chapter("The journal can be asked", watching::the_journal_can_be_asked(&board)).await;
    story.chapter("The sandbox is as tight as promised", watching::the_sandbox_is_tight(&board)).await;
    story.chapter("It is killed, and nobody is refused", service::is_killed(&board)).await;
    story.chapter("It hangs, and the watchdog helps", service::hangs(&board)).await;
    story.chapter("Two hundred clients come", watching::two_hundred_clients_come(&board)).await;
    story.chapter("Readers that stall attack its memory", memory::stalled_readers_attack(&board)).await;
    story.chapter("It needs more memory than it may have", memory::more_than_it_may_have(&board)).await;
    story.chapter("The board reboots", power::reboots(&board)).await;
    story.chapter("The power fails in the midst of it", power::fails(&board)).await;
}
