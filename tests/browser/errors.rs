//! Refusals are told where what they refuse was asked for.

use crate::{
    page::{ENTER, Page},
    server::{Server, settings},
    webdriver::Browser,
};
use roomd::config::Settings;

#[test]
fn a_bad_room_name_is_told_at_the_form_that_asked_for_it() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    page.type_into("#create-name", &format!("{}{ENTER}", "n".repeat(49)));
    page.wait_for("one('#create-error').textContent !== ''");
    assert_eq!(page.text("one('#create-name').value"), "n".repeat(49), "the name is kept to be mended");
    assert_eq!(page.text("one('#composer-error').textContent"), "");
    assert_eq!(page.value("one('#banner').hidden"), true);
    assert_eq!(page.texts("rooms('rooms')"), ["Global Chat"]);
    page.fill("#create-name", "");
    page.create_room("workshop");
    assert_eq!(page.text("one('#create-error').textContent"), "");
    page.assert_console_empty();
}

#[test]
fn a_room_without_a_name_is_not_asked_for() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    page.type_into("#create-name", ENTER);
    page.wait_for("one('#create-error').textContent === 'Give the room a name.'");
}

#[test]
fn one_room_too_many_is_told_at_the_form_that_asked_for_it() {
    let settings = Settings { rooms_per_client: 1, ..settings() };
    let (server, browser) = (Server::start(settings), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    page.create_room("one");
    page.type_into("#create-name", &format!("two{ENTER}"));
    page.wait_for("one('#create-error').textContent !== ''");
    assert_eq!(page.texts("rooms('rooms')"), ["Global Chat", "one"]);
}

#[test]
fn a_message_that_is_too_large_is_kept_to_be_shortened() {
    let settings = Settings { message_bytes: 1_024, ..settings() };
    let (server, browser) = (Server::start(settings), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    page.run("one('#text').value = 'x'.repeat(1024)");
    page.say("");
    page.wait_for("one('#composer-error').textContent.includes('1024 bytes')");
    assert_eq!(page.text("one('#text').value").len(), 1_024);
    page.fill("#text", "short");
    page.say("");
    page.wait_for("open() && said('short') && one('#composer-error').textContent === ''");
}

#[test]
fn a_message_of_just_the_largest_size_is_sent() {
    let settings = Settings { message_bytes: 1_024, ..settings() };
    let (server, browser) = (Server::start(settings), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    // The envelope around the text differs by the length of the message's id, which grows.
    page.run("one('#text').value = 'x'.repeat(900)");
    page.say("");
    page.wait_for("said('x'.repeat(900))");
}

#[test]
fn what_comes_too_fast_is_refused_at_the_field_and_nothing_of_it_is_lost() {
    const WRITTEN: u64 = 12;
    let settings = Settings { messages_per_second: 1, burst: 6, ..settings() };
    let (server, browser) = (Server::start(settings), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    page.run(&format!(
        "for (let number = 1; number <= {WRITTEN}; number++) {{
            one('#text').value = `message ${{number}}`;
            one('#composer').requestSubmit();
        }}"
    ));
    page.wait_for("one('#composer-error').textContent !== '' && texts('.outgoing .state').length === 0");
    let sent = page.value("shown('.own.chat').length").as_u64().unwrap();
    let failed = page.value("shown('.outgoing .retry').length").as_u64().unwrap();
    assert!(
        page.text("one('#text').value").starts_with("message "),
        "the first one refused is back in the field"
    );
    assert_eq!(sent + failed + 1, WRITTEN);
    assert!(sent < WRITTEN - 1 && failed > 0, "{sent} sent, {failed} failed");
}

#[test]
fn refusals_are_told_in_words_for_people() {
    let settings = Settings { clients: 2, messages_per_second: 1, burst: 1, ..settings() };
    let (server, browser) = (Server::start(settings), Browser::start());
    let page = Page::connected(&browser, &server, &"n".repeat(40));
    let banner = page.text("one('#banner-text').textContent");
    assert!(banner.ends_with("is too long."), "{banner}");
    page.type_into("#create-name", &format!("{}{ENTER}", "n".repeat(49)));
    let bad = "This name is too long, or has characters that cannot be used.";
    page.wait_for(&format!("one('#create-error').textContent === {bad:?}"));
    page.run(
        "for (let number = 0; number < 4; number++) {
        one('#text').value = 'x';
        one('#composer').requestSubmit();
    }",
    );
    page.wait_for("one('#composer-error').textContent === 'Too fast. Wait a second, then send again.'");
    let _second = Page::connected_too(&browser, &server, "mika");
    let third = Page::another(&browser, &format!("{}?username=noor", server.url()));
    third.wait_for("one('#entry-text').textContent === 'The chat is full.'");
    third.click("#connect");
    third.wait_for("document.body.dataset.phase === 'stopped'");
    assert_eq!(third.text("one('#entry-text').textContent"), "", "who never was in has not disconnected");
}
