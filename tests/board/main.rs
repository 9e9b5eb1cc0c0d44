//! The life of a board, from its first boot on: the binary for ARM, the units as they are shipped, a real systemd
//! and kernel, on the virtual board of `scripts/board`.
//!
//! One test, since each chapter goes on where the last one ended. `scripts/test board` builds what it needs, and
//! runs it.

#![allow(clippy::unwrap_used)]

mod board;
mod deploy;
#[path = "../support/program.rs"]
mod made;
#[path = "../markdown/mod.rs"]
mod markdown;
mod memory;
mod package;
mod power;
mod program;
mod service;
mod story;
#[path = "../support/mod.rs"]
mod support;
mod tls;
mod watching;

use board::Board;
use story::Story;

#[tokio::test(flavor = "multi_thread")]
async fn the_life_of_a_board() {
    let board = Board::boot();
    let mut story = Story::default();
    story.chapter("A board comes up for the first time", async { service::comes_up(&board) }).await;
    story.chapter("roomd is deployed, and ready", deploy::is_deployed(&board)).await;
    story.chapter("People open the page, and talk", service::people_talk(&board)).await;
    story.chapter("Nothing is written to its flash", watching::nothing_is_written(&board)).await;
    story.chapter("The journal can be asked", watching::the_journal_can_be_asked(&board)).await;
    story
        .chapter("The sandbox is as tight as promised", async { watching::the_sandbox_is_tight(&board) })
        .await;
    story.chapter("It is killed, and nobody is refused", service::is_killed(&board)).await;
    story.chapter("It hangs, and the watchdog helps", service::hangs(&board)).await;
    story.chapter("Two hundred clients come", watching::two_hundred_clients_come(&board)).await;
    story.chapter("Readers that stall attack its memory", memory::stalled_readers_attack(&board)).await;
    story.chapter("It needs more memory than it may have", memory::more_than_it_may_have(&board)).await;
    story.chapter("The board reboots", power::reboots(&board)).await;
    story.chapter("The power fails in the midst of it", power::fails(&board)).await;
    story.chapter("A new version comes, goes and comes", deploy::is_upgraded(&board)).await;
    story.chapter("Bad versions are taken back", deploy::bad_versions_are_taken_back(&board)).await;
    story
        .chapter("The power fails during an upgrade", deploy::the_power_fails_while_it_is_upgraded(&board))
        .await;
    story.chapter("It speaks TLS, and its certificate is renewed", tls::is_spoken(&board)).await;
    story.chapter("New versions come with its key", tls::is_deployed_with_its_key(&board)).await;
    story.chapter("The Debian package takes over", package::replaces_what_was_deployed(&board)).await;
    story.chapter("The package is upgraded, and purged", package::is_upgraded_and_purged(&board)).await;
}
