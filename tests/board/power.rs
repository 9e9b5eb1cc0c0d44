//! What of roomd outlasts a reboot and a power cut: it is there again, by itself.

use crate::{
    board::Board,
    service::{SETTINGS, assert_talking},
    support::Client,
};

pub(crate) async fn reboots(board: &Board) {
    board.reboot();
    assert_there(board).await;
}

pub(crate) async fn fails(board: &Board) {
    let settings = board.run(&format!("cat {SETTINGS}"));
    let mut noor = Client::connect(&board.server(), "noor").await;
    let mut aki = Client::connect(&board.server(), "aki").await;
    assert_talking(&mut aki, &mut noor).await;
    board.cut();
    board.start();
    assert_there(board).await;
    assert_eq!(board.run(&format!("cat {SETTINGS}")), settings);
}

async fn assert_there(board: &Board) {
    assert_eq!((&*board.service("ActiveState"), &*board.service("NRestarts")), ("active", "0"));
    let mut noor = Client::connect(&board.server(), "noor").await;
    let mut aki = Client::connect(&board.server(), "aki").await;
    assert_talking(&mut aki, &mut noor).await;
}
