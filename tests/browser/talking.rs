//! Two windows in the lobby.

use crate::{
    page::{ENTER, Page, SHIFT},
    server::{Server, settings},
    webdriver::Browser,
};

#[test]
fn two_windows_talk_in_the_lobby() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let aki = Page::connected(&browser, &server, "aki");
    aki.wait_for("line('aki connected') && one('#count').textContent === '1 online'");
    let mika = Page::connected_too(&browser, &server, "mika");
    aki.wait_for("line('mika connected') && one('#count').textContent === '2 online'");
    mika.wait_for("one('#count').textContent === '2 online'");

    aki.say("Good morning");
    mika.wait_for("said('Good morning')");
    mika.say("To you too");
    for page in [&aki, &mika] {
        page.wait_for("said('To you too')");
        assert_eq!(page.texts("texts('.chat .text')"), ["Good morning", "To you too"]);
    }
    assert_eq!(aki.texts("texts('.own .text')"), ["Good morning"]);
    assert_eq!(aki.texts("texts('.other .text')"), ["To you too"]);
    assert_eq!(aki.texts("texts('.other .sender')"), ["mika"]);
    aki.wait_for("shown('.outgoing .line').length === 0 && texts('.own .state')[0] === 'Sent'");

    mika.close();
    aki.wait_for("line('mika disconnected') && one('#count').textContent === '1 online'");
    aki.assert_console_empty();
}

#[test]
fn a_message_of_ones_own_is_in_view_once_from_the_moment_it_is_sent() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    page.wait_for("line('aki connected')");
    page.run(
        "window.seen = [];
        const look = () => seen.push(texts('.text').filter((text) => text === 'hello').length);
        new MutationObserver(look).observe(one('.log:not([hidden])'), {childList: true, subtree: true});",
    );
    page.say("hello");
    page.wait_for("said('hello') && shown('.outgoing .line').length === 0");
    let seen = page.value("seen");
    assert!(seen.as_array().unwrap().iter().all(|count| count == 1), "{seen}");
    assert!(seen.as_array().unwrap().len() >= 2, "{seen}");
}

#[test]
fn enter_sends_and_shift_enter_begins_a_new_line() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    page.type_into("#text", "one");
    page.press_with(SHIFT, ENTER);
    page.press(&format!("two{ENTER}"));
    page.wait_for(r"said('one\ntwo') && one('#text').value === ''");
}

#[test]
fn nothing_but_white_space_is_not_sent() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let page = Page::connected(&browser, &server, "aki");
    page.say("   ");
    page.fill("#text", "");
    page.say("something");
    page.wait_for("said('something')");
    assert_eq!(page.texts("texts('.chat .text')"), ["something"]);
}

#[test]
fn a_name_that_is_taken_gets_a_suffix_and_the_page_says_so() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let first = Page::connected(&browser, &server, "aki");
    let second = Page::connected_too(&browser, &server, "aki");
    second.wait_for("one('#who').textContent === 'aki-2'");
    second.wait_for("one('#banner-text').textContent.includes('aki-2')");
    second.click("#banner-action");
    second.wait_for("one('#banner').hidden");
    first.wait_for("line('aki-2 connected')");
}

#[test]
fn who_disconnects_can_read_on_and_connect_again() {
    let (server, browser) = (Server::start(settings()), Browser::start());
    let aki = Page::connected(&browser, &server, "aki");
    let mika = Page::connected_too(&browser, &server, "mika");
    aki.say("before");
    mika.wait_for("said('before')");
    mika.click("#disconnect");
    mika.wait_for("one('#status').textContent === 'Disconnected'");
    aki.wait_for("line('mika disconnected')");
    aki.say("meanwhile");
    aki.wait_for("texts('.own .state').length === 2");
    assert_eq!(mika.texts("texts('.chat .text')"), ["before"]);
    mika.connect("mika");
    mika.wait_for("said('meanwhile')");
    assert_eq!(mika.texts("texts('.chat .text')"), ["before", "meanwhile"]);
    assert_eq!(mika.texts("texts('.note')"), [""; 0]);
}
