//! What the page does when the network or the server goes.

use crate::{
    page::{ENTER, Page, quoted},
    proxy::Proxy,
    server::{Server, settings},
    webdriver::Browser,
};
use roomd::config::Settings;

#[test]
fn the_server_restarts_under_the_open_page() {
    let (mut server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    page.create_room("workshop");
    page.say("before");
    page.wait_for("said('before')");
    server.restart();
    page.wait_for("line('The server restarted: earlier messages are gone.')");
    page.say("after");
    page.wait_for("said('after')");
    assert_eq!(page.texts("texts('.chat .text')"), ["before", "after"], "what was read stays to be read");
    assert_eq!(page.text("one('#who').textContent"), "aki");
    page.open_room("");
    page.wait_for("line('The server restarted: earlier messages are gone.')");
}

#[test]
fn a_connection_that_is_cut_loses_nothing_that_is_kept() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let network = Proxy::start(server.port());
    let page = Page::first(&browser, &network.url());
    page.connect("aki");
    page.create_room("workshop");
    let other = Page::connected_too(&browser, &server, "mika");
    other.create_room("workshop");
    other.say("0");
    page.wait_for("said('0')");

    network.cut();
    page.wait_for("one('#status').textContent === 'Reconnecting…' && !one('#banner').hidden");
    for number in 1..=5 {
        other.say(&number.to_string());
    }
    other.wait_for("said('5')");
    network.mend();
    page.wait_for("open() && said('5') && one('#banner').hidden");
    assert_eq!(page.texts("texts('.chat .text')"), ["0", "1", "2", "3", "4", "5"]);
    assert_eq!(page.texts("texts('.note')"), [""; 0]);
    assert_eq!(page.text("one('#who').textContent"), "aki");
    page.open_room("");
    assert_eq!(page.texts("texts('.note')"), [""; 0]);
    page.wait_for("texts('.system').filter((text) => text === 'aki connected').length === 2");
}

#[test]
fn what_is_no_longer_kept_is_counted_in_its_place() {
    let settings = Settings { log_messages: 10, ..settings() };
    let (server, browser) = (Server::start(settings), Browser::start());
    let network = Proxy::start(server.port());
    let page = Page::first(&browser, &network.url());
    page.connect("aki");
    page.create_room("workshop");
    let other = Page::connected_too(&browser, &server, "mika");
    other.create_room("workshop");
    page.wait_for("line('mika joined the room')");

    network.cut();
    other.wait_for("line('aki left the room')");
    for number in 1..=20 {
        other.say(&number.to_string());
    }
    other.wait_for("said('20')");
    network.mend();
    page.wait_for("open() && said('20') && texts('.system').filter((text) => text === 'aki joined the room').length === 2");
    // Ten are kept when the page comes back: the last ten numbers, or nine and the line of its joining.
    let lines = page.texts("texts('.system, .note, .text')");
    let gap = lines.iter().position(|line| line.contains("missed")).expect("a line for the gap");
    let first: usize = lines[gap + 1].parse().unwrap();
    assert!(first == 11 || first == 12, "{lines:?}");
    // The line of its own leaving is lost with the numbers before.
    let missed = 1 + first - 1;
    assert_eq!(lines[gap], format!("{missed} messages missed while you were away: no longer kept."));
    let kept: Vec<_> = (first..=20).map(|number| number.to_string()).collect();
    assert_eq!(lines[gap + 1..lines.len() - 1], kept, "{lines:?}");
}

#[test]
fn a_page_that_cannot_keep_up_is_told_how_many_messages_it_lost() {
    const SENT: usize = 2_000;
    let settings = Settings { log_messages: 100, ..settings() };
    let (server, browser) = (Server::start(settings), Browser::start());
    let network = Proxy::start(server.port());
    let page = Page::first(&browser, &network.url());
    page.connect("aki");
    page.create_room("workshop");
    let other = Page::another(&browser, &server.url());

    network.stall();
    let filling = "x".repeat(4_000);
    let messages: Vec<_> = (1..=SENT).map(|number| format!("{number} {filling}")).collect();
    other.flood("workshop", &messages);
    network.flow();
    page.wait_for(&format!("said({})", quoted(messages.last().unwrap())));

    let lines = page.texts("texts('.note, .chat .text').map((text) => text.split(' x')[0])");
    let mut next = 1;
    let mut gaps = 0;
    for line in &lines {
        if let Some((missed, _)) = line.split_once(" dropped: this connection was too slow.") {
            let (missed, _) = missed.split_once(" message").unwrap();
            next += missed.parse::<usize>().unwrap();
            gaps += 1;
        } else {
            assert_eq!(line.parse(), Ok(next), "{lines:?}");
            next += 1;
        }
    }
    assert_eq!(next, SENT + 1, "{lines:?}");
    assert!(gaps > 0, "{lines:?}");
}

#[test]
fn a_connection_that_is_dead_and_looks_open_is_noticed() {
    let settings = Settings { heartbeat_s: 1, ..settings() };
    let (server, browser) = (Server::start(settings), Browser::start());
    let network = Proxy::start(server.port());
    let page = Page::first(&browser, &network.url());
    page.connect("aki");
    network.stall();
    page.wait_for("!open()");
    network.cut();
    network.mend();
    page.wait_for("open()");
    assert_eq!(page.text("one('#who').textContent"), "aki");
}

#[test]
fn a_message_whose_fate_is_unknown_is_kept_to_be_sent_again() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let network = Proxy::start(server.port());
    let page = Page::first(&browser, &network.url());
    page.connect("aki");
    network.stall();
    page.say("on its way");
    page.wait_for("texts('.outgoing .state')[0] === 'Sending…'");
    network.cut();
    page.wait_for("texts('.outgoing .state')[0] === 'Waiting for the connection…'");
    network.mend();
    page.wait_for("open() && shown('.outgoing .retry').length === 1");
    page.run("one('.outgoing .retry').focus()");
    page.press(ENTER);
    page.wait_for("said('on its way') && shown('.outgoing .line').length === 0");
    assert_eq!(page.text("document.activeElement.id"), "text");
    assert_eq!(page.texts("texts('.chat .text')"), ["on its way"]);
}

#[test]
fn a_text_written_without_a_connection_is_kept() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let network = Proxy::start(server.port());
    let page = Page::first(&browser, &network.url());
    page.connect("aki");
    network.cut();
    page.wait_for("!open()");
    page.say("for later");
    page.wait_for("one('#composer-error').textContent.startsWith('Not connected.')");
    assert_eq!(page.text("one('#text').value"), "for later");
    network.mend();
    page.wait_for("open()");
    page.say("");
    page.wait_for("said('for later') && one('#composer-error').textContent === ''");
}

#[test]
fn trying_now_does_not_wait() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let network = Proxy::start(server.port());
    let page = Page::first(&browser, &network.url());
    page.connect("aki");
    network.cut();
    page.wait_for("one('#banner-text').textContent.startsWith('The server cannot be reached.')");
    network.mend();
    page.run("one('#banner-action').click()");
    page.wait_for("open()");
}

#[test]
fn a_window_whose_place_was_taken_stays_away_and_says_why() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let first = Page::connected(&browser, &server, "aki");
    let second = Page::another(&browser, &server.url());
    // What the page keeps for the one that comes after it, as if this one had gone.
    first.run("window.dispatchEvent(new Event('pagehide'))");
    let place = first.text("sessionStorage.getItem('roomd.page')");
    second.run(&format!("sessionStorage.setItem('roomd.page', {})", quoted(&place)));
    second.reload();
    second.wait_for("open() && one('#who').textContent === 'aki'");
    first.wait_for("document.body.dataset.phase === 'stopped'");
    assert_eq!(
        first.text("one('#entry-text').textContent"),
        "This name is now used by another window or device."
    );
    first.connect("mika");
    second.wait_for("line('mika connected')");
}

#[test]
fn what_failed_without_a_connection_is_no_longer_told_once_it_is_back() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let network = Proxy::start(server.port());
    let page = Page::first(&browser, &network.url());
    page.connect("aki");
    network.cut();
    page.wait_for("!open()");
    page.say("for later");
    page.type_into("#create-name", &format!("workshop{ENTER}"));
    let errors = "['#composer-error', '#create-error'].map((id) => one(id).textContent)";
    assert!(page.texts(errors).iter().all(|error| error.starts_with("Not connected")));
    network.mend();
    page.wait_for("open()");
    assert_eq!(page.texts(errors), ["", ""]);
}

#[test]
fn while_a_network_answers_nothing_there_is_no_button_that_does_nothing() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let network = Proxy::start(server.port());
    let page = Page::first(&browser, &network.url());
    page.connect("aki");
    network.cut();
    page.wait_for("one('#banner-text').textContent.startsWith('The server cannot be reached.')");
    network.stall();
    network.mend();
    page.run("one('#banner-action').focus(); one('#banner-action').click()");
    page.wait_for(
        "document.body.dataset.phase === 'connecting' && one('#banner-count').textContent === 'Connecting…'",
    );
    assert_eq!(page.value("one('#banner-action').hidden"), true);
    assert_eq!(page.text("document.activeElement.id"), "text");
}

#[test]
fn a_screen_reader_is_told_of_a_lost_connection_once_and_of_history_not_at_all() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let network = Proxy::start(server.port());
    let other = Page::another(&browser, &server.url());
    other.connect("mika");
    other.create_room("workshop");
    other.say("old");
    other.wait_for("said('old')");
    let page = Page::first(&browser, &network.url());
    page.connect("aki");
    // What a screen reader would read: additions to live regions that are not busy.
    page.run(
        "window.spoken = [];
        new MutationObserver((records) => {
            for (const {target, addedNodes} of records) {
                const live = target.closest('[role=status], [role=alert], [role=log]');
                if (!live || live.ariaBusy === 'true') continue;
                for (const {textContent} of addedNodes) if (textContent) window.spoken.push(textContent);
            }
        }).observe(document.body, {subtree: true, childList: true});",
    );
    page.create_room("workshop");
    page.wait_for("said('old') && shown('.line')[0].parentElement.parentElement.ariaBusy === 'false'");
    assert_eq!(page.value("window.spoken.some((text) => text.includes('old'))"), false);
    page.run("window.spoken = []");
    network.cut();
    page.wait_for("one('#banner-text').textContent.startsWith('The server cannot be reached.')");
    // Long enough for several attempts.
    page.wait_for("(window.counts ??= new Set()).add(one('#banner-count').textContent).size >= 4");
    let spoken = page.texts("window.spoken");
    assert!(spoken.contains(&"Reconnecting…".to_owned()), "{spoken:?}");
    assert!(spoken.len() <= 3, "{spoken:?}");
    network.mend();
    page.wait_for("open()");
    network.stall();
    page.say("on its way");
    page.wait_for("texts('.outgoing .state').length === 1");
    network.cut();
    network.mend();
    page.wait_for("window.spoken.includes('Not sent: on its way')");
}
